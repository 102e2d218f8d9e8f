//! Modules that change objects.

pub mod add_annotations;
pub mod add_labels;
pub mod add_node_affinity;
pub mod add_node_selector;
pub mod add_tolerations;
mod entries;
pub mod inject_env;
pub mod inject_host_aliases;
pub mod inject_init_container;
pub mod inject_sidecar;
pub mod inject_volume;
mod injected;
mod named;
mod open;
mod placed;
pub mod set_default_resources;
pub mod set_dns_config;
pub mod set_image_pull_policy;
pub mod set_priority_class;
pub mod set_runtime_class;
pub mod set_termination_grace;
pub mod set_topology_spread;
mod targets;
