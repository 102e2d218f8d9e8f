//! Who wrote what: every operation of a patch with the policy that it comes from.
//!
//! The answer's patch is one difference of the first and the last root; where two policies write into one new map it is one
//! operation for both. So provenance is told of the steps: the difference that each policy made, in the order in which they
//! ran. Applied one after the other they make the same object, each belongs to one policy alone, and what a later one wrote
//! over stands there as well.

use std::fmt;
use std::sync::Arc;

use crate::json::diff;
use crate::json::patch::Operation;
use crate::kubernetes::list_keys;
use crate::verdict::wording::cut;
use crate::verdict::{Edit, Origin, Verdict};

/// The most operations that an answer names in the audit log; how many more there are stands in one entry behind them.
const NAMED: usize = 20;

/// The longest of these entries, in bytes: a path may be long.
const ENTRY: usize = 256;

/// An operation and whose it is.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// What was done to the object as the policies before had left it: list positions are those of that moment.
    pub operation: Operation<'a>,
    /// The policy that did it.
    pub origin: Arc<Origin>,
    /// Whether the policy is in shadow mode: then nothing of it is sent.
    pub shadow: bool,
    /// The policy's `order`; None for Kubernetes' own, which have none.
    pub order: Option<i32>,
}

impl Written<'_> {
    /// The operation's name as RFC 6902 writes it: `add`.
    pub fn name(&self) -> &'static str {
        self.operation.op()
    }
}

/// `POLICY: OPERATION PATH`, without the value: what policies write may be secret.
impl fmt::Display for Written<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} {}", self.origin.policy, self.name(), self.operation.path())
    }
}

/// Every operation of every policy that changed the object, in the order in which they were done.
pub fn provenance<'a>(verdict: &Verdict<'a>) -> Vec<Written<'a>> {
    let of_edit = |edit: &Edit<'a>| {
        let (origin, shadow, order) = (Arc::clone(&edit.origin), edit.shadow, edit.order);
        let operations = diff::diff(edit.before, edit.after, list_keys::of);
        operations.into_iter().map(move |operation| Written { operation, origin: Arc::clone(&origin), shadow, order })
    };
    verdict.edits.iter().flat_map(of_edit).collect()
}

/// Places where one policy wrote over what another one had written, with both, the earlier one first: what a conflict comes to
/// that could not be found when the policies were loaded. Not where their `order` says which of them is meant.
pub fn overwritten<'a>(written: &[Written<'a>]) -> Vec<(String, Arc<Origin>, Arc<Origin>)> {
    let mut found = vec![];
    for (position, later) in written.iter().enumerate().filter(|(_, later)| later.operation.value().is_some()) {
        let is_over = |earlier: &&Written<'a>| {
            earlier.operation.path() == later.operation.path()
                && !Arc::ptr_eq(&earlier.origin, &later.origin)
                && !(earlier.shadow || later.shadow)
                && earlier.order.is_some_and(|order| Some(order) == later.order)
                && matches!(later.operation, Operation::Replace { .. })
                && earlier.operation.value() != later.operation.value()
        };
        let earlier = written.iter().take(position).rev().find(is_over);
        found.extend(earlier.map(|earlier| {
            (later.operation.path().to_owned(), Arc::clone(&earlier.origin), Arc::clone(&later.origin))
        }));
    }
    found
}

/// What was written, for the audit log: `mutations.1`, `mutations.2` and so on, without what shadow mode keeps back.
pub(super) fn annotations(written: &[Written<'_>]) -> Vec<(String, String)> {
    let sent: Vec<&Written<'_>> = written.iter().filter(|written| !written.shadow).collect();
    let more = sent.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!("… and {more} more"));
    let named = sent.iter().take(NAMED).map(|written| cut(&written.to_string(), ENTRY));
    named.chain(more).enumerate().map(|(index, text)| (format!("mutations.{}", index + 1), text)).collect()
}

#[cfg(test)]
mod tests;
