//! Resource rules, and how the versions of a resource stand for each other.

use std::fmt;

use super::constraints::{MatchConstraints, MatchPolicy, NameSource, UnknownVersions};
use crate::kubernetes::kinds::Kinds;
use crate::review::{GroupVersionResource, Operation, Review};
use crate::rule::Resources;
use crate::verdict::PolicyError;

/// Operations on resources (`NamedRuleWithOperations`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRule {
    /// API groups; the core group is empty.
    pub groups: Names,
    /// Versions.
    pub versions: Names,
    /// Operations.
    pub operations: Operations,
    /// Resources and subresources.
    pub resources: Vec<ResourcePattern>,
    /// Names of objects; an empty list means every name.
    pub names: Vec<String>,
    /// Where the objects live.
    pub scope: Scope,
}

/// Some names, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// `*`
    Any,
    /// These.
    Only(Vec<String>),
}

/// A set of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operations(u8);

/// `pods`, `pods/log`, `pods/*`, `*`, `*/scale`, `*/*`: None stands for `*`. The resource itself is its subresource `""`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourcePattern {
    /// `pods`
    pub resource: Option<String>,
    /// `log`
    pub subresource: Option<String>,
}

/// `scope`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// `*`
    #[default]
    Any,
    /// Objects outside of namespaces; Namespaces are among them.
    Cluster,
    /// Objects in namespaces.
    Namespaced,
}

/// What of a request a rule does not fit, from the coarsest to the finest: the closest rule is the one that fails last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The API group.
    Group,
    /// The resource or subresource.
    Resource,
    /// The operation.
    Operation,
    /// The version.
    Version,
    /// Namespaced or not.
    Scope,
    /// The object's name.
    Name,
}

/// What the rules say about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Matches,
    /// The API server would convert the object into a version that is not at hand.
    OtherVersion(PolicyError),
    Misses(Aspect),
}

/// What the excluding rules say about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exclusion {
    No,
    By(usize),
    /// It depends on whether the cluster serves a version that this table does not know.
    Unknown(PolicyError),
}

/// The one built-in resource that two groups serve, each in one version; the API server takes them for equivalent because
/// it stores both in one place.
const EVENTS: [GroupVersionResource<'static>; 2] = [
    GroupVersionResource { group: "", version: "v1", resource: "events" },
    GroupVersionResource { group: "events.k8s.io", version: "v1", resource: "events" },
];

/// The same resource under its other group.
fn twin(group: &str, resource: &str) -> Option<GroupVersionResource<'static>> {
    match group {
        "" | "events.k8s.io" if resource == "events" => EVENTS.into_iter().find(|twin| twin.group != group),
        _ => None,
    }
}

/// The other group that serves what a rule about `group` and `pattern` names, if there is one.
pub(super) fn twin_group(group: &str, pattern: &ResourcePattern) -> Option<GroupVersionResource<'static>> {
    twin(group, pattern.resource.as_deref().unwrap_or("events"))
}

impl MatchConstraints {
    /// Whether one of the rules fits the request as it was sent; selectors and exclusions are not asked.
    pub fn fits_rules(&self, review: &Review<'_>) -> bool {
        matches!(self.decide(review), Decision::Matches)
    }

