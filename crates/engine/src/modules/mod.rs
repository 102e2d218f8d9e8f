//! The catalogue: every built-in kind of policy. Adding one is a file, a `mod` line, a row of [`MODULES`], and its cases.

mod entry;
mod field_path;
pub mod mutate;
mod patterns;
mod problem;
mod range;
pub mod validate;
mod value_pattern;

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
    ModuleEntry::validator::<validate::allowed_users::AllowedUsers>(),
    ModuleEntry::validator::<validate::anonymous_bindings::AnonymousBindings>(),
    ModuleEntry::validator::<validate::apparmor::Apparmor>(),
    ModuleEntry::validator::<validate::autoscalers::Autoscalers>(),
    ModuleEntry::validator::<validate::capabilities::Capabilities>(),
    ModuleEntry::validator::<validate::cluster_admin_bindings::ClusterAdminBindings>(),
    ModuleEntry::mutator::<mutate::copy_namespace_labels::CopyNamespaceLabels>(),
    ModuleEntry::validator::<validate::cron_schedule::CronSchedule>(),
    ModuleEntry::validator::<validate::default_namespace::DefaultNamespace>(),
    ModuleEntry::validator::<validate::default_service_account_bindings::DefaultServiceAccountBindings>(),
    ModuleEntry::validator::<validate::delete_protection::DeleteProtection>(),
    ModuleEntry::validator::<validate::deprecated_apis::DeprecatedApis>(),
    ModuleEntry::mutator::<mutate::disable_service_account_token::DisableServiceAccountToken>(),
    ModuleEntry::validator::<validate::disruption_budget::DisruptionBudget>(),
    ModuleEntry::validator::<validate::exec_into_pods::ExecIntoPods>(),
    ModuleEntry::validator::<validate::external_ips::ExternalIps>(),
    ModuleEntry::validator::<validate::fs_group::FsGroup>(),
    ModuleEntry::validator::<validate::host_namespaces::HostNamespaces>(),
    ModuleEntry::validator::<validate::host_path::HostPath>(),
    ModuleEntry::validator::<validate::host_ports::HostPorts>(),
    ModuleEntry::validator::<validate::host_process::HostProcess>(),
    ModuleEntry::validator::<validate::image_digests::ImageDigests>(),
    ModuleEntry::validator::<validate::image_pull_policy::ImagePullPolicy>(),
    ModuleEntry::validator::<validate::image_pull_secrets::ImagePullSecrets>(),
    ModuleEntry::validator::<validate::immutable_fields::ImmutableFields>(),
    ModuleEntry::validator::<validate::immutable_labels::ImmutableLabels>(),
    ModuleEntry::validator::<validate::ingress_hosts::IngressHosts>(),
    ModuleEntry::validator::<validate::ingress_tls::IngressTls>(),
    ModuleEntry::mutator::<mutate::inject_env::InjectEnv>(),
    ModuleEntry::mutator::<mutate::inject_host_aliases::InjectHostAliases>(),
    ModuleEntry::mutator::<mutate::inject_init_container::InjectInitContainer>(),
    ModuleEntry::mutator::<mutate::inject_sidecar::InjectSidecar>(),
    ModuleEntry::mutator::<mutate::inject_volume::InjectVolume>(),
    ModuleEntry::validator::<validate::job_ttl::JobTtl>(),
    ModuleEntry::validator::<validate::label_values::LabelValues>(),
    ModuleEntry::validator::<validate::latest_tag::LatestTag>(),
    ModuleEntry::validator::<validate::load_balancer_sources::LoadBalancerSources>(),
    ModuleEntry::validator::<validate::locked_namespaces::LockedNamespaces>(),
    ModuleEntry::validator::<validate::naked_pods::NakedPods>(),
    ModuleEntry::validator::<validate::name_pattern::NamePattern>(),
    ModuleEntry::validator::<validate::pod_security::PodSecurity>(),
    ModuleEntry::validator::<validate::priority_classes::PriorityClasses>(),
    ModuleEntry::validator::<validate::privilege_escalation::PrivilegeEscalation>(),
    ModuleEntry::validator::<validate::privileged::Privileged>(),
    ModuleEntry::validator::<validate::privileged_verbs::PrivilegedVerbs>(),
    ModuleEntry::validator::<validate::probes::Probes>(),
    ModuleEntry::validator::<validate::proc_mount::ProcMount>(),
    ModuleEntry::mutator::<mutate::remove_annotations::RemoveAnnotations>(),
    ModuleEntry::mutator::<mutate::replace_registry::ReplaceRegistry>(),
    ModuleEntry::validator::<validate::replicas::Replicas>(),
    ModuleEntry::validator::<validate::required_annotations::RequiredAnnotations>(),
    ModuleEntry::validator::<validate::required_labels::RequiredLabels>(),
    ModuleEntry::validator::<validate::resource_requirements::ResourceRequirements>(),
    ModuleEntry::validator::<validate::root_filesystem::RootFilesystem>(),
    ModuleEntry::validator::<validate::run_as_group::RunAsGroup>(),
    ModuleEntry::validator::<validate::run_as_user::RunAsUser>(),
    ModuleEntry::validator::<validate::seccomp::Seccomp>(),
    ModuleEntry::validator::<validate::secrets_in_env::SecretsInEnv>(),
    ModuleEntry::validator::<validate::selinux::Selinux>(),
    ModuleEntry::validator::<validate::service_account_token::ServiceAccountToken>(),
    ModuleEntry::validator::<validate::service_types::ServiceTypes>(),
    ModuleEntry::mutator::<mutate::set_default_resources::SetDefaultResources>(),
    ModuleEntry::mutator::<mutate::set_dns_config::SetDnsConfig>(),
    ModuleEntry::mutator::<mutate::set_image_pull_policy::SetImagePullPolicy>(),
    ModuleEntry::mutator::<mutate::set_priority_class::SetPriorityClass>(),
    ModuleEntry::mutator::<mutate::set_runtime_class::SetRuntimeClass>(),
    ModuleEntry::mutator::<mutate::set_seccomp::SetSeccomp>(),
    ModuleEntry::mutator::<mutate::set_security_context::SetSecurityContext>(),
    ModuleEntry::mutator::<mutate::set_termination_grace::SetTerminationGrace>(),
    ModuleEntry::mutator::<mutate::set_topology_spread::SetTopologySpread>(),
    ModuleEntry::validator::<validate::storage_classes::StorageClasses>(),
    ModuleEntry::validator::<validate::sysctls::Sysctls>(),
    ModuleEntry::validator::<validate::termination_grace::TerminationGrace>(),
    ModuleEntry::validator::<validate::topology_spread::TopologySpread>(),
    ModuleEntry::validator::<validate::unique_ingress_hosts::UniqueIngressHosts>(),
    ModuleEntry::validator::<validate::unique_service_selectors::UniqueServiceSelectors>(),
    ModuleEntry::validator::<validate::volume_types::VolumeTypes>(),
    ModuleEntry::validator::<validate::wildcard_rbac::WildcardRbac>(),
];

/// The module of this id.
pub fn find(id: &str) -> Option<&'static ModuleEntry> {
    MODULES.iter().find(|module| module.id == id)
}

#[cfg(test)]
mod tests;
