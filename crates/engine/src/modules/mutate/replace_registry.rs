//! Sends images to mirrors: replaces what their names begin with.
//!
//! # What it does
//! Rewrites the images of init, regular and ephemeral containers, and those that are mounted as volumes, by a table of what
//! they begin with and what stands there instead. Names are completed first, as container runtimes do it: `nginx` is
//! `docker.io/library/nginx`, and with `docker.io` sent to `registry.example.com/hub` it becomes
//! `registry.example.com/hub/library/nginx`. Whole parts are compared; where several rows fit, the longest is taken. Tags and
//! digests stay as they are. An image that no row fits, that no runtime could read, or whose new name would be a host alone
//! or longer than a name can be, is not touched.
//!
//! Pods are changed when they are created, and in their new ephemeral containers; never mirror pods. A bare pod's manifest
//! can be applied a second time only with the name that was put in. Templates can be named in `matchConstraints`; one that
//! belongs to another object, as a ReplicaSet's to its Deployment, is left alone.
//!
//! # Why
//! A mirror spares limits on pulls, keeps the cluster running while a registry is down, and lets it run where no registry
//! can be reached; manifests and charts stay as their authors wrote them.
//!
//! # Settings
//! - `mirrors`: the table, at least one row. Each has `from`, a registry with as much of the path as it takes
//!   (`docker.io`, `ghcr.io/acme`), and `to`, in the same notation. No image that was rewritten may fit a row again, so no
//!   `to` may lie under a `from`, nor a `from` under a `to`.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: mirrors }
//! spec:
//!   module: replace-registry
//!   settings:
//!     mirrors:
//!       - { from: docker.io, to: registry.example.com/hub }
//!       - { from: quay.io, to: registry.example.com/quay }
//! ```

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{images, open};
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::image::{Image, ImagePattern};
use crate::kubernetes::pod::ContainerList;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Where images are sent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// What images begin with, and what stands there instead.
    mirrors: Vec<MirrorRow>,
}

/// A row of the table.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct MirrorRow {
    /// A registry, with as much of the path as it takes: `docker.io`.
    from: String,
    /// What stands there instead: `registry.example.com/hub`.
    to: String,
}

/// See the page of `replace-registry`.
#[derive(Debug)]
pub struct ReplaceRegistry {
    /// The longest `from` first.
    mirrors: Vec<Mirror>,
}

#[derive(Debug)]
struct Mirror {
    from: ImagePattern,
    to: ImagePattern,
}

impl Module for ReplaceRegistry {
    const ID: &'static str = "replace-registry";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/replace-image-registry"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("replace_registry.rs");
    type Settings = Settings;

    fn new(Settings { mirrors: rows }: Settings) -> Result<Self, Vec<SettingsError>> {
        let (mut mirrors, mut errors) = (Vec::<Mirror>::new(), vec![]);
        if rows.is_empty() {
            let message =
                "there is no mirror: expected at least one, such as {from: docker.io, to: registry.example.com/hub}";
            errors.push(SettingsError { pointer: "/mirrors".to_owned(), message: message.to_owned() });
        }
        for (position, row) in rows.iter().enumerate() {
            let mut read = |field: &str, text: &str| {
                let exact = |pattern: ImagePattern| {
                    let message = || format!("{text:?} names several places: expected one, without `*`");
                    if pattern.is_exact() { Ok(pattern) } else { Err(message()) }
                };
                let refuse = |message| {
                    errors.push(SettingsError { pointer: format!("/mirrors/{position}/{field}"), message });
                };
                ImagePattern::parse(text).and_then(exact).map_err(refuse).ok()
            };
            let (from, to) = (read("from", &row.from), read("to", &row.to));
            let (Some(from), Some(to)) = (from, to) else { continue };
            if mirrors.iter().any(|mirror| mirror.from == from) {
                let message = format!("{:?} is sent somewhere already: leave one of the two", row.from);
                errors.push(SettingsError { pointer: format!("/mirrors/{position}/from"), message });
            }
            mirrors.push(Mirror { from, to });
        }
        if errors.is_empty() {
            errors = chains(&mirrors);
        }
        mirrors.sort_by_key(|mirror| std::cmp::Reverse(mirror.from.depth()));
        if errors.is_empty() { Ok(Self { mirrors }) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        let lists = ContainerList::ALL.map(|list| format!("spec.{}[*].image", list.field()));
        lists.into_iter().chain(["spec.volumes[*].image.reference".to_owned()]).map(PathPattern).collect()
    }
}

/// Rows whose images would be rewritten again: a second round must change nothing.
fn chains(mirrors: &[Mirror]) -> Vec<SettingsError> {
    let lies_under = |inner: &ImagePattern, outer: &ImagePattern| {
        let below = format!("{inner}/x");
        Image::parse(&below).is_ok_and(|image| outer.covers(&image))
    };
    let mut errors = vec![];
    for (position, Mirror { to, .. }) in mirrors.iter().enumerate() {
        let again = mirrors.iter().find(|other| lies_under(to, &other.from) || lies_under(&other.from, to));
        if let Some(Mirror { from, .. }) = again {
            let message = format!("what is sent to \"{to}\" would be sent on from \"{from}\": expected another place");
            errors.push(SettingsError { pointer: format!("/mirrors/{position}/to"), message });
        }
    }
    errors
}

impl ReplaceRegistry {
    fn set<'a>(&self, arena: &'a Arena, holder: Node<'a>, field: &str) -> Edited<'a> {
        let image = holder.str(field).and_then(|text| Image::parse(text).ok());
        match image.and_then(|image| self.rewritten(&image)) {
            Some(text) => edit::set(arena, holder, &[field], Node::string(arena.text(&text))),
            None => Ok(holder),
        }
    }

    fn rewritten(&self, image: &Image<'_>) -> Option<String> {
        let Mirror { from, to } = self.mirrors.iter().find(|mirror| mirror.from.covers(image))?;
        let mut text = to.to_string();
        let rest = image.path().skip(from.depth()).map(|part| ("/", part));
        let (tag, digest) = (image.tag().map(|tag| (":", tag)), image.digest().map(|digest| ("@", digest)));
        for (separator, part) in rest.chain(tag).chain(digest) {
            // Writing to a text does not fail.
            let _ = write!(text, "{separator}{part}");
        }
        // Without a path a host is read as the name of an image on Docker Hub.
        Image::parse(&text).is_ok_and(|image| to.covers(&image)).then_some(text)
    }
}

impl Mutate for ReplaceRegistry {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, changeable)) = open::pod(&subject) else { return Ok(subject.object) };
        let arena = subject.arena();
        Ok(images::map(arena, &pod, changeable, |holder, field| self.set(arena, holder, field))?)
    }
}

#[cfg(test)]
mod tests;
