//! What matching says, and why.

use super::constraints::MatchConstraints;
use super::rules::Aspect;
use crate::review::Lookup;
use crate::verdict::PolicyError;

/// Whether a policy judges a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Matched,
    /// It does not.
    NotMatched(Reason),
    /// It cannot be known: an evaluation error under the policy's failurePolicy.
    Error(PolicyError),
    /// It depends on the answer to this question.
    Needs(Lookup<'static>),
}

/// Why a policy does not judge a request. Numbers are positions in the lists of its [`MatchConstraints`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No resource rule fits; of the closest one this does not.
    NoRule(Aspect),
    /// This rule of excludeResourceRules fits.
    Excluded(usize),
    /// `namespaces.include` does not name the namespace.
    NotIncluded,
    /// This pattern of `namespaces.exclude` names the namespace.
    NamespaceExcluded(usize),
    /// Neither the new object nor the stored one satisfies this requirement of the object selector (the new one is
    /// meant where the two fail different ones).
    ObjectSelector(usize),
    /// There is an object selector, and nothing in the request has labels.
    NoLabels,
    /// The namespace does not satisfy this requirement of the namespace selector.
    NamespaceSelector(usize),
}

impl Reason {
    /// A sentence for people, without the names of anything in the object.
    pub fn explain(self, constraints: &MatchConstraints) -> String {
        let requirement = |selector: &super::LabelSelector, position: usize| {
            selector.requirements().get(position).map(ToString::to_string).unwrap_or_default()
        };
        match self {
            Self::NoRule(aspect) => format!("no resource rule names the request's {aspect}"),
            Self::Excluded(rule) => format!("excludeResourceRules[{rule}] excludes the request"),
            Self::NotIncluded => "namespaces.include does not name the namespace".to_owned(),
            Self::NamespaceExcluded(pattern) => format!("namespaces.exclude[{pattern}] names the namespace"),
            Self::ObjectSelector(position) => {
                format!("the object does not satisfy `{}`", requirement(&constraints.object_selector, position))
            }
            Self::NoLabels => "there is an objectSelector, and what is sent has no labels".to_owned(),
            Self::NamespaceSelector(position) => {
                format!("the namespace does not satisfy `{}`", requirement(&constraints.namespace_selector, position))
            }
        }
    }
}
