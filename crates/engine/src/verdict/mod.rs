//! What comes out: findings and errors of policies, and the verdict over a review.

mod decision;
mod discretion;
mod doubt;
mod drift;
mod error;
mod finding;
mod report;
mod shadow;
pub mod trace;
mod tracer;
#[expect(clippy::module_inception, reason = "the room is named after what comes out of it")]
mod verdict;
pub mod wording;

pub use decision::{Decision, Expressed, Judged, Judgement, Refusal};
pub use discretion::Discretion;
pub use doubt::Doubt;
pub use drift::{Drift, OnDrift};
pub use error::PolicyError;
pub use finding::{Action, BoundBy, Finding, Origin, PolicyFinding};
pub use report::{Bounds, Report, Reported, Shown};
pub use trace::{Fate, Step};
pub use tracer::{Tracer, computations};
pub use verdict::{Annotation, Edit, PolicyFailure, Roots, Turn, Verdict};
