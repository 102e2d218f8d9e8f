//! The expressions of a policy, for whoever asks which of them were evaluated.

use super::policy::{CelPolicy, Role};
use crate::verdict::trace::List;

impl CelPolicy {
    /// All expressions: the list of the policy that each stands in, its position there, and its text.
    pub fn expressions(&self) -> Vec<(List, usize, &str)> {
        let place = |role| match role {
            Role::MatchCondition(position) => (List::MatchConditions, position),
            Role::Variable(position) => (List::Variables, position),
            Role::Validation(position) => (List::Validations, position),
            Role::Message(position) => (List::MessageExpressions, position),
            Role::AuditAnnotation(position) => (List::AuditAnnotations, position),
            Role::Mutation(position) => (List::Mutations, position),
        };
        let listed = |role| {
            let (list, position) = place(role);
            Some((list, position, self.text(role)?))
        };
        self.roles().filter_map(listed).collect()
    }
}
