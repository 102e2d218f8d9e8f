//! Puts environment variables into containers that do not have them.
//!
//! # What it does
//! Adds each variable of `env` to the containers whose `env` has none of this name; one that a container has keeps its
//! value, also if it is empty. Each source of `envFrom` is added to the containers that do not have an equal one. Both come
//! last: they can refer to the container's own variables as `$(NAME)`, and of sources that set the same variable the last
//! one wins. A variable of `env` stands above all sources, so one that a container has from a source only is overridden.
//!
//! Pods are changed when they are created, and in their new ephemeral containers; never mirror pods. Which ones is said by
//! the policy's `namespaces` and by the selectors of its `matchConstraints`.
//!
//! # Why
//! Proxies, time zones, trust stores and the name of the cluster are the platform's to say, and change without any manifest
//! being edited.
//!
//! # Settings
//! - `env`: the variables, as a container writes them: `name` with `value` or `valueFrom`.
//! - `envFrom`: sources of variables, as a container writes them: `configMapRef` or `secretRef`, with a `prefix` perhaps.
//!   They must exist in the pod's namespace, or say `optional: true`.
//! - `containers`: patterns of the names of containers: `web-*`. By default all.
//! - `initContainers`: whether init containers get them too, native sidecars among them; true by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: proxy }
//! spec:
//!   module: inject-env
//!   settings:
//!     env:
//!       - { name: HTTPS_PROXY, value: "http://proxy.example.com:3128" }
//!       - name: NODE_NAME
//!         valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
//!     envFrom:
//!       - configMapRef: { name: platform, optional: true }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::named::{Named, add_missing, text_of};
use super::open;
use super::targets::Targets;
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Constant, Node};
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What is put into which containers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Variables, as a container writes them; `name` is required.
    env: Vec<Constant>,
    /// Sources of variables, as a container writes them.
    env_from: Vec<Constant>,
    /// Patterns of the names of containers; all if there are none.
    containers: Vec<String>,
    /// Whether init containers get them too.
    init_containers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { env: vec![], env_from: vec![], containers: vec![], init_containers: true }
    }
}

/// See the page of `inject-env`.
#[derive(Debug)]
pub struct InjectEnv {
    env: Vec<Named>,
    env_from: Vec<Constant>,
    targets: Targets,
}

impl Module for InjectEnv {
    const ID: &'static str = "inject-env";
    const GROUP: Group = Group::Injection;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/add-env-vars-from-cm"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("inject_env.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let env = Named::read_all("/env", settings.env, &mut errors);
        for (position, variable) in env.iter().enumerate() {
            check_variable(&format!("/env/{position}"), variable, &mut errors);
        }
        for (position, source) in settings.env_from.iter().enumerate() {
            let names = ["configMapRef", "secretRef"].map(|key| source.value().get(key));
            let has_name = |reference: &serde_json::Value| {
                reference.get("name").and_then(serde_json::Value::as_str).is_some_and(|name| !name.is_empty())
            };
            let count = names.iter().flatten().filter(|reference| !reference.is_null()).count();
            if count != 1 || !names.into_iter().flatten().any(has_name) {
                let message = "expected either configMapRef or secretRef, with a name";
                errors.push(problem(format!("/envFrom/{position}"), message));
            }
        }
        if env.is_empty() && settings.env_from.is_empty() {
            errors.push(problem("", "there is nothing to add: name env, envFrom or both"));
        }
        let targets = Targets::read(settings.containers, settings.init_containers, &mut errors);
        if errors.is_empty() { Ok(Self { env, env_from: settings.env_from, targets }) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        let of = |list: &str| {
            let env = self.env.iter().map(|variable| format!("spec.{list}[*].env[name={}]", variable.name));
            let sources = (!self.env_from.is_empty()).then(|| format!("spec.{list}[*].envFrom[*]"));
            env.chain(sources).map(PathPattern).collect::<Vec<_>>()
        };
        self.targets.lists().flat_map(|list| of(list.field())).collect()
    }
}

/// What the API server would refuse a variable for.
fn check_variable(pointer: &str, variable: &Named, errors: &mut Vec<SettingsError>) {
    let is_of_name = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    if !variable.name.bytes().all(is_of_name) {
        let message = format!("{:?} can be no variable: expected one such as \"HTTPS_PROXY\"", variable.name);
        errors.push(problem(format!("{pointer}/name"), message));
    }
    let field = |key| variable.value.value().get(key).filter(|value| !value.is_null());
    if field("value").is_some_and(|value| !value.is_string()) {
        let message = "a variable's value is a text: write it in quotes";
        errors.push(problem(format!("{pointer}/value"), message));
    }
    if field("valueFrom").is_some() && !text_of(&variable.value, "value").is_empty() {
        let message = "a variable has a value or a valueFrom: leave one of them out";
        errors.push(problem(format!("{pointer}/valueFrom"), message));
    }
}

impl InjectEnv {
    fn add<'a>(&self, arena: &'a Arena, container: Node<'a>) -> Edited<'a> {
        let container = add_missing(arena, container, "env", &self.env)?;
        let present = container.items_of("envFrom");
        // The API server adds nothing to a source, so that one of an earlier round is equal.
        let missing = self.env_from.iter().map(|source| source.build(arena)).filter(|source| !present.contains(source));
        missing
            .into_iter()
            .try_fold(container, |container, source| edit::append(arena, container, &["envFrom"], source))
    }
}

impl Mutate for InjectEnv {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, changeable)) = open::pod(&subject) else { return Ok(subject.object) };
        let arena = subject.arena();
        let root = pod.map_lists(arena, changeable, |list, container| {
            if self.targets.include(list, container) { self.add(arena, container) } else { Ok(container) }
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(settings: serde_json::Value) -> Vec<SettingsError> {
        InjectEnv::new(serde_json::from_value(settings).unwrap()).unwrap_err()
    }

    #[test]
    fn rejects_variables_that_the_api_server_would_refuse() {
        assert_eq!(errors(serde_json::json!({})), [problem("", "there is nothing to add: name env, envFrom or both")]);
        assert_eq!(
            errors(serde_json::json!({
                "env": [{"name": "A=B"}, {"name": "B", "value": 7}, {"name": "C", "value": "x", "valueFrom": {}}],
                "envFrom": [{}, {"configMapRef": {"name": ""}}, {"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}],
                "containers": ["Web"]
            })),
            [
                problem("/env/0/name", "\"A=B\" can be no variable: expected one such as \"HTTPS_PROXY\""),
                problem("/env/1/value", "a variable's value is a text: write it in quotes"),
                problem("/env/2/valueFrom", "a variable has a value or a valueFrom: leave one of them out"),
                problem("/envFrom/0", "expected either configMapRef or secretRef, with a name"),
                problem("/envFrom/1", "expected either configMapRef or secretRef, with a name"),
                problem("/envFrom/2", "expected either configMapRef or secretRef, with a name"),
                problem(
                    "/containers/0",
                    "\"Web\" fits no container: expected lower-case letters, digits and `-`, with `*` for any text"
                ),
            ]
        );
    }
}
