//! Reviews judged again: what a set of policies would decide otherwise than was decided, or than another set would.
//!
//! 1. [`files`] finds the lines, of recordings (`serve --record`), of AdmissionReviews as others keep them, of audit logs.
//! 2. [`case`](mod@case) makes of a line a review with what is known about it; `audit` does so for audit logs.
//! 3. [`judge`] runs the policies, with `known` in the cluster's place; it knows what of the verdict is in doubt.
//! 4. [`difference`] compares, [`report`] counts, [`run`](mod@run) does all of it on every core.

mod audit;
pub mod case;
pub mod difference;
pub mod files;
pub mod judge;
mod known;
pub mod report;
pub mod run;

pub use difference::{Change, Difference};
pub use judge::Side;
pub use report::Report;
pub use run::{Kept, Progress, run};
