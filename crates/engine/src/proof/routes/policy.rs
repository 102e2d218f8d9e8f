//! A policy as this room sees it: all of its bindings together, and the fields that it decides by.

use super::modules::{DECLARED, Declared};
use super::path::FieldPath;
use super::{Gap, Named, Severity, Sort};
use crate::kubernetes::kinds::{Kind, Kinds, Scope as Lives};
use crate::matching::{MatchConstraints, Names, Operations, ResourcePattern, Scope};
use crate::policy::Head;
use crate::review::Operation;
use crate::rule::{Applies, PathPattern, Reads};
use crate::set::{PolicySet, WebhookRule};

/// The lists of containers of a pod.
pub(super) const CONTAINERS: [&str; 3] =
    ["spec.initContainers[*]", "spec.containers[*]", "spec.ephemeralContainers[*]"];

/// What containers of pods have, and ephemeral ones cannot (core/validation, `allowedEphemeralContainerFields`).
pub(super) const NOT_IN_EPHEMERAL: [&str; 8] = [
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resizePolicy",
    "resources",
    "restartPolicy",
    "startupProbe",
];

/// Where pods and templates of pods stand: group, resource, and the path to the template.
pub(super) const CARRIERS: [(&str, &str, &str); 9] = [
    ("", "pods", ""),
    ("", "podtemplates", "template"),
    ("", "replicationcontrollers", "spec.template"),
    ("apps", "daemonsets", "spec.template"),
    ("apps", "deployments", "spec.template"),
    ("apps", "replicasets", "spec.template"),
    ("apps", "statefulsets", "spec.template"),
    ("batch", "cronjobs", "spec.jobTemplate.spec.template"),
    ("batch", "jobs", "spec.template"),
];

/// A policy.
pub(super) struct Policy<'s> {
    pub named: Named,
    /// Of each binding.
    pub heads: Vec<&'s Head>,
    pub module: Option<&'static str>,
    pub reads: Reads,
    declared: Declared,
}

/// A resource that a policy is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Governed<'k> {
    pub group: &'k str,
    pub resource: &'k str,
    pub kind: Option<&'k Kind>,
}

impl<'s> Policy<'s> {
    /// Those of a set, by name.
    pub(super) fn all(set: &'s PolicySet) -> Vec<Self> {
        let mutators = set.mutators().iter().map(|mutator| (&mutator.head, true, mutator.rule.reads()));
        let validators = set.validators().iter().map(|validator| (&validator.head, false, validator.rule.reads()));
        let mut all: Vec<Self> = vec![];
        for (head, mutates, reads) in mutators.chain(validators) {
            let origin = &head.origin;
            let same = |policy: &&mut Self| policy.named.name == origin.policy && policy.named.mutates == mutates;
            if let Some(policy) = all.iter_mut().find(same) {
                policy.heads.push(head);
                continue;
            }
            let declared = DECLARED.iter().find(|row| Some(row.id) == origin.module).copied().unwrap_or_default();
            let named = Named { name: origin.policy.clone(), mutates, unit: origin.unit.clone(), line: origin.line };
            all.push(Self { named, heads: vec![head], module: origin.module, reads, declared });
        }
        all.sort_by(|left, right| left.named.cmp(&right.named));
        all
    }

    /// Whether changes alone are judged.
    pub(super) fn judges_changes(&self) -> bool {
        self.declared.changes || (self.reads.old && !self.may_see(Operation::Create))
    }

    /// Whether what is created alone is judged.
    pub(super) fn judges_creation(&self) -> bool {
        self.declared.creation
    }

    /// The module's default rules name a subresource that ends so.
    pub(super) fn takes(&self, subresource: &str) -> bool {
        let Some(module) = self.module.and_then(crate::modules::find) else { return true };
        match module.applies {
            Applies::Pods => false,
            Applies::To(rows) => {
                rows.iter().any(|row| row.resources.iter().any(|resource| resource.ends_with(subresource)))
            }
        }
    }

