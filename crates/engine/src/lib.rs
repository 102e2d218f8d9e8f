//! The engine of Admittance: everything that decides. No network, no clock but the deadline that it is given.
//!
//! Reading order is the order of the modules; each uses only what stands above it.
//!
//! ```text
//! text ─▶ document ─▶ unit::compile ─▶ set::link ─▶ PolicySet ──┐
//!                                                               ▼
//! body ─▶ review ──────────────────────────────▶ pipeline::admit(&PolicySet, &Review, &Run) ─▶ Verdict ─▶ response
//!
//! proof: what is shown of a unit before it becomes active
//! ```

pub mod deadline;
mod near_name;
mod seedless;
pub mod json;
pub mod kubernetes;
pub mod cel;
pub mod review;
pub mod redaction;
pub mod verdict;
pub mod document;
pub mod twin;
pub mod rule;
pub mod matching;
pub mod expression;
pub mod modules;
pub mod policy;
pub mod unit;
pub mod set;
pub mod export;
pub mod pipeline;
pub mod response;
pub mod proof;
pub mod recording;

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod oracle;
