//! The checks of the Pod Security Standards, one a file, as k8s.io/pod-security-admission v0.37.2 has them: ids, versions,
//! reasons and details word for word.

mod allow_privilege_escalation;
mod app_armor_profile;
mod capabilities_baseline;
mod capabilities_restricted;
mod host_namespaces;
mod host_path_volumes;
mod host_ports;
mod host_probes_and_host_lifecycle;
mod privileged;
mod proc_mount_baseline;
mod proc_mount_restricted;
mod restricted_volumes;
mod run_as_non_root;
mod run_as_user;
mod se_linux_options;
mod seccomp_profile_baseline;
mod seccomp_profile_restricted;
mod sysctls;
mod windows_host_process;

pub(in crate::modules::validate) use capabilities_baseline::ALLOWED as BASELINE_CAPABILITIES;
pub(in crate::modules::validate) use restricted_volumes::ALLOWED as RESTRICTED_VOLUMES;
pub(in crate::modules::validate) use sysctls::SAFE as SAFE_SYSCTLS;

use super::check::{Check, Container, Forbidden, PodFields, Revision};
use super::level::Level;
use super::wording::{Values, containers, plural, quoted, setters};
use crate::cel::kubernetes::quoted::Quoted;
use crate::json::Node;

/// All checks in the order of their results: those of `baseline`, then those of `restricted`, each by id.
pub(super) const CHECKS: &[Check] = &[
    app_armor_profile::CHECK,
    capabilities_baseline::CHECK,
    host_namespaces::CHECK,
    host_path_volumes::CHECK,
    host_ports::CHECK,
    host_probes_and_host_lifecycle::CHECK,
    privileged::CHECK,
    proc_mount_baseline::CHECK,
    se_linux_options::CHECK,
    seccomp_profile_baseline::CHECK,
    sysctls::CHECK,
    windows_host_process::CHECK,
    allow_privilege_escalation::CHECK,
    capabilities_restricted::CHECK,
    proc_mount_restricted::CHECK,
    restricted_volumes::CHECK,
    run_as_non_root::CHECK,
    run_as_user::CHECK,
    seccomp_profile_restricted::CHECK,
];
