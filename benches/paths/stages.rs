//! What a request goes through, one after the other, where the stage before is done.

use admittance_engine::json::Arena;
use admittance_engine::pipeline::admit;
use admittance_engine::response;
use admittance_engine::review::{Envelope, Review};
use admittance_engine::verdict::Verdict;

use super::Path;
use crate::Failure;

/// The stages of a path.
pub(crate) struct Stages<'p>(pub(crate) &'p Path);

impl<'p> Stages<'p> {
    /// The envelope, and the tree of the object.
    pub(crate) fn review<'a>(&self, arena: &'a Arena) -> Result<Review<'a>, Failure>
    where
        'p: 'a,
    {
        let (envelope, read) = Envelope::read(arena, self.0.body.as_bytes());
        read?;
        let review = envelope.into_review(arena)?;
        review.judged()?;
        Ok(review)
    }

    /// Which policies are asked.
    pub(crate) fn candidates(&self, review: &Review<'_>) -> usize {
        self.0.set.mutators_for(review).count() + self.0.set.validators_for(review).count()
    }

    /// Matching and evaluation.
    pub(crate) fn verdict<'a>(&'a self, review: &Review<'a>) -> Result<Verdict<'a>, Failure> {
        admit(&self.0.set, review, &self.0.run()).map_err(|needs| format!("{}: {needs:?}", self.0.name).into())
    }

    /// The patch, with whose it is, and the answer around it.
    pub(crate) fn write<'a>(&self, review: &Review<'a>, verdict: &Verdict<'a>) -> Vec<u8> {
        response::answer_with(review, verdict, self.0.route, (&response::provenance(verdict), None))
    }
}
