//! Refuses pull policies that are not on a list.
//!
//! # What it checks
//! `imagePullPolicy` of init, regular and ephemeral containers, and `pullPolicy` of images that are mounted as volumes, in
//! pods and in the templates of workloads. Absent or null is what the API server fills in: `Always` for the tag `latest` and
//! for no tag at all, `IfNotPresent` for everything else. Containers without an image are left to the API server.
//!
//! # Why
//! With `IfNotPresent` and `Never` a pod may run what another pod has pulled to the node, without the registry being asked
//! whether it may: private images leak, and a tag that was replaced stays old on some nodes.
//!
//! # Settings
//! - `allowed`: what may be set, of `Always`, `IfNotPresent` and `Never`. By default `Always`.
//! - `exemptImages`: images that are let pass, by what they begin with, in the notation of `allowed-registries`:
//!   `docker.io/library`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: image-pull-policy }
//! spec:
//!   module: image-pull-policy
//!   settings:
//!     allowed: [Always, IfNotPresent]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use super::exempt_images::ExemptImages;
use crate::json::{Node, Path};
use crate::kubernetes::image::Image;
use crate::kubernetes::pull_policy::PullPolicy;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// When images may be pulled.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Pull policies.
    allowed: Vec<PullPolicy>,
    /// What images begin with that are let pass.
    exempt_images: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: vec![PullPolicy::Always], exempt_images: vec![] }
    }
}

/// See the page of `image-pull-policy`.
#[derive(Debug)]
pub struct ImagePullPolicy {
    allowed: Vec<PullPolicy>,
    exempt: ExemptImages,
    /// The end of messages.
    accepted: String,
}

impl Module for ImagePullPolicy {
    const ID: &'static str = "image-pull-policy";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/imagepullpolicy-always"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("image_pull_policy.rs");
    type Settings = Settings;

    fn new(Settings { allowed, exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        let problem = match PullPolicy::ALL.into_iter().filter(|policy| allowed.contains(policy)).count() {
            0 => Some("no pull policy is allowed: expected at least one of Always, IfNotPresent and Never"),
            3 => Some("every pull policy is allowed: the policy refuses nothing"),
            _ => None,
        };
        if let Some(message) = problem {
            return Err(vec![SettingsError { pointer: "/allowed".to_owned(), message: message.to_owned() }]);
        }
        let accepted = accepted(&allowed);
        Ok(Self { allowed, exempt: ExemptImages::new(&exempt_images)?, accepted })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let allowed = twin::lists(self.allowed.iter().map(|policy| policy.as_str()));
        let exempt = self.exempt.and_not_image("i");
        let moves = format!(
            "({} && !i.contains('@') && (i.endsWith(':latest') || !i.matches(':[^/]*$')))",
            twin::readable("i")
        );
        let judge = |image: &str, set: &str| {
            let policy = format!("({set} != '' ? {set} : {moves} ? 'Always' : 'IfNotPresent')");
            format!("[{image}].exists(i, i != '' && !({policy} in {allowed}){exempt})")
        };
        let of_containers = judge("c.it.?image.orValue('')", "c.it.?imagePullPolicy.orValue('')");
        let of_volumes = judge("v.?image.?reference.orValue('')", "v.?image.?pullPolicy.orValue('')");
        let findings = format!(
            "{} + #spec.?volumes.orValue([]).filter(v, {of_volumes}).map(v, \
             'volumes[' + v.name + '].image.pullPolicy\\n' + v.image.?pullPolicy.orValue(''))",
            twin::containers_with(&of_containers, "imagePullPolicy", "c.it.?imagePullPolicy.orValue('')")
        );
        let message = format!("this pull policy is not allowed; {}", self.accepted);
        Ok(CelTwin::of(findings, message).differing("takes repositories of more than 255 bytes for readable"))
    }
}

impl ImagePullPolicy {
    /// `image` names one, `path` leads to its pull policy, which is `set`.
    fn judge(&self, path: &Path<'_>, image: Option<Node<'_>>, set: Option<Node<'_>>, report: &mut Report<'_>) {
        let Some(text) = image.and_then(Node::as_str).filter(|text| !text.is_empty()) else { return };
        let image = Image::parse(text).ok();
        if image.as_ref().is_some_and(|image| self.exempt.covers_image(image)) {
            return;
        }
        let found = match set {
            None => Some(PullPolicy::default_of(image.as_ref())),
            Some(set) => PullPolicy::ALL.into_iter().find(|policy| set.as_str() == Some(policy.as_str())),
        };
        let message = match found {
            Some(found) if self.allowed.contains(&found) => return,
            Some(found) => format!("pull policy {found} is not allowed; {}", self.accepted),
            None => format!("this is no pull policy; {}", self.accepted),
        };
        report.finding(path, set.unwrap_or_default(), message);
    }
}

impl Validate for ImagePullPolicy {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        pod.visit_containers(|container| {
            let set = container.node.field("imagePullPolicy");
            self.judge(&container.path.key("imagePullPolicy"), container.node.get("image"), set, report);
        });
        pod.with_spec_path(|spec| {
            let list = spec.key("volumes");
            for (index, volume) in pod.spec().items_of("volumes").iter().enumerate() {
                if let Some(source) = volume.field("image") {
                    let volume = list.item(index, "name", *volume);
                    let path = volume.key("image");
                    self.judge(&path.key("pullPolicy"), source.get("reference"), source.field("pullPolicy"), report);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_lists_without_a_choice() {
        let error = |allowed: &[PullPolicy]| {
            let settings = Settings { allowed: allowed.to_vec(), ..Settings::default() };
            ImagePullPolicy::new(settings).unwrap_err().remove(0).message
        };
        assert_eq!(error(&[]), "no pull policy is allowed: expected at least one of Always, IfNotPresent and Never");
        assert_eq!(error(&PullPolicy::ALL), "every pull policy is allowed: the policy refuses nothing");
    }
}