    /// The fields of objects of a resource that it decides by, and those of which only the presence counts.
    pub(super) fn fields(&self, group: &str, resource: &str) -> (Vec<FieldPath>, Vec<FieldPath>) {
        let parse = |paths: &[PathPattern]| paths.iter().map(|path| FieldPath::parse(&path.0)).collect();
        if let Some(fields) = &self.reads.fields {
            return (parse(fields), parse(&self.reads.presence));
        }
        let mut fields: Vec<FieldPath> = self.declared.fields.iter().map(|text| FieldPath::parse(text)).collect();
        if let Some(template) = template(group, resource) {
            fields.extend(self.pod_fields().iter().map(|field| template.join(field)));
        }
        fields.sort();
        fields.dedup();
        (fields, vec![])
    }

    /// What a module looks at in pods.
    fn pod_fields(&self) -> Vec<FieldPath> {
        let of_containers = |text: &str| text.strip_prefix("containers[*]").map(ToOwned::to_owned);
        let all = self.declared.pods.iter().flat_map(|text| match of_containers(text) {
            Some(field) => {
                let name = field.trim_start_matches('.');
                let has = |list: &&&str| !(list.contains("ephemeral") && NOT_IN_EPHEMERAL.contains(&name));
                CONTAINERS.iter().filter(has).map(|list| FieldPath::parse(&format!("{list}{field}"))).collect()
            }
            None => vec![FieldPath::parse(text)],
        });
        all.collect()
    }

    /// Whether requests of this sort reach it, by its own match constraints.
    pub(super) fn sees(&self, group: &str, request: &str, operation: Operation, lives: Option<Lives>) -> bool {
        self.heads.iter().any(|head| {
            fits(&head.constraints, group, request, operation, lives)
                && head.binding.as_ref().is_none_or(|binding| fits(binding, group, request, operation, lives))
        })
    }

    /// Whether some rule names the operation.
    pub(super) fn may_see(&self, operation: Operation) -> bool {
        let names = |head: &&Head| {
            let rules = &head.constraints.resource_rules;
            rules.is_empty() || rules.iter().any(|rule| rule.operations.has(operation))
        };
        self.heads.iter().any(names)
    }

    /// The resources that it is asked about, each once: built-in ones that are served, and those that it names besides.
    pub(super) fn governed<'k>(&'k self, kinds: &'k Kinds, operations: &[Operation]) -> Vec<Governed<'k>> {
        let mut all: Vec<Governed<'k>> = vec![];
        for kind in kinds.rows().iter().filter(|kind| kind.is_default) {
            let own = kind.subresources.iter().filter(|sub| sub.kind.is_none_or(|(_, kind)| kind == "Scale"));
            let requests = std::iter::once(kind.resource.to_owned())
                .chain(own.map(|sub| format!("{}/{}", kind.resource, sub.name)));
            let is_seen = |request: String| {
                operations.iter().any(|operation| self.sees(kind.group, &request, *operation, Some(kind.scope)))
            };
            let is_known = all.iter().any(|known| (known.group, known.resource) == (kind.group, kind.resource));
            if !is_known && requests.into_iter().any(is_seen) {
                all.push(Governed { group: kind.group, resource: kind.resource, kind: Some(kind) });
            }
        }
        for rule in self.heads.iter().flat_map(|head| &head.constraints.resource_rules) {
            for (group, pattern) in rule
                .groups
                .texts()
                .into_iter()
                .flat_map(|group| rule.resources.iter().map(move |pattern| (group, pattern)))
            {
                let Some(resource) = pattern.resource.as_deref() else { continue };
                let is_built_in = group == "*" || kinds.rows().iter().any(|kind| kind.group == group);
                let is_known = all.iter().any(|known| (known.group, known.resource) == (group, resource));
                let is_seen = || operations.iter().any(|operation| self.sees(group, resource, *operation, None));
                if !is_built_in && !is_known && is_seen() {
                    all.push(Governed { group, resource, kind: None });
                }
            }
        }
        all
    }

    /// Whether a rule names this resource, or the gap is only one of a rule for all.
    pub(super) fn names(&self, resource: &str) -> bool {
        let rules = self.heads.iter().flat_map(|head| &head.constraints.resource_rules);
        rules.flat_map(|rule| &rule.resources).any(|pattern| pattern.resource.as_deref() == Some(resource))
    }

    /// Whether it is asked about pods that are made.
    pub(super) fn sees_new_pods(&self) -> bool {
        self.sees("", "pods", Operation::Create, Some(Lives::Namespaced))
    }

