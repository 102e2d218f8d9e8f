//! What expressions ask the authorizer, as questions to the cluster (SubjectAccessReview of authorization.k8s.io/v1).

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use crate::cel::context::{Host, Question};
use crate::cel::value::Decision;
use crate::json::{Arena, Node};
use crate::review::{Access, AccessTarget, Answer, Lookup, Review, User};
use crate::verdict::Report;

/// Asks for the user of a review. Questions that nobody has answered yet are kept.
pub(super) struct Authorizer<'h, 'r> {
    user: User<'h>,
    report: &'h Report<'r>,
    needs: RefCell<Vec<Lookup<'static>>>,
}

impl<'h, 'r> Authorizer<'h, 'r> {
    pub(super) fn new<'a: 'h>(review: &'h Review<'a>, report: &'h Report<'r>) -> Self {
        Self { user: review.user, report, needs: RefCell::default() }
    }

    /// What has to be asked before an evaluation can go on.
    pub(super) fn into_needs(self) -> Vec<Lookup<'static>> {
        self.needs.into_inner()
    }
}

impl Host for Authorizer<'_, '_> {
    fn authorize<'a>(&self, question: &Question<'_>, arena: &'a Arena) -> Option<Decision<'a>> {
        let (service_account, verb, target) = match question {
            Question::Path { service_account, path, verb } => {
                (*service_account, *verb, AccessTarget::Path(Cow::Borrowed(*path)))
            }
            Question::Resource { resource, verb } => {
                let target = AccessTarget::Resource {
                    group: Cow::Borrowed(resource.group),
                    resource: Cow::Borrowed(resource.resource),
                    subresource: Cow::Borrowed(resource.subresource),
                    namespace: Cow::Borrowed(resource.namespace),
                    name: Cow::Borrowed(resource.name),
                    field_selector: resource.field_selector.map(Cow::Borrowed),
                    label_selector: resource.label_selector.map(Cow::Borrowed),
                };
                (resource.service_account, *verb, target)
            }
        };
        let access = match service_account {
            None => Access {
                user: Cow::Borrowed(self.user.username),
                uid: Cow::Borrowed(self.user.uid),
                groups: self.user.groups.iter().copied().map(Cow::Borrowed).collect(),
                extra: extra(self.user.extra),
                verb: Cow::Borrowed(verb),
                target,
            },
            // As apiserver's serviceaccount.UserInfo names one.
            Some((namespace, name)) => Access {
                user: Cow::Owned(format!("system:serviceaccount:{namespace}:{name}")),
                uid: Cow::Borrowed(""),
                groups: vec![
                    Cow::Borrowed("system:serviceaccounts"),
                    Cow::Owned(format!("system:serviceaccounts:{namespace}")),
                    Cow::Borrowed("system:authenticated"),
                ],
                extra: vec![],
                verb: Cow::Borrowed(verb),
                target,
            },
        };
        let lookup = Lookup::Access(Box::new(access));
        match self.report.answer(&lookup, arena) {
            Answer::Found(status) => Some(Decision {
                allowed: status.get("allowed").and_then(Node::as_bool).unwrap_or_default(),
                reason: status.str("reason").unwrap_or_default(),
                error: status.str("evaluationError").filter(|text| !text.is_empty()),
            }),
            Answer::Missing => Some(undecided("the authorizer has no answer")),
            Answer::Unavailable(reason) => Some(undecided(reason)),
            Answer::Unknown => {
                self.needs.borrow_mut().push(lookup.into_owned());
                None
            }
        }
    }
}

fn undecided(reason: &'static str) -> Decision<'static> {
    Decision { allowed: false, reason: "", error: Some(reason) }
}

fn extra<'k>(node: Node<'k>) -> Vec<(Cow<'k, str>, Vec<Cow<'k, str>>)> {
    let texts = |node: Node<'k>| node.items().iter().filter_map(|item| item.as_str().map(Cow::Borrowed)).collect();
    node.entries().iter().map(|(key, values)| (Cow::Borrowed(*key), texts(*values))).collect()
}

impl fmt::Debug for Authorizer<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authorizer")
    }
}
