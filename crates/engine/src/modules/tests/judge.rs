//! A pipeline in small: as much of matching, actions and `existing` as cases need.

use serde_json::{Value, json};

use super::cases::{Case, documents};
use super::run::{build, review, run};
use crate::json::{Arena, Constant, Node};
use crate::kubernetes::kinds::Kinds;
use crate::matching::{MatchConstraints, NamespaceGlobs, Outcome, matches};
use crate::modules::{Built, ModuleEntry, find};
use crate::review::{Answer, Lookup, Lookups, Operation, Review, Subject};
use crate::verdict::Finding;

/// What became of a case.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) is_denied: bool,
    pub(super) findings: Vec<Value>,
    pub(super) warnings: Vec<String>,
    pub(super) errors: Vec<String>,
    pub(super) object: Value,
}

struct Policy {
    name: String,
    module: &'static ModuleEntry,
    built: Built,
    constraints: MatchConstraints,
    globs: NamespaceGlobs,
    denies_existing: bool,
    actions: Vec<String>,
}

impl Policy {
    fn read(document: &Value) -> Self {
        let spec = &document["spec"];
        let id = spec["module"].as_str().unwrap();
        let module = find(id).unwrap_or_else(|| panic!("no module {id}"));
        let constraints = MatchConstraints::for_module(&module.applies, module.mutates);
        let own = spec.get("matchConstraints").cloned().unwrap_or_else(|| json!({}));
        let globs = spec.get("namespaces").cloned().unwrap_or_else(|| json!({}));
        let actions = spec.get("actions").cloned().unwrap_or_else(|| json!(["Deny"]));
        Self {
            name: document["metadata"]["name"].as_str().unwrap().to_owned(),
            module,
            built: build(module, &spec["settings"]),
            constraints: constraints.overridden_by(&serde_json::from_value(own).unwrap()).unwrap(),
            globs: NamespaceGlobs::new(&serde_json::from_value(globs).unwrap()).unwrap(),
            denies_existing: spec["existing"] == "Deny",
            actions: serde_json::from_value(actions).unwrap(),
        }
    }

    fn findings_in_stored(&self, review: &Review<'_>) -> Vec<Finding> {
        match review.old_object().unwrap() {
            Some(stored) if review.operation == Operation::Update && !self.denies_existing && !self.module.mutates => {
                run(&self.built, self.module.public, review, stored).unwrap().1.findings
            }
            _ => vec![],
        }
    }
}

/// The namespace of the case, or one of the right name.
struct Namespaces<'c>(&'c Value);

impl Lookups for Namespaces<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let Lookup::Namespace(name) = lookup;
        let given = Some(self.0).filter(|given| !given.is_null()).cloned();
        let namespace = given.unwrap_or_else(|| json!({"metadata": {"labels": {"kubernetes.io/metadata.name": name}}}));
        Answer::Found(Constant::from(namespace).build(arena))
    }
}

/// Runs `documents`, mutating ones first, on the request of a case.
pub(super) fn judge(policies: &str, case: &Case) -> Judged {
    let arena = Arena::with_limit(1 << 24);
    let review = review(&arena, &case.request, &case.object, &case.old_object);
    let kinds = Kinds::built_in();
    let mut policies: Vec<Policy> = documents(policies).iter().map(Policy::read).collect();
    policies.sort_by_key(|policy| !policy.module.mutates);
    let mut root: Node<'_> = review.judged().unwrap();
    let mut judged = Judged::default();
    for policy in &policies {
        let subject = Subject { object: root, old_object: review.old_object().unwrap(), review: &review };
        let namespaces = Namespaces(&case.request.namespace_object);
        match matches(&policy.constraints, &policy.globs, subject, &namespaces, &kinds) {
            Outcome::Matched => {}
            Outcome::NotMatched(_) => continue,
            other => panic!("{other:?}"),
        }
        let stored = policy.findings_in_stored(&review);
        match run(&policy.built, policy.module.public, &review, root) {
            Ok((new_root, reported)) => {
                root = new_root;
                for finding in reported.findings {
                    if stored.iter().any(|other| other.is_same(&finding)) {
                        continue;
                    }
                    judged.is_denied |= policy.actions.iter().any(|action| action == "Deny");
                    let (name, path, message) = (&policy.name, finding.path.to_string(), finding.message);
                    if policy.actions.iter().any(|action| action == "Warn") {
                        judged.warnings.push(format!("{name}: {path}: {message}"));
                    }
                    judged.findings.push(json!({"policy": name, "path": path, "message": message}));
                }
            }
            Err(error) => {
                judged.is_denied = true;
                judged.errors.push(format!("{}: {error}", policy.name));
            }
        }
    }
    judged.object = serde_json::to_value(root).unwrap();
    judged
}
