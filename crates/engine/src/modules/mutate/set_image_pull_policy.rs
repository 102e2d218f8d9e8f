//! Says when images are pulled.
//!
//! # What it does
//! Sets `imagePullPolicy` of init, regular and ephemeral containers, and `pullPolicy` of images that are mounted as
//! volumes, where the author of the pod did not choose one.
//!
//! The API server fills in a default before anybody else sees the pod: `Always` for the tag `latest` and for no tag at
//! all, `IfNotPresent` for everything else. Afterwards it cannot be told whether somebody wrote it, so a value that equals
//! the default of its image counts as not chosen. `Never` for `nginx:1.27` is a choice and stays, and so is `Always`;
//! `IfNotPresent` there is none. Set `overwrite` to replace choices as well.
//!
//! Pods are changed when they are created, and in their new ephemeral containers; never mirror pods. With `overwrite`, a
//! manifest of a bare pod that names another policy cannot be applied a second time: the API server takes it for a change of
//! the pod's specification. Templates of workloads are not concerned.
//!
//! # Why
//! With `Always` the registry is asked for permission each time: on a shared node nobody runs a private image that
//! somebody else's pod has pulled. With `IfNotPresent` pods start while the registry is down.
//!
//! # Settings
//! - `policy`: `Always` (the default), `IfNotPresent` or `Never`.
//! - `images`: only images that begin with one of these, in the notation of `allowed-registries`: `ghcr.io/acme`. By
//!   default all.
//! - `overwrite`: whether a choice is replaced; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: ask-for-private-images }
//! spec:
//!   module: set-image-pull-policy
//!   settings:
//!     policy: Always
//!     images: [registry.example.com]
//!     overwrite: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::{images, open};
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::image::{Image, ImagePattern};
use crate::kubernetes::pull_policy::PullPolicy;
use crate::modules::patterns;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// When which images are pulled.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The policy to set.
    policy: PullPolicy,
    /// Registries, with as much of the path as images must begin with; all images if there are none.
    images: Vec<String>,
    /// Whether a policy that the author of the pod chose is replaced as well.
    overwrite: bool,
}

/// See the page of `set-image-pull-policy`.
#[derive(Debug)]
pub struct SetImagePullPolicy {
    policy: PullPolicy,
    images: Vec<ImagePattern>,
    overwrite: bool,
}

impl Module for SetImagePullPolicy {
    const ID: &'static str = "set-image-pull-policy";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kubernetes/AlwaysPullImages", "kyverno/always-pull-images"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_image_pull_policy.rs");
    type Settings = Settings;

    fn new(Settings { policy, images, overwrite }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { policy, images: patterns::of_images("/images", &images)?, overwrite })
    }

    fn writes(&self) -> Vec<PathPattern> {
        let fields = [
            "initContainers[*].imagePullPolicy",
            "containers[*].imagePullPolicy",
            "ephemeralContainers[*].imagePullPolicy",
            "volumes[*].image.pullPolicy",
        ];
        fields.map(|field| PathPattern(format!("spec.{field}"))).to_vec()
    }
}

impl SetImagePullPolicy {
    /// `holder` names an image under `image` and may have a policy under `field`.
    fn set<'a>(&self, arena: &'a Arena, holder: Node<'a>, image: &str, field: &str) -> Edited<'a> {
        let Some(text) = holder.str(image).filter(|text| !text.is_empty()) else { return Ok(holder) };
        let image = Image::parse(text).ok();
        let is_meant = |image: &Image<'_>| self.images.iter().any(|pattern| pattern.covers(image));
        if !self.images.is_empty() && !image.as_ref().is_some_and(is_meant) {
            return Ok(holder);
        }
        let default = PullPolicy::default_of(image.as_ref()).as_str();
        let found = holder.field(field);
        let present = found.map_or(Some(default), Node::as_str);
        let is_chosen = present != Some(default);
        let stays = found.is_some_and(|found| !self.overwrite || !open::is_replaceable(found));
        if present == Some(self.policy.as_str()) || (is_chosen && stays) {
            return Ok(holder);
        }
        edit::set(arena, holder, &[field], Node::string(self.policy.as_str()))
    }
}

impl Mutate for SetImagePullPolicy {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, changeable)) = open::pod(&subject) else { return Ok(subject.object) };
        let arena = subject.arena();
        let root = images::map(arena, &pod, changeable, |holder, image| {
            let field = if image == images::OF_VOLUME { "pullPolicy" } else { "imagePullPolicy" };
            self.set(arena, holder, image, field)
        })?;
        Ok(root)
    }
}
