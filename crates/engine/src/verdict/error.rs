//! Why a policy could not be evaluated.

use std::fmt;

use super::decision::Expressed;
use crate::json::edit::{EditError, EditProblem};
use crate::json::{PathBuf, ReadError};
use crate::review::Lookup;

/// An evaluation error of one policy: counted as a denial under `failurePolicy: Fail`, passed over under Ignore. Holds
/// places and types, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// The object (or the stored one) is no readable JSON, or larger than the budget.
    Unreadable(ReadError),
    /// A value has a type that the policy cannot work with.
    WrongType {
        /// Where it stands.
        path: PathBuf,
        /// What is needed there: `list`.
        expected: &'static str,
        /// What is there: `string`.
        found: &'static str,
    },
    /// What it needs to know about the cluster cannot be known.
    Unanswered {
        /// The question.
        lookup: Lookup<'static>,
        /// Why there is no answer.
        reason: &'static str,
    },
    /// The request's object has another version than the policy's match rules name, and only the API server can convert it.
    WrongVersion {
        /// `apps/v1beta1`
        needed: String,
        /// `apps/v1`
        sent: String,
    },
    /// The review's time was over before this policy's turn, or during it.
    Deadline,
    /// It made more of new values than a policy may.
    Budget,
    /// It panicked.
    Panic,
    /// A step of a policy in CEL could not be evaluated.
    Expression {
        /// Which.
        step: Expressed,
        /// Why, in the API server's words, less those that say that the policy or its binding could not be configured; what
        /// an expression computes from an object may be in it, as there.
        message: String,
        /// Whether it refuses the request whatever the failurePolicy is.
        is_fatal: bool,
    },
    /// Anything else, in the policy's own words; these hold no values.
    Other(String),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(formatter, "the object cannot be read: {error}"),
            Self::WrongType { path, expected, found } => {
                write!(formatter, "{path}: expected a {expected}, found a {found}")
            }
            Self::Unanswered { lookup, reason } => write!(formatter, "{lookup} is not known: {reason}"),
            Self::WrongVersion { needed, sent } => write!(
                formatter,
                "the policy names version {needed}, the request was sent as {sent}; name {sent} in the policy or {needed} in the webhook's rules"
            ),
            Self::Deadline => formatter.write_str("the time for this request was over"),
            Self::Budget => formatter.write_str("the policy needs more memory than a policy may use"),
            Self::Panic => formatter.write_str("the policy panicked; this is a bug in its module, please report it"),
            Self::Expression { step, message, .. } => {
                formatter.write_str(match step {
                    Expressed::Constraints => "failed to configure policy: ",
                    Expressed::Binding => "failed to configure binding: ",
                    _ => "",
                })?;
                formatter.write_str(message)
            }
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for PolicyError {}

impl PolicyError {
    /// A part of the object that is parsed only when somebody looks into it could not be parsed.
    pub const fn unreadable_part() -> Self {
        Self::Unreadable(ReadError::Part)
    }
}

impl From<ReadError> for PolicyError {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<EditError> for PolicyError {
    fn from(EditError { path, problem }: EditError) -> Self {
        match problem {
            EditProblem::NotAMap { found } => Self::WrongType { path, expected: "map", found },
            EditProblem::NotAList { found } => Self::WrongType { path, expected: "list", found },
            EditProblem::NoItem { index, len } => {
                Self::Other(format!("{path}: expected an item at position {index}, found {len} items"))
            }
        }
    }
}
