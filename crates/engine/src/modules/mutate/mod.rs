//! Modules that change objects.

pub mod add_annotations;
pub mod add_labels;
mod entries;
pub mod inject_sidecar;
mod open;
pub mod set_image_pull_policy;
