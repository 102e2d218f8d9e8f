//! The objects of a review, read when the first policy gets this far.

use super::Pass;
use crate::json::Node;
use crate::review::{self, Operation, Review};
use crate::verdict::{PolicyError, Roots};

#[derive(Clone, Copy)]
pub(super) struct Objects<'a> {
    pub(super) old: Option<Node<'a>>,
    /// An update of an object that is being deleted, which takes away finalizers and changes nothing else.
    pub(super) only_releases: bool,
    /// Whether that is not known.
    pub(super) is_in_doubt: bool,
}

impl<'a> Pass<'_, 'a> {
    /// The objects; those that cannot be read cannot be read by any policy.
    pub(super) fn objects(&mut self) -> Result<Objects<'a>, PolicyError> {
        if let Some(objects) = &self.objects {
            return objects.clone();
        }
        let read = read(self.review);
        let objects = read.map(|(judged, objects)| {
            if let Some(discretion) = &self.discretion {
                let learn = |object| discretion.learn(object);
                self.review.arena.aside(|| [Some(judged), objects.old].into_iter().flatten().for_each(learn));
            }
            self.verdict.roots = Roots { original: judged, mutated: judged, shadow: judged };
            objects
        });
        self.objects.insert(objects).clone()
    }
}

fn read<'a>(review: &Review<'a>) -> Result<(Node<'a>, Objects<'a>), PolicyError> {
    let judged = review.judged()?;
    let old = review.old_object()?;
    let unknowns = review.arena.unknowns();
    let only_releases = review.operation == Operation::Update
        && old.is_some_and(|old| review::only_releases(review.arena, old, judged));
    let is_in_doubt = review.arena.unknowns() != unknowns;
    Ok((judged, Objects { old, only_releases, is_in_doubt }))
}
