//! Gives requests and limits to containers that have none.
//!
//! # What it does
//! For each resource of the settings: a regular or init container without a request and without a limit gets the default
//! request, and one without a limit gets the default limit. A container keeps what it has.
//!
//! - One that has a limit and no request gets no request here: the API server takes the limit for it.
//! - Where a container requests more than the default limit, its limit becomes what it requests.
//! - A resource that the pod's own `resources` name is left alone: its containers share that.
//! - A request or a limit of 0 is a choice and stays.
//!
//! Pods are changed when they are created, never mirror pods. Ephemeral containers can have no resources. A LimitRange acts
//! before, so what it fills in counts as there; it also judges afterwards, so keep the defaults within it.
//!
//! # Why
//! A LimitRange gives defaults to one namespace and has to be in each. This gives them to all, or to those that the policy
//! names.
//!
//! # Settings
//! - `requests`, `limits`: quantities for `cpu`, `memory` and `ephemeral-storage`; at least one of them. A request must not
//!   be above the limit.
//! - `initContainers`: whether init containers get them too, native sidecars among them; true by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: default-resources }
//! spec:
//!   module: set-default-resources
//!   settings:
//!     requests: { cpu: 50m, memory: 64Mi }
//!     limits: { memory: 256Mi }
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node, Path};
use crate::kubernetes::pod::{Changeable, ContainerList};
use crate::kubernetes::quantity::Quantity;
use crate::kubernetes::resources::{Side, written};
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What containers get.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Requests by resource.
    requests: BTreeMap<String, String>,
    /// Limits by resource.
    limits: BTreeMap<String, String>,
    /// Whether init containers get them too.
    init_containers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { requests: BTreeMap::new(), limits: BTreeMap::new(), init_containers: true }
    }
}

/// See the page of `set-default-resources`.
#[derive(Debug)]
pub struct SetDefaultResources {
    resources: Vec<Resource>,
    init_containers: bool,
}

#[derive(Debug)]
struct Resource {
    name: &'static str,
    request: Option<String>,
    limit: Option<(String, Quantity)>,
}

/// Others cannot be overcommitted (their request must equal their limit), or are devices that nobody should get unasked.
const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

impl Module for SetDefaultResources {
    const ID: &'static str = "set-default-resources";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/add-default-resources"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_default_resources.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let requests = amounts("requests", &settings.requests, &mut errors);
        let limits = amounts("limits", &settings.limits, &mut errors);
        if settings.requests.is_empty() && settings.limits.is_empty() {
            let message = "there is nothing to set: name requests, limits or both, such as {memory: 256Mi}";
            errors.push(problem("", message));
        }
        let mut resources = vec![];
        for name in RESOURCES {
            let (request, limit) = (requests.get(name), limits.get(name));
            if let (Some(request), Some(limit)) = (request, limit)
                && request > limit
            {
                let message = format!("the request of {request} is above the limit of {limit}");
                errors.push(problem(Path::root("requests").key(name).to_pointer(), message));
            }
            let text = |texts: &BTreeMap<String, String>| texts.get(name).cloned();
            let limit = text(&settings.limits).zip(limit.cloned());
            if request.is_some() || limit.is_some() {
                resources.push(Resource { name, request: text(&settings.requests), limit });
            }
        }
        let module = Self { resources, init_containers: settings.init_containers };
        if errors.is_empty() { Ok(module) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        let lists: &[&str] = if self.init_containers { &["initContainers", "containers"] } else { &["containers"] };
        let of = |list: &&str, resource: &Resource| {
            let path =
                |side: Side| PathPattern(format!("spec.{list}[*].resources.{}[{}]", side.field(), resource.name));
            let request = resource.request.as_ref().map(|_| path(Side::Request));
            request.into_iter().chain(resource.limit.as_ref().map(|_| path(Side::Limit))).collect::<Vec<_>>()
        };
        lists.iter().flat_map(|list| self.resources.iter().flat_map(move |resource| of(list, resource))).collect()
    }
}

fn amounts(
    field: &str,
    texts: &BTreeMap<String, String>,
    errors: &mut Vec<SettingsError>,
) -> BTreeMap<String, Quantity> {
    let mut amounts = BTreeMap::new();
    for (name, text) in texts {
        let pointer = Path::root(field).key(name).to_pointer();
        if !RESOURCES.contains(&name.as_str()) {
            let message = format!("{name:?} has no default: expected cpu, memory or ephemeral-storage");
            errors.push(problem(pointer, message));
            continue;
        }
        match Quantity::parse(text) {
            Ok(amount) if amount.sign().is_gt() => drop(amounts.insert(name.clone(), amount)),
            Ok(_) => errors.push(problem(pointer, "expected more than 0")),
            Err(error) => errors.push(problem(pointer, error.to_string())),
        }
    }
    amounts
}

impl Resource {
    fn set<'a>(&'a self, arena: &'a Arena, container: Node<'a>) -> Edited<'a> {
        let (request, limit) =
            (written(container, Side::Request, self.name), written(container, Side::Limit, self.name));
        if limit.is_some() {
            return Ok(container);
        }
        let put =
            |container, side: Side, value| edit::set(arena, container, &["resources", side.field(), self.name], value);
        let container = match (&self.request, request) {
            (Some(default), None) => put(container, Side::Request, Node::string(default))?,
            _ => container,
        };
        match (&self.limit, request) {
            (None, _) => Ok(container),
            (Some((default, _)), None) => put(container, Side::Limit, Node::string(default)),
            // A limit below the request would be refused.
            (Some((default, most)), Some(request)) => match Quantity::read(request) {
                Ok(amount) if amount > *most => put(container, Side::Limit, request),
                Ok(_) => put(container, Side::Limit, Node::string(default)),
                Err(_) => Ok(container),
            },
        }
    }
}

impl Mutate for SetDefaultResources {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, changeable @ Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let (arena, spec) = (subject.arena(), pod.spec());
        let is_shared = |resource: &&Resource| {
            [Side::Request, Side::Limit].iter().any(|side| written(spec, *side, resource.name).is_some())
        };
        let root = pod.map_lists(arena, changeable, |list, container| {
            let is_meant = list == ContainerList::Regular || (list == ContainerList::Init && self.init_containers);
            let resources = self.resources.iter().filter(|resource| is_meant && !is_shared(resource));
            resources.into_iter().try_fold(container, |container, resource| resource.set(arena, container))
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(settings: serde_json::Value) -> Vec<SettingsError> {
        SetDefaultResources::new(serde_json::from_value(settings).unwrap()).unwrap_err()
    }

    #[test]
    fn rejects_defaults_that_no_container_could_have() {
        let nothing = "there is nothing to set: name requests, limits or both, such as {memory: 256Mi}";
        assert_eq!(errors(serde_json::json!({})), [problem("", nothing)]);
        assert_eq!(
            errors(serde_json::json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}})),
            [problem("/requests/memory", "the request of 1Gi is above the limit of 512Mi")]
        );
        assert_eq!(
            errors(serde_json::json!({"limits": {"example.com/gpu": "1", "cpu": "0"}})),
            [
                problem("/limits/cpu", "expected more than 0"),
                problem(
                    "/limits/example.com~1gpu",
                    "\"example.com/gpu\" has no default: expected cpu, memory or ephemeral-storage"
                )
            ]
        );
    }
}
