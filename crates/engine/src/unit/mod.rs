//! The kinds of documents that users write, from a tree to what the pipeline can run.

pub mod admission_policy;
mod judging;
mod parameter;
mod policy_expressions;
mod survival;
mod policy_document;
pub mod policy_test;
mod config_map;
mod found;
mod compile;
mod listed;
pub mod schema;

pub(crate) use compile::hexadecimal;
pub use compile::{CompiledUnit, PolicySummary, Unit, compile, compile_edited};
pub(crate) use judging::Judging;
pub(crate) use listed::Listed;
pub use parameter::Parameter;

/// The group and version of our own documents.
pub const API_VERSION: &str = "admittance.dev/v1alpha1";

/// ConfigMaps with this label, set to `true`, hold policies.
pub const LABEL: &str = "admittance.dev/policies";
