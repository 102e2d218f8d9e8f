//! What the server judges, in files that `admittance replay` reads.
//!
//! A request waits for nothing here: [`Recorder::take`] copies its body into a bounded queue or counts it as dropped. A thread
//! of its own redacts the review and judges it once more, redacted, with the policies and the answers to lookups of the
//! first time (`review`): what it writes of messages and patches was computed without what is redacted, so that
//! no policy can carry a secret into a recording. [`files`] keeps the files within their bound.

pub mod files;
mod recorder;
mod review;

pub use recorder::{Given, Recorder, Settings};
