//! What a policy is shown of a review.

use std::fmt;

use super::{Operation, Review};
use crate::json::{Arena, Node};
use crate::kubernetes::pod::Pod;

/// The object to judge and its surroundings. A validator may be asked about the stored object as well as about the new one
/// (`existing: Allow` compares the two): it looks at [`Subject::object`] and need not know which one it is.
#[derive(Clone, Copy)]
pub struct Subject<'r, 'a> {
    /// The object to judge: for a mutator the current root, for DELETE the stored object, for CONNECT the options.
    pub object: Node<'a>,
    /// The object as it was stored before the request, if there was one.
    pub old_object: Option<Node<'a>>,
    /// The request around it.
    pub review: &'r Review<'a>,
}

impl<'a> Subject<'_, 'a> {
    /// Where new nodes are made.
    pub fn arena(&self) -> &'a Arena {
        self.review.arena
    }

    /// The pod, or the pod template, in the object; None for kinds that hold none.
    pub fn pod(&self) -> Option<Pod<'a>> {
        Pod::of(self.review.kind.group, self.review.kind.kind, self.object)
    }

    /// Whether a validator is asked about the stored object of an update by itself, to see what was wrong with it before.
    /// What is wrong with the request, who makes it or in which version, is not to be said of that object.
    pub fn is_stored(&self) -> bool {
        let review = self.review;
        review.operation == Operation::Update && self.old_object.is_none() && review.old_object.is_some()
    }

    /// A string among the object's labels.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.object.at(&["metadata", "labels"])?.str(key)
    }

    /// A string among the object's annotations.
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.object.at(&["metadata", "annotations"])?.str(key)
    }
}

impl fmt::Debug for Subject<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Subject({:?})", self.object)
    }
}
