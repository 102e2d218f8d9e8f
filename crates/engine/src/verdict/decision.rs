//! What Kubernetes' own policies decide, one expression at a time, as the API server does.

use std::sync::Arc;

use super::finding::Origin;

/// Why a request is refused: the code and reason of a Kubernetes Status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// An HTTP status code, for `status.code`.
    pub code: u16,
    /// A StatusReason of apimachinery.
    pub reason: &'static str,
}

impl Refusal {
    /// A validation of ValidatingAdmissionPolicy that is false and names no reason.
    pub const INVALID: Self = Self { code: 422, reason: "Invalid" };
    /// The same with the reason Unauthorized, which the API knows and no policy may name.
    pub const UNAUTHORIZED: Self = Self { code: 401, reason: "Unauthorized" };
    /// A module's finding.
    pub const FORBIDDEN: Self = Self { code: 403, reason: "Forbidden" };
    /// An evaluation error under `failurePolicy: Fail`.
    pub const INTERNAL_ERROR: Self = Self { code: 500, reason: "InternalError" };
    /// A request that cannot be read.
    pub const BAD_REQUEST: Self = Self { code: 400, reason: "BadRequest" };
    /// A request that is too large.
    pub const TOO_LARGE: Self = Self { code: 413, reason: "RequestEntityTooLarge" };
    /// A request that came while too many others were judged.
    pub const TOO_MANY_REQUESTS: Self = Self { code: 429, reason: "TooManyRequests" };
    /// A request whose time was over.
    pub const TIMEOUT: Self = Self { code: 504, reason: "Timeout" };
}

/// What one step of a policy in CEL came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Which step.
    pub step: Expressed,
    /// What it came to.
    pub outcome: Judged,
}

/// A step of evaluating a policy in CEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expressed {
    /// The policy's own match constraints.
    Constraints,
    /// The binding: its match resources, its parameters.
    Binding,
    /// The match conditions together.
    Conditions,
    /// All validations together: something that ends the evaluation of all.
    Validations,
    /// The validation at this position.
    Validation(usize),
    /// The audit annotation at this position.
    AuditAnnotation(usize),
    /// The mutation at this position.
    Mutation(usize),
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Nothing is said against the request.
    Admits,
    /// The validation is false.
    Denies {
        /// Code and reason.
        refusal: Refusal,
        /// The message for users.
        message: String,
    },
    /// It could not be evaluated; the text is the API server's.
    Fails {
        /// Why.
        message: String,
        /// Whether the API server refuses the request whatever the policy says.
        is_fatal: Option<Refusal>,
    },
}

/// A judgement and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The policy and its binding.
    pub origin: Arc<Origin>,
    /// Whether the policy changes objects.
    pub mutates: bool,
    /// Whether an error counts as a denial (`failurePolicy: Fail`).
    pub fails_closed: bool,
    /// What was decided.
    pub judgement: Judgement,
}

impl Expressed {
    /// Whether an error here refuses the request whatever the binding's actions are.
    pub const fn overrides_actions(self) -> bool {
        matches!(self, Self::Constraints | Self::Binding | Self::AuditAnnotation(_) | Self::Mutation(_))
    }
}
