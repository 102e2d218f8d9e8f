//! Checked match constraints.

use super::check::{self, Problem};
use super::pod_catalogue;
use super::raw::RawMatchConstraints;
use super::rules::ResourceRule;
use super::selectors::LabelSelector;
use crate::rule::Applies;

/// Which requests a policy judges, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchConstraints {
    /// One of them must fit; an empty list fits every request (the match resources of a binding may be so).
    pub resource_rules: Vec<ResourceRule>,
    /// None of them may fit.
    pub exclude_resource_rules: Vec<ResourceRule>,
    /// Whether other versions of a resource count.
    pub match_policy: MatchPolicy,
    /// Over the labels of the request's namespace.
    pub namespace_selector: LabelSelector,
    /// Over the labels of the new or the stored object.
    pub object_selector: LabelSelector,
    /// What the resourceNames of rules are compared with.
    pub names: NameSource,
    /// What is thought of versions of a resource that nobody here knows.
    pub unknown_versions: UnknownVersions,
}

/// Whether a cluster serves versions of a resource that no table knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownVersions {
    /// Perhaps: a rule that names one is an error where it decides, because an error is seen and silence is not.
    #[default]
    Perhaps,
    /// No: a rule that names one fits nothing.
    NotServed,
}

/// `matchPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchPolicy {
    /// The rules must name the version of the user's own request.
    Exact,
    /// Any version of the same resource will do.
    #[default]
    Equivalent,
}

/// Where a request's name comes from: it is empty in a deletecollection, and with generateName.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameSource {
    /// From the request alone, as the API server has it: rules with resourceNames do not fit an empty name.
    #[default]
    Request,
    /// From the object where the request has none.
    Object,
}

impl MatchConstraints {
    /// The match constraints of a policy that brings its own: there must be a rule.
    ///
    /// # Errors
    /// All that the API server would refuse.
    pub fn of_policy(raw: &RawMatchConstraints) -> Result<Self, Vec<Problem>> {
        Self::default().with(raw, true)
    }

    /// The match resources of a binding: without a rule they fit every request.
    ///
    /// # Errors
    /// All that the API server would refuse.
    pub fn of_binding(raw: &RawMatchConstraints) -> Result<Self, Vec<Problem>> {
        Self::default().with(raw, false)
    }

    /// What a module applies to when the policy says nothing.
    pub fn for_module(applies: &Applies, is_mutator: bool) -> Self {
        let resources = match applies {
            Applies::Pods if is_mutator => pod_catalogue::MUTATED,
            Applies::Pods => pod_catalogue::VALIDATED,
            Applies::To(resources) => resources,
        };
        Self {
            resource_rules: resources.iter().map(ResourceRule::of_module).collect(),
            names: NameSource::Object,
            ..Self::default()
        }
    }

    /// Each field that is set replaces this one's, absent ones keep it.
    ///
    /// # Errors
    /// All that the API server would refuse, and an empty list of rules.
    pub fn overridden_by(self, raw: &RawMatchConstraints) -> Result<Self, Vec<Problem>> {
        self.with(raw, raw.resource_rules.is_some())
    }

    /// What is written, whatever is wrong with it: a rule that names no operation fits none.
    pub fn as_written(raw: &RawMatchConstraints) -> Self {
        Self::default().read(raw, false).0
    }

    fn with(self, raw: &RawMatchConstraints, needs_rule: bool) -> Result<Self, Vec<Problem>> {
        let (constraints, problems) = self.read(raw, needs_rule);
        problems.none_or(constraints)
    }

    fn read(mut self, raw: &RawMatchConstraints, needs_rule: bool) -> (Self, check::Problems) {
        let mut problems = check::Problems::default();
        if needs_rule && raw.resource_rules.as_ref().is_none_or(Vec::is_empty) {
            problems.add("/resourceRules", "expected at least one rule: without one the policy judges nothing");
        }
        if let Some(rules) = &raw.resource_rules {
            self.resource_rules = check::rules(rules, "/resourceRules", &mut problems);
        }
        if let Some(rules) = &raw.exclude_resource_rules {
            self.exclude_resource_rules = check::rules(rules, "/excludeResourceRules", &mut problems);
        }
        match raw.match_policy.as_deref() {
            None => {}
            Some("Exact") => self.match_policy = MatchPolicy::Exact,
            Some("Equivalent") => self.match_policy = MatchPolicy::Equivalent,
            Some(other) => {
                problems.add("/matchPolicy", format!("unknown matchPolicy {other:?}: expected Exact or Equivalent"));
            }
        }
        if let Some(selector) = &raw.namespace_selector {
            self.namespace_selector = check::selector(selector, "/namespaceSelector", &mut problems);
        }
        if let Some(selector) = &raw.object_selector {
            self.object_selector = check::selector(selector, "/objectSelector", &mut problems);
        }
        (self, problems)
    }
}
