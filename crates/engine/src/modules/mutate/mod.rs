//! Modules that change objects.

pub mod add_annotations;
pub mod add_image_pull_secret;
pub mod add_labels;
pub mod disable_service_account_token;
mod entries;
mod images;
pub mod inject_sidecar;
mod open;
pub mod replace_registry;
mod seccomp;
pub mod set_image_pull_policy;
pub mod set_seccomp;
pub mod set_security_context;