    /// A gap of this policy.
    pub(super) fn gap(&self, severity: Severity, sort: Sort, route: String) -> Gap {
        let (changes, why, add) = (vec![], String::new(), vec![]);
        Gap { policy: Some(self.named.clone()), severity, sort, route, changes, why, add }
    }
}

fn fits(
    constraints: &MatchConstraints,
    group: &str,
    request: &str,
    operation: Operation,
    lives: Option<Lives>,
) -> bool {
    let wanted = ResourcePattern::new(request);
    let only = Names::Only(vec![group.to_owned()]);
    let covers = |rule: &crate::matching::ResourceRule| {
        rule.groups.cover(&only)
            && rule.resources.iter().any(|pattern| pattern.covers(&wanted))
            && rule.operations.has(operation)
            && !matches!(
                (rule.scope, lives),
                (Scope::Cluster, Some(Lives::Namespaced)) | (Scope::Namespaced, Some(Lives::Cluster))
            )
    };
    let rules = &constraints.resource_rules;
    let is_excluded = constraints.exclude_resource_rules.iter().any(|rule| rule.names.is_empty() && covers(rule));
    (rules.is_empty() || rules.iter().any(covers)) && !is_excluded
}

/// The path to the template of pods in a resource; empty for pods.
pub(super) fn template(group: &str, resource: &str) -> Option<FieldPath> {
    let is_it = |carrier: &&(&str, &str, &str)| (carrier.0, carrier.1) == (group, resource);
    CARRIERS.iter().find(is_it).map(|(_, _, path)| FieldPath::parse(path))
}

/// The rules for these requests, as YAML: one for each group and set of operations.
pub(super) fn rules_for(requests: &[(String, String, Operation)], kinds: &Kinds) -> Vec<String> {
    let mut rules: Vec<WebhookRule> = vec![];
    for (group, request, operation) in requests {
        let resource = request.split('/').next().unwrap_or_default();
        let served = kinds.by_resource(group, resource).iter().filter(|kind| kind.is_default);
        let version = served.max_by_key(|kind| kind.is_preferred).map_or("*", |kind| kind.version).to_owned();
        let one: Operations = [*operation].into_iter().collect();
        let groups = vec![group.clone()];
        let same = rules
            .iter_mut()
            .find(|rule| rule.groups == groups && rule.version == version && rule.resources == [request.as_str()]);
        match same {
            Some(rule) => rule.operations = rule.operations.or(one),
            None => rules.push(WebhookRule {
                operations: one,
                groups,
                version,
                resources: vec![request.clone()],
                scope: Scope::Any,
                policies: vec![],
            }),
        }
    }
    let mut joined: Vec<WebhookRule> = vec![];
    for rule in rules {
        let same = joined.iter_mut().find(|known| {
            (&known.groups, &known.version, known.operations) == (&rule.groups, &rule.version, rule.operations)
        });
        match same {
            Some(known) => known.resources.extend(rule.resources),
            None => joined.push(rule),
        }
    }
    joined.iter().map(WebhookRule::to_string).collect()
}

/// `CREATE and UPDATE of pods, deployments; UPDATE of pods/resize`
pub(super) fn said(requests: &[(String, String, Operation)]) -> String {
    let mut by_request: Vec<(&str, Operations)> = vec![];
    for (_, request, operation) in requests {
        let one: Operations = [*operation].into_iter().collect();
        match by_request.iter_mut().find(|(known, _)| *known == request.as_str()) {
            Some((_, operations)) => *operations = operations.or(one),
            None => by_request.push((request.as_str(), one)),
        }
    }
    let mut by_operations: Vec<(Operations, Vec<&str>)> = vec![];
    for (request, operations) in by_request {
        match by_operations.iter_mut().find(|(known, _)| *known == operations) {
            Some((_, requests)) => requests.push(request),
            None => by_operations.push((operations, vec![request])),
        }
    }
    let texts = by_operations.iter().map(|(operations, requests)| {
        let operations: Vec<&str> = operations.iter().map(Operation::as_str).collect();
        format!("{} of {}", operations.join(" and "), requests.join(", "))
    });
    texts.collect::<Vec<_>>().join("; ")
}