    /// Whether the rules fit, as the API server decides it for the user's own request; and if they do, whether they also
    /// fit the version that was sent.
    ///
    /// Of another version of the same resource nobody here can know whether the cluster serves it: it is taken for served,
    /// because an error is seen and a policy that stays silent is not.
    pub(super) fn decide(&self, review: &Review<'_>) -> Decision {
        if self.resource_rules.is_empty() {
            return Decision::Matches;
        }
        let (asked, sent) = (review.request_resource, review.resource);
        let fit = |resource| any_fits(&self.resource_rules, &|rule| rule.fit(resource, review, self.names));
        let fits_sent = fit(sent);
        let fits_asked = if asked == sent { fits_sent } else { fit(asked) };
        match (fits_asked, fits_sent) {
            (Err(miss), _) if self.match_policy == MatchPolicy::Exact => Decision::Misses(miss),
            (Err(miss), Err(_)) if self.unknown_versions == UnknownVersions::NotServed => Decision::Misses(miss),
            (_, Ok(())) => Decision::Matches,
            (Ok(()), Err(_)) => Decision::OtherVersion(wrong_version(asked.group, asked.version, sent)),
            (Err(miss), Err(_)) => {
                let equivalent = self.resource_rules.iter().find_map(|rule| rule.equivalent(asked, review, self.names));
                equivalent.map_or(Decision::Misses(miss), |(group, version)| {
                    Decision::OtherVersion(wrong_version(group, version, sent))
                })
            }
        }
    }

    /// The positions of the rules that fit the request as it was sent.
    pub fn fitting(&self, review: &Review<'_>) -> impl Iterator<Item = usize> {
        let fits = |rule: &ResourceRule| rule.fit(review.resource, review, self.names).is_ok();
        self.resource_rules.iter().enumerate().filter(move |(_, rule)| fits(rule)).map(|(position, _)| position)
    }

    /// Whether a rule excludes the request. Other versions count where the table knows that they are served; of those that
    /// it does not know (the kinds of CustomResourceDefinitions, above all) nothing can be said.
    pub(super) fn excludes(&self, review: &Review<'_>, kinds: &Kinds) -> Exclusion {
        let (asked, sent) = (review.request_resource, review.resource);
        let mut unknown = None;
        for (position, rule) in self.exclude_resource_rules.iter().enumerate() {
            let fits = |resource| rule.fit(resource, review, self.names).is_ok();
            if fits(asked) {
                return Exclusion::By(position);
            }
            if self.match_policy == MatchPolicy::Exact {
                continue;
            }
            let served = |group, resource| {
                kinds.by_resource(group, resource).iter().any(|kind| {
                    kind.is_default
                        && kind.has(review.subresource)
                        && fits(GroupVersionResource { group, version: kind.version, resource })
                })
            };
            let twin_served =
                || twin(asked.group, asked.resource).is_some_and(|twin| served(twin.group, twin.resource));
            if self.unknown_versions == UnknownVersions::NotServed {
                if fits(sent) {
                    return Exclusion::By(position);
                }
                continue;
            }
            if fits(sent) || served(asked.group, asked.resource) || twin_served() {
                return Exclusion::By(position);
            }
            if unknown.is_none()
                && let Some((group, version)) = rule.equivalent(asked, review, self.names)
            {
                unknown = Some(wrong_version(group, version, sent));
            }
        }
        unknown.map_or(Exclusion::No, Exclusion::Unknown)
    }
}

/// Whether one of the rules fits; if none does, what the closest one misses.
fn any_fits(rules: &[ResourceRule], fit: &dyn Fn(&ResourceRule) -> Result<(), Aspect>) -> Result<(), Aspect> {
    let mut closest = Aspect::Group;
    for rule in rules {
        match fit(rule) {
            Ok(()) => return Ok(()),
            Err(aspect) => closest = closest.max(aspect),
        }
    }
    Err(closest)
}

fn wrong_version(group: &str, version: &str, sent: GroupVersionResource<'_>) -> PolicyError {
    let name = |group: &str, version: &str| {
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
    };
    PolicyError::WrongVersion { needed: name(group, version), sent: name(sent.group, sent.version) }
}

