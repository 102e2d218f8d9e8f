//! A review judged without a server: what `check` and tests do with an object that somebody wrote.

use super::{Needs, Run, admit};
use crate::json::patch::Operation as PatchOperation;
use crate::json::{Node, diff, rebase};
use crate::kubernetes::list_keys;
use crate::review::Review;
use crate::set::PolicySet;
use crate::verdict::Verdict;

/// An object, what was asked about it and what was decided.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The request.
    pub review: Review<'a>,
    /// What the policies said.
    pub verdict: Verdict<'a>,
    /// The object as it was written.
    pub written: Node<'a>,
    /// The same after mutation: what policies changed is changed, and nothing else.
    pub mutated: Node<'a>,
}

impl<'a> Judged<'a> {
    /// Judges a review of the object that was written so, and carries what policies change to that form.
    ///
    /// # Errors
    /// What has to be looked up first.
    pub fn of(set: &'a PolicySet, review: Review<'a>, written: Node<'a>, run: &Run<'_>) -> Result<Self, Needs> {
        let verdict = admit(set, &review, run)?;
        let roots = verdict.roots;
        let mutated = if verdict.edits.iter().any(|edit| !edit.shadow) {
            rebase(review.arena, written, roots.original, roots.mutated, list_keys::of)
        } else {
            written
        };
        Ok(Self { review, verdict, written, mutated })
    }

    /// What mutation changes in the document as it was written.
    pub fn patch(&self) -> Vec<PatchOperation<'a>> {
        diff(self.written, self.mutated, list_keys::of)
    }
}
