//! What comes out: findings and errors of policies, and the verdict over a review.

mod error;
mod finding;
mod report;

pub use error::PolicyError;
pub use finding::{Action, Finding, Origin, PolicyFinding};
pub use report::{Report, Reported, Shown};
