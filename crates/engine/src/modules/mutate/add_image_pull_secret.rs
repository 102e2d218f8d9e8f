//! Adds pull secrets to pods that lack them.
//!
//! # What it does
//! Adds each of `names` to the end of a pod's `imagePullSecrets`, unless it is there. What is there already stays: the
//! author's own secrets, and those of the ServiceAccount, which the API server copies into a pod that has none before it
//! asks a webhook.
//!
//! Pods are changed when they are created, never mirror pods. Templates can be named in `matchConstraints`; one that belongs
//! to another object, as a ReplicaSet's to its Deployment, is left alone. A template that has secrets of its own does not
//! get those of the ServiceAccount any more.
//!
//! # Why
//! Private registries need a secret in every pod, or in every ServiceAccount of every namespace. Put in here, manifests need
//! not know it. The Secret itself must be in the pod's namespace: this policy does not put it there.
//!
//! # Settings
//! - `names`: names of Secrets of type `kubernetes.io/dockerconfigjson`, at least one.
//! - `images`: only pods that have an image which begins with one of these, in the notation of `allowed-registries`:
//!   `registry.example.com`. By default all.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: registry-credentials }
//! spec:
//!   module: add-image-pull-secret
//!   settings:
//!     names: [registry-credentials]
//!     images: [registry.example.com]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Node, edit};
use crate::kubernetes::image::ImagePattern;
use crate::kubernetes::pod::Changeable;
use crate::modules::patterns;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which secrets are added to which pods.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Names of Secrets.
    names: Vec<String>,
    /// Registries, with as much of the path as one of a pod's images must begin with; all pods if there are none.
    images: Vec<String>,
}

/// See the page of `add-image-pull-secret`.
#[derive(Debug)]
pub struct AddImagePullSecret {
    names: Vec<String>,
    images: Vec<ImagePattern>,
}

impl Module for AddImagePullSecret {
    const ID: &'static str = "add-image-pull-secret";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["kyverno/add-imagepullsecrets", "kyverno/add-imagepullsecrets-for-containers-and-initcontainers"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("add_image_pull_secret.rs");
    type Settings = Settings;

    fn new(Settings { names, images }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors: Vec<SettingsError> = patterns::of_secrets("/names", &names, false).collect();
        if names.is_empty() {
            let message = "there is nothing to add: name at least one Secret".to_owned();
            errors.push(SettingsError { pointer: "/names".to_owned(), message });
        }
        let images = patterns::of_images("/images", &images).map_err(|more| errors.extend(more)).unwrap_or_default();
        if errors.is_empty() { Ok(Self { names, images }) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.names.iter().map(|name| PathPattern(format!("spec.imagePullSecrets[name={name}]"))).collect()
    }
}

impl Mutate for AddImagePullSecret {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject).filter(|(pod, _)| patterns::mean_pod(&self.images, pod))
        else {
            return Ok(subject.object);
        };
        let arena = subject.arena();
        let root = pod.edit_spec(arena, |spec| {
            self.names.iter().try_fold(spec, |spec, name| {
                let present = spec.items_of("imagePullSecrets");
                if present.iter().any(|secret| secret.str("name") == Some(name)) {
                    return Ok(spec);
                }
                edit::append(arena, spec, &["imagePullSecrets"], arena.map(&[("name", Node::string(name))]))
            })
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_names_that_no_secret_has() {
        let errors = |names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            let errors = AddImagePullSecret::new(Settings { names, images: vec![] }).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let nothing = "there is nothing to add: name at least one Secret".to_owned();
        assert_eq!(errors(&[]), [("/names".to_owned(), nothing)]);
        let misspelt = "\"Mine\" is no name of a Secret: expected lower-case letters, digits, `-` and `.`".to_owned();
        assert_eq!(errors(&["mine", "Mine"]), [("/names/1".to_owned(), misspelt)]);
    }
}
