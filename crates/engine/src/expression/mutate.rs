//! Mutations: k8s.io/apiserver, admission/plugin/policy/mutating/dispatcher.go. They run in order, each on what the one
//! before made; after one that fails the next still runs.

use super::access::Authorizer;
use super::conditions::{Met, bound, input, meet};
use super::pass::{BUDGET, Evaluated, Input, Pass};
use super::request;
use super::validate::{Bound, fail};
use crate::cel::context::{Context, Meter};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::json::Node;
use crate::review::Subject;
use crate::rule::Mutate;
use crate::verdict::{Expressed, PolicyError, Report};

/// What the expression of a mutation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// An `Object{…}`, which is merged.
    ApplyConfiguration,
    /// A list of `JSONPatch{…}`.
    JsonPatch,
}

impl PatchType {
    /// The type of the expression.
    pub(super) fn result(self) -> Type {
        match self {
            Self::ApplyConfiguration => Type::Struct("Object".into()),
            Self::JsonPatch => Type::list(Type::Struct("JSONPatch".into())),
        }
    }
}
