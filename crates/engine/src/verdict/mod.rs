//! What comes out: findings and errors of policies, and the verdict over a review.

mod error;
mod finding;
mod report;
#[expect(clippy::module_inception, reason = "the room is named after what comes out of it")]
mod verdict;
pub mod wording;

pub use error::PolicyError;
pub use finding::{Action, Finding, Origin, PolicyFinding};
pub use report::{Report, Reported, Shown};
pub use verdict::{Edit, PolicyFailure, Refusal, Roots, Step, Verdict};
