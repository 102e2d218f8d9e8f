//! The policies in ConfigMaps: whether they are read, sound, asked, and allowed to ask.

use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Severity as Grade};
use admittance_engine::set::{Entries, PolicySet, link, rights, unreached};
use admittance_engine::unit::{CompiledUnit, compile};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::{Finding, Severity, Snapshot};
use crate::cluster::at;
use crate::cluster::webhooks::{MUTATE, VALIDATE, entry};
use crate::source::Read;
use crate::source::config_maps::unit_of;

/// What the ConfigMaps of a snapshot hold, and what the servers may not do.
#[derive(Debug, Default)]
pub struct Policies {
    set: PolicySet,
    units: Vec<Arc<CompiledUnit>>,
    broken: Vec<(String, String)>,
    unwatched: Vec<String>,
    lacking: Vec<String>,
    unasked: Option<String>,
}

/// A question to the API server's authorizer.
#[derive(Debug)]
pub struct Right {
    /// The SubjectAccessReview.
    pub review: Value,
    /// The right, for people.
    pub name: String,
}

impl Policies {
    /// Reads the ConfigMaps.
    pub fn read(snapshot: &Snapshot) -> Self {
        let watched = snapshot.watched();
        let (mut policies, mut units) = (Self::default(), Vec::<Arc<CompiledUnit>>::new());
        for object in &snapshot.config_maps {
            let namespace = at(object, "/metadata/namespace").as_str().unwrap_or_default();
            let name = format!("{namespace}/{}", at(object, "/metadata/name").as_str().unwrap_or_default());
            if !watched.iter().any(|watched| watched == namespace) {
                policies.unwatched.push(name);
                continue;
            }
            let read = serde_json::from_value::<ConfigMap>(object.clone()).map(|object| unit_of(&object));
            match read {
                Ok(Read::Unit(unit, _)) => match compile(&unit) {
                    Ok(compiled) => units.push(compiled),
                    Err(problems) => policies.broken.extend(first(&name, &problems)),
                },
                Ok(Read::Unreadable(_, reason, _)) => policies.broken.push((name, reason)),
                Ok(Read::Malformed(_, problem)) => policies.broken.push((name, problem.to_string())),
                Err(error) => policies.broken.push((name, error.to_string())),
            }
        }
        let (set, problems) = link(&units);
        let errors: Vec<Diagnostic> = problems.into_iter().filter(|problem| problem.severity == Grade::Error).collect();
        for problem in &errors {
            let file = problem.place.file.name();
            policies
                .broken
                .push((file.rsplit_once('/').map_or(file, |(unit, _)| unit).to_owned(), problem.to_string()));
        }
        Self { set, units, ..policies }
    }

    /// What the ConfigMaps hold, as far as it is sound.
    pub(super) fn units(&self) -> &[Arc<CompiledUnit>] {
        &self.units
    }

    /// What the servers must be allowed; nothing where no server is there to be asked about.
    pub fn rights(&self, snapshot: &Snapshot) -> Vec<Right> {
        let servers = snapshot.servers();
        let Some(server) = servers.first() else { return vec![] };
        let own = &snapshot.namespace;
        let account = at(server, "/spec/serviceAccountName").as_str().unwrap_or("default");
        let mut wanted: Vec<Value> = vec![];
        let mut want = |group: &str, resource: &str, namespace: &str, name: &str, verbs: &[&str]| {
            wanted.extend(verbs.iter().map(|verb| {
                json!({"verb": verb, "group": group, "resource": resource, "namespace": namespace, "name": name})
            }));
        };
        for namespace in snapshot.watched() {
            want("", "configmaps", &namespace, "", &["get", "list", "watch"]);
        }
        want("", "configmaps", own, "", &["create", "update", "delete"]);
        for resource in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
            want("admissionregistration.k8s.io", resource, "", &snapshot.name, &["get", "list", "watch"]);
        }
        want("", "namespaces", "", "", &["get", "list", "watch"]);
        for right in rights(&self.set).iter().filter(|right| right.guessed_from.is_none()) {
            for name in right.names.iter().map(String::as_str).chain(right.names.is_empty().then_some("")) {
                want(&right.group, &right.resource, &right.namespace, name, right.verbs);
            }
        }
        let right = |attributes: Value| {
            let text = |field: &str| attributes.get(field).and_then(Value::as_str).unwrap_or_default();
            let group = if text("group").is_empty() { String::new() } else { format!(".{}", text("group")) };
            let object = if text("name").is_empty() { String::new() } else { format!(" {:?}", text("name")) };
            let place = if text("namespace").is_empty() { String::new() } else { format!(" in {}", text("namespace")) };
            let name = format!("{} {}{group}{object}{place}", text("verb"), text("resource"));
            let review = json!({
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview",
                "spec": {
                    "user": format!("system:serviceaccount:{own}:{account}"),
                    "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{own}"), "system:authenticated"],
                    "resourceAttributes": attributes,
                },
            });
            Right { review, name }
        };
        let mut all: Vec<Right> = wanted.into_iter().map(right).collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all.dedup_by(|left, right| left.name == right.name);
        all
    }

    /// What the authorizer does not allow the servers, and why it could not be asked: a webhook may stand before it.
    pub fn lack(&mut self, rights: Vec<String>, unasked: Option<String>) {
        (self.lacking, self.unasked) = (rights, unasked);
    }

    pub(super) fn examine(&self, snapshot: &Snapshot, found: &mut Vec<Finding>) {
        for name in &self.unwatched {
            found.push(Finding::new(
                Severity::Medium,
                format!("the ConfigMap {name} has policies, and nobody watches its namespace"),
                "its policies do nothing",
                "move it, or add its namespace to the chart's policies.namespaces",
            ));
        }
        for (name, problem) in &self.broken {
            found.push(Finding::new(
                Severity::Medium,
                format!("the ConfigMap {name} is broken: {problem}"),
                "its last good version runs, if it has one",
                "repair it: `admittance check` says all that is wrong",
            ));
        }
        if let Some(why) = &self.unasked {
            found.push(Finding::new(
                Severity::High,
                format!("what the servers may do cannot be asked: {why}"),
                "nobody's rights can be asked about while it is so, and whether policies can ask is not known",
                "make SubjectAccessReviews possible, then look again",
            ));
        }
        let (Some(mutating), Some(validating)) =
            (snapshot.configuration(&snapshot.mutating), snapshot.configuration(&snapshot.validating))
        else {
            return;
        };
        let entries = Entries { mutate: entry(mutating, MUTATE), validate: entry(validating, VALIDATE) };
        for one in unreached(&self.set, &entries) {
            found.push(Finding::new(
                if one.is_whole { Severity::High } else { Severity::Medium },
                one.text,
                "what is not sent is not checked",
                "`admittance webhook-rules` prints the rules that all policies need, as values of the chart",
            ));
        }
        if !self.lacking.is_empty() {
            found.push(Finding::new(
                Severity::High,
                format!("the servers may not {}", self.lacking.join(", ")),
                "what policies cannot ask is an error under their failurePolicy, and what is not watched is not noticed",
                "`admittance rbac` prints the rights that policies need; the chart's rbac.rules takes them",
            ));
        }
    }
}

fn first(name: &str, problems: &[Diagnostic]) -> Option<(String, String)> {
    problems.first().map(|problem| (name.to_owned(), problem.to_string()))
}
