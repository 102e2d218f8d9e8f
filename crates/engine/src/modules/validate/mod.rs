//! Modules that judge objects.

pub mod allowed_registries;
pub mod delete_protection;
mod exempt;
pub mod host_ports;
pub mod latest_tag;
pub mod locked_namespaces;
pub mod pod_security;
pub mod required_labels;
