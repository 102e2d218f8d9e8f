//! Modules that change objects.

pub mod add_annotations;
pub mod add_labels;
pub mod copy_namespace_labels;
mod entries;
pub mod inject_sidecar;
mod open;
pub mod remove_annotations;
pub mod set_image_pull_policy;
