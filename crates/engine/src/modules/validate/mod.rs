//! Modules that judge objects.

pub mod allowed_registries;
pub mod cron_schedule;
pub mod delete_protection;
pub mod disruption_budget;
mod exempt;
pub mod host_ports;
pub mod job_ttl;
pub mod latest_tag;
pub mod locked_namespaces;
pub mod naked_pods;
pub mod pod_security;
pub mod priority_classes;
pub mod probes;
pub mod replicas;
pub mod required_labels;
pub mod resource_requirements;
pub mod termination_grace;
pub mod topology_spread;
