//! Why a policy does not match, with what was compared: for explanations.

use super::constraints::MatchConstraints;
use super::namespaces::NamespaceGlobs;
use super::outcome::Reason;
use super::rules::{Aspect, Names, ResourceRule, Scope};
use super::selectors::{LabelSelector, Requirement};
use super::{is_write, labels_of};
use crate::json::Node;
use crate::review::{Answer, GroupVersionResource, Lookup, Lookups, Operation, Subject};
use crate::verdict::trace::Compared;

/// Which part of the match constraints decided, and what was compared there.
pub fn compare(
    reason: Reason,
    constraints: &MatchConstraints,
    globs: &NamespaceGlobs,
    subject: Subject<'_, '_>,
    lookups: &dyn Lookups,
) -> (String, Option<Compared>) {
    let review = subject.review;
    let selected = |selector: &LabelSelector, position: usize, labels: Node<'_>| {
        selector.requirements().get(position).map(|requirement| label(requirement, labels))
    };
    match reason {
        Reason::NoRule(aspect) => ("resourceRules".to_owned(), Some(ruled(aspect, constraints, subject))),
        Reason::Excluded(rule) => (format!("excludeResourceRules[{rule}]"), None),
        Reason::NotIncluded => {
            let wanted = globs.included().join(", ");
            ("namespaces.include".to_owned(), Some(namespace(wanted, subject)))
        }
        Reason::NamespaceExcluded(pattern) => {
            let wanted = format!("not {}", globs.excluded().get(pattern).map_or("", String::as_str));
            (format!("namespaces.exclude[{pattern}]"), Some(namespace(wanted, subject)))
        }
        Reason::ObjectSelector(position) => {
            ("objectSelector".to_owned(), selected(&constraints.object_selector, position, labels_of(subject.object)))
        }
        Reason::NoLabels => ("objectSelector".to_owned(), None),
        Reason::NamespaceSelector(position) => {
            let is_own = review.request_resource.resource == "namespaces" && review.subresource.is_empty();
            let labels = match subject.old_object.filter(|_| !is_write(review)) {
                _ if is_own && is_write(review) => labels_of(subject.object),
                Some(stored) if is_own => labels_of(stored),
                _ => match lookups.answer(&Lookup::Namespace(review.namespace.into()), subject.arena()) {
                    Answer::Found(namespace) => labels_of(namespace),
                    _ => Node::NULL,
                },
            };
            ("namespaceSelector".to_owned(), selected(&constraints.namespace_selector, position, labels))
        }
    }
}

/// What the rules that come closest want of the request.
fn ruled(aspect: Aspect, constraints: &MatchConstraints, subject: Subject<'_, '_>) -> Compared {
    let review = subject.review;
    let (asked, sent) = (review.request_resource, review.resource);
    let is_close = |rule: &&ResourceRule| {
        let fails = |resource| rule.fit(resource, review, constraints.names) == Err(aspect);
        fails(asked) || fails(sent)
    };
    let mut wanted: Vec<String> = vec![];
    for rule in constraints.resource_rules.iter().filter(is_close) {
        for name in wants(aspect, rule) {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
    }
    Compared { what: aspect.to_string(), wanted: wanted.join(", "), found: found(aspect, asked, constraints, subject) }
}

fn wants(aspect: Aspect, rule: &ResourceRule) -> Vec<String> {
    let names = |names: &Names| match names {
        Names::Any => vec!["*".to_owned()],
        Names::Only(names) => names.iter().map(|name| core(name).to_owned()).collect(),
    };
    match aspect {
        Aspect::Group => names(&rule.groups),
        Aspect::Version => names(&rule.versions),
        Aspect::Resource => rule.resources.iter().map(ToString::to_string).collect(),
        Aspect::Operation => {
            let all = Operation::ALL.iter().filter(|operation| rule.operations.has(**operation));
            all.map(ToString::to_string).collect()
        }
        Aspect::Scope => vec![match rule.scope {
            Scope::Any => "*".to_owned(),
            Scope::Cluster => "Cluster".to_owned(),
            Scope::Namespaced => "Namespaced".to_owned(),
        }],
        Aspect::Name => rule.names.clone(),
    }
}

fn found(
    aspect: Aspect,
    asked: GroupVersionResource<'_>,
    constraints: &MatchConstraints,
    subject: Subject<'_, '_>,
) -> String {
    let review = subject.review;
    match aspect {
        Aspect::Group => core(asked.group).to_owned(),
        Aspect::Version => asked.version.to_owned(),
        Aspect::Resource if review.subresource.is_empty() => asked.resource.to_owned(),
        Aspect::Resource => format!("{}/{}", asked.resource, review.subresource),
        Aspect::Operation => review.operation.to_string(),
        Aspect::Scope if review.namespace.is_empty() || asked.resource == "namespaces" => "Cluster".to_owned(),
        Aspect::Scope => "Namespaced".to_owned(),
        Aspect::Name => match constraints.names {
            super::NameSource::Request => review.name.to_owned(),
            super::NameSource::Object => review.object_name().to_owned(),
        },
    }
}

/// The core group has no name.
fn core(group: &str) -> &str {
    if group.is_empty() { "core" } else { group }
}

fn namespace(wanted: String, subject: Subject<'_, '_>) -> Compared {
    let review = subject.review;
    let found = if review.resource.resource == "namespaces" { review.object_name() } else { review.namespace };
    Compared { what: "namespace".to_owned(), wanted, found: found.to_owned() }
}

fn label(requirement: &Requirement, labels: Node<'_>) -> Compared {
    let found = match labels.get(&requirement.key) {
        Some(value) => format!("{}={}", requirement.key, value.as_str().unwrap_or_default()),
        None => format!("no label {}", requirement.key),
    };
    Compared { what: format!("label {}", requirement.key), wanted: requirement.to_string(), found }
}
