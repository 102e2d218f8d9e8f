//! The catalogue: every built-in kind of policy. Adding one is a file, a `mod` line, a row of [`MODULES`], and its cases.

mod entry;
mod field_path;
pub mod mutate;
mod patterns;
pub mod validate;
mod value_pattern;

pub(crate) use entry::inlined;
pub use entry::{Build, Built, ModuleEntry};

/// All modules, by id.
pub const MODULES: &[ModuleEntry] = &[
    ModuleEntry::mutator::<mutate::add_annotations::AddAnnotations>(),
    ModuleEntry::mutator::<mutate::add_labels::AddLabels>(),
    ModuleEntry::validator::<validate::allowed_registries::AllowedRegistries>(),
    ModuleEntry::validator::<validate::allowed_users::AllowedUsers>(),
    ModuleEntry::validator::<validate::anonymous_bindings::AnonymousBindings>(),
    ModuleEntry::validator::<validate::cluster_admin_bindings::ClusterAdminBindings>(),
    ModuleEntry::mutator::<mutate::copy_namespace_labels::CopyNamespaceLabels>(),
    ModuleEntry::validator::<validate::default_namespace::DefaultNamespace>(),
    ModuleEntry::validator::<validate::default_service_account_bindings::DefaultServiceAccountBindings>(),
    ModuleEntry::validator::<validate::delete_protection::DeleteProtection>(),
    ModuleEntry::validator::<validate::deprecated_apis::DeprecatedApis>(),
    ModuleEntry::validator::<validate::exec_into_pods::ExecIntoPods>(),
    ModuleEntry::validator::<validate::external_ips::ExternalIps>(),
    ModuleEntry::validator::<validate::host_ports::HostPorts>(),
    ModuleEntry::validator::<validate::immutable_fields::ImmutableFields>(),
    ModuleEntry::validator::<validate::immutable_labels::ImmutableLabels>(),
    ModuleEntry::validator::<validate::ingress_hosts::IngressHosts>(),
    ModuleEntry::validator::<validate::ingress_tls::IngressTls>(),
    ModuleEntry::mutator::<mutate::inject_sidecar::InjectSidecar>(),
    ModuleEntry::validator::<validate::label_values::LabelValues>(),
    ModuleEntry::validator::<validate::latest_tag::LatestTag>(),
    ModuleEntry::validator::<validate::load_balancer_sources::LoadBalancerSources>(),
    ModuleEntry::validator::<validate::locked_namespaces::LockedNamespaces>(),
    ModuleEntry::validator::<validate::name_pattern::NamePattern>(),
    ModuleEntry::validator::<validate::pod_security::PodSecurity>(),
    ModuleEntry::validator::<validate::privileged_verbs::PrivilegedVerbs>(),
    ModuleEntry::mutator::<mutate::remove_annotations::RemoveAnnotations>(),
    ModuleEntry::validator::<validate::required_annotations::RequiredAnnotations>(),
    ModuleEntry::validator::<validate::required_labels::RequiredLabels>(),
    ModuleEntry::validator::<validate::service_types::ServiceTypes>(),
    ModuleEntry::mutator::<mutate::set_image_pull_policy::SetImagePullPolicy>(),
    ModuleEntry::validator::<validate::storage_classes::StorageClasses>(),
    ModuleEntry::validator::<validate::unique_ingress_hosts::UniqueIngressHosts>(),
    ModuleEntry::validator::<validate::unique_service_selectors::UniqueServiceSelectors>(),
    ModuleEntry::validator::<validate::wildcard_rbac::WildcardRbac>(),
];

/// The module of this id.
pub fn find(id: &str) -> Option<&'static ModuleEntry> {
    MODULES.iter().find(|module| module.id == id)
}

#[cfg(test)]
mod tests;
