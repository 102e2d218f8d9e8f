//! What is said about a Namespace whose labels set a standard (k8s.io/pod-security-admission, admission.go,
//! `ValidateNamespace`).

use super::PodSecurity;
use super::labels::{self, WrongLabels};
use super::level::{Level, Modes, Standard};
use super::relabel;
use crate::json::{Node, Path};
use crate::review::{Operation, Subject};
use crate::verdict::{Action, Report};

impl PodSecurity {
    /// Refuses labels that cannot be read, and warns of pods that a new label would not let in.
    pub(super) fn judge_namespace(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        if !review.subresource.is_empty() {
            return;
        }
        let new = labels_of(subject.object);
        let (modes, wrong) = labels::modes(new, &self.defaults);
        let old = subject.old_object.map(|old| labels::modes(labels_of(old), &self.defaults));
        if let Some((_, old_wrong)) = &old
            && *old_wrong == wrong
        {
            // Labels that could not be read before are no reason to keep the Namespace as it is.
        } else if !wrong.is_empty() {
            refuse(&wrong, new, report);
            return;
        }
        let name = review.object_name();
        let old = match (review.operation, old) {
            (Operation::Create, _) => None,
            (_, Some((old, _))) if is_stricter(modes.enforce, old.enforce) => Some(old),
            _ => return,
        };
        if self.exempts_namespace(name) {
            if let Some(warning) = self.warning_of_exempt(name, &modes, new) {
                report.finding_of_object(Action::Warn, warning);
            }
        } else if old.is_some() {
            relabel::judge_pods(self, name, modes.enforce, review.arena, report);
        }
    }

    fn warning_of_exempt(&self, name: &str, modes: &Modes, labels: Node<'_>) -> Option<String> {
        if modes.is_privileged() || modes.is_equivalent(&self.defaults) {
            return None;
        }
        let asked = labels::asked(labels, modes);
        Some(format!("namespace {name:?} is exempt from Pod Security, and the policy ({asked}) will be ignored"))
    }
}

/// The labels of an object, or null.
pub(super) fn labels_of(object: Node<'_>) -> Node<'_> {
    object.at(&["metadata", "labels"]).unwrap_or_default()
}

/// Whether pods may be refused that were not before.
fn is_stricter(new: Standard, old: Standard) -> bool {
    new != old && new.level != Level::Privileged && !(new.version == old.version && new.level <= old.level)
}

fn refuse(wrong: &WrongLabels<'_>, labels: Node<'_>, report: &mut Report<'_>) {
    let metadata = Path::root("metadata");
    let place = metadata.key("labels");
    for label in wrong.all() {
        let value = labels.get(label.key).unwrap_or_default();
        report.finding(&place.key(label.key), value, label.message());
    }
}
