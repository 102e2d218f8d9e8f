//! The catalogue: every built-in kind of policy. Adding one is a file, a `mod` line, a row of [`MODULES`], and its cases.

mod entry;
pub mod mutate;
mod patterns;
mod problem;
mod range;
pub mod validate;

pub(crate) use entry::inlined;
pub use entry::{Build, Built, ModuleEntry};

/// All modules, by id.
pub const MODULES: &[ModuleEntry] = &[
    ModuleEntry::mutator::<mutate::add_annotations::AddAnnotations>(),
    ModuleEntry::mutator::<mutate::add_image_pull_secret::AddImagePullSecret>(),
    ModuleEntry::mutator::<mutate::add_labels::AddLabels>(),
    ModuleEntry::mutator::<mutate::add_node_affinity::AddNodeAffinity>(),
    ModuleEntry::mutator::<mutate::add_node_selector::AddNodeSelector>(),
    ModuleEntry::mutator::<mutate::add_tolerations::AddTolerations>(),
    ModuleEntry::validator::<validate::allowed_registries::AllowedRegistries>(),
    ModuleEntry::validator::<validate::apparmor::Apparmor>(),
    ModuleEntry::validator::<validate::capabilities::Capabilities>(),
    ModuleEntry::validator::<validate::cron_schedule::CronSchedule>(),
    ModuleEntry::validator::<validate::delete_protection::DeleteProtection>(),
    ModuleEntry::mutator::<mutate::disable_service_account_token::DisableServiceAccountToken>(),
    ModuleEntry::validator::<validate::disruption_budget::DisruptionBudget>(),
    ModuleEntry::validator::<validate::fs_group::FsGroup>(),
    ModuleEntry::validator::<validate::host_namespaces::HostNamespaces>(),
    ModuleEntry::validator::<validate::host_path::HostPath>(),
    ModuleEntry::validator::<validate::host_ports::HostPorts>(),
    ModuleEntry::validator::<validate::host_process::HostProcess>(),
    ModuleEntry::validator::<validate::image_digests::ImageDigests>(),
    ModuleEntry::validator::<validate::image_pull_policy::ImagePullPolicy>(),
    ModuleEntry::validator::<validate::image_pull_secrets::ImagePullSecrets>(),
    ModuleEntry::mutator::<mutate::inject_env::InjectEnv>(),
    ModuleEntry::mutator::<mutate::inject_host_aliases::InjectHostAliases>(),
    ModuleEntry::mutator::<mutate::inject_init_container::InjectInitContainer>(),
    ModuleEntry::mutator::<mutate::inject_sidecar::InjectSidecar>(),
    ModuleEntry::mutator::<mutate::inject_volume::InjectVolume>(),
    ModuleEntry::validator::<validate::job_ttl::JobTtl>(),
    ModuleEntry::validator::<validate::latest_tag::LatestTag>(),
    ModuleEntry::validator::<validate::locked_namespaces::LockedNamespaces>(),
    ModuleEntry::validator::<validate::naked_pods::NakedPods>(),
    ModuleEntry::validator::<validate::pod_security::PodSecurity>(),
    ModuleEntry::validator::<validate::priority_classes::PriorityClasses>(),
    ModuleEntry::validator::<validate::privilege_escalation::PrivilegeEscalation>(),
    ModuleEntry::validator::<validate::privileged::Privileged>(),
    ModuleEntry::validator::<validate::probes::Probes>(),
    ModuleEntry::validator::<validate::proc_mount::ProcMount>(),
    ModuleEntry::mutator::<mutate::replace_registry::ReplaceRegistry>(),
    ModuleEntry::validator::<validate::replicas::Replicas>(),
    ModuleEntry::validator::<validate::required_labels::RequiredLabels>(),
    ModuleEntry::validator::<validate::resource_requirements::ResourceRequirements>(),
    ModuleEntry::validator::<validate::root_filesystem::RootFilesystem>(),
    ModuleEntry::validator::<validate::run_as_group::RunAsGroup>(),
    ModuleEntry::validator::<validate::run_as_user::RunAsUser>(),
    ModuleEntry::validator::<validate::seccomp::Seccomp>(),
    ModuleEntry::validator::<validate::secrets_in_env::SecretsInEnv>(),
    ModuleEntry::validator::<validate::selinux::Selinux>(),
    ModuleEntry::validator::<validate::service_account_token::ServiceAccountToken>(),
    ModuleEntry::mutator::<mutate::set_default_resources::SetDefaultResources>(),
    ModuleEntry::mutator::<mutate::set_dns_config::SetDnsConfig>(),
    ModuleEntry::mutator::<mutate::set_image_pull_policy::SetImagePullPolicy>(),
    ModuleEntry::mutator::<mutate::set_priority_class::SetPriorityClass>(),
    ModuleEntry::mutator::<mutate::set_runtime_class::SetRuntimeClass>(),
    ModuleEntry::mutator::<mutate::set_seccomp::SetSeccomp>(),
    ModuleEntry::mutator::<mutate::set_security_context::SetSecurityContext>(),
    ModuleEntry::mutator::<mutate::set_termination_grace::SetTerminationGrace>(),
    ModuleEntry::mutator::<mutate::set_topology_spread::SetTopologySpread>(),
    ModuleEntry::validator::<validate::sysctls::Sysctls>(),
    ModuleEntry::validator::<validate::termination_grace::TerminationGrace>(),
    ModuleEntry::validator::<validate::topology_spread::TopologySpread>(),
    ModuleEntry::validator::<validate::volume_types::VolumeTypes>(),
];

/// The module of this id.
pub fn find(id: &str) -> Option<&'static ModuleEntry> {
    MODULES.iter().find(|module| module.id == id)
}

#[cfg(test)]
mod tests;
