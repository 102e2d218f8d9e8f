//! Modules that judge objects.

pub mod delete_protection;
mod exempt;
pub mod host_ports;
pub mod locked_namespaces;
pub mod required_labels;