impl ResourceRule {
    /// The rule of a module's row: every version, scope and name.
    pub(super) fn of_module(resources: &Resources) -> Self {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            groups: if resources.groups.contains(&"*") { Names::Any } else { Names::Only(owned(resources.groups)) },
            versions: Names::Any,
            operations: resources.operations.iter().copied().collect(),
            resources: resources.resources.iter().map(|resource| ResourcePattern::new(resource)).collect(),
            names: vec![],
            scope: Scope::Any,
        }
    }

    /// Whether the rule fits the request when it is about `resource`.
    pub(super) fn fit(
        &self,
        resource: GroupVersionResource<'_>,
        review: &Review<'_>,
        names: NameSource,
    ) -> Result<(), Aspect> {
        if !self.groups.has(resource.group) {
            return Err(Aspect::Group);
        }
        self.fit_below_group(resource, review)?;
        if !self.versions.has(resource.version) {
            return Err(Aspect::Version);
        }
        self.fit_object(resource, review, names)
    }

    /// The version that the rule names of the requested resource, if it fits it in all but group and version.
    fn equivalent<'r>(
        &'r self,
        asked: GroupVersionResource<'r>,
        review: &Review<'_>,
        names: NameSource,
    ) -> Option<(&'r str, &'r str)> {
        self.fit_below_group(asked, review).ok()?;
        let version = if self.groups.has(asked.group) {
            (asked.group, self.versions.first()?)
        } else {
            let twin = twin(asked.group, asked.resource).filter(|twin| self.groups.has(twin.group))?;
            (twin.group, self.versions.first().unwrap_or(twin.version))
        };
        self.fit_object(asked, review, names).ok()?;
        Some(version)
    }

    fn fit_below_group(&self, resource: GroupVersionResource<'_>, review: &Review<'_>) -> Result<(), Aspect> {
        if !self.resources.iter().any(|pattern| pattern.has(resource.resource, review.subresource)) {
            return Err(Aspect::Resource);
        }
        if self.operations.has(review.operation) { Ok(()) } else { Err(Aspect::Operation) }
    }

    fn fit_object(
        &self,
        resource: GroupVersionResource<'_>,
        review: &Review<'_>,
        names: NameSource,
    ) -> Result<(), Aspect> {
        // The namespace in a request about a Namespace is its own name.
        let is_cluster_scoped = review.namespace.is_empty()
            || (resource.group.is_empty() && resource.version == "v1" && resource.resource == "namespaces");
        let scope_fits = match self.scope {
            Scope::Any => true,
            Scope::Cluster => is_cluster_scoped,
            Scope::Namespaced => !is_cluster_scoped,
        };
        if !scope_fits {
            return Err(Aspect::Scope);
        }
        if self.names.is_empty() {
            return Ok(());
        }
        let name = match names {
            NameSource::Request => review.name,
            NameSource::Object => review.object_name(),
        };
        if self.names.iter().any(|wanted| wanted == name) { Ok(()) } else { Err(Aspect::Name) }
    }
}

impl Names {
    /// Whether it is one of them.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.iter().any(|known| known == name),
        }
    }

    fn first(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::Only(names) => names.first().map(String::as_str),
        }
    }
}

impl Operations {
    /// All four.
    pub const ALL: Self = Self(0b1111);

    fn bit(operation: Operation) -> u8 {
        match operation {
            Operation::Create => 1,
            Operation::Update => 2,
            Operation::Delete => 4,
            Operation::Connect => 8,
        }
    }

    /// Whether `operation` is one of them.
    pub fn has(self, operation: Operation) -> bool {
        self.0 & Self::bit(operation) != 0
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        Self(operations.into_iter().fold(0, |bits, operation| bits | Self::bit(operation)))
    }
}

impl ResourcePattern {
    /// Reads `pods/log`; every text is a pattern.
    pub fn new(text: &str) -> Self {
        let (resource, subresource) = text.split_once('/').unwrap_or((text, ""));
        let name = |text: &str| (text != "*").then(|| text.to_owned());
        Self { resource: name(resource), subresource: name(subresource) }
    }

    fn has(&self, resource: &str, subresource: &str) -> bool {
        self.resource.as_deref().is_none_or(|known| known == resource)
            && self.subresource.as_deref().is_none_or(|known| known == subresource)
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Group => "group",
            Self::Resource => "resource",
            Self::Operation => "operation",
            Self::Version => "version",
            Self::Scope => "scope",
            Self::Name => "name",
        })
    }
}
