//! The catalogue: every built-in kind of policy. Adding one is a file, a `mod` line, a row of [`MODULES`], and its cases.

mod entry;
pub mod mutate;
mod patterns;
pub mod validate;

pub(crate) use entry::inlined;
pub use entry::{Build, Built, ModuleEntry};

/// All modules, by id.
pub const MODULES: &[ModuleEntry] = &[
    ModuleEntry::mutator::<mutate::add_annotations::AddAnnotations>(),
    ModuleEntry::mutator::<mutate::add_image_pull_secret::AddImagePullSecret>(),
    ModuleEntry::mutator::<mutate::add_labels::AddLabels>(),
    ModuleEntry::validator::<validate::allowed_registries::AllowedRegistries>(),
    ModuleEntry::validator::<validate::apparmor::Apparmor>(),
    ModuleEntry::validator::<validate::capabilities::Capabilities>(),
    ModuleEntry::validator::<validate::delete_protection::DeleteProtection>(),
    ModuleEntry::mutator::<mutate::disable_service_account_token::DisableServiceAccountToken>(),
    ModuleEntry::validator::<validate::fs_group::FsGroup>(),
    ModuleEntry::validator::<validate::host_namespaces::HostNamespaces>(),
    ModuleEntry::validator::<validate::host_path::HostPath>(),
    ModuleEntry::validator::<validate::host_ports::HostPorts>(),
    ModuleEntry::validator::<validate::host_process::HostProcess>(),
    ModuleEntry::validator::<validate::image_digests::ImageDigests>(),
    ModuleEntry::validator::<validate::image_pull_policy::ImagePullPolicy>(),
    ModuleEntry::validator::<validate::image_pull_secrets::ImagePullSecrets>(),
    ModuleEntry::mutator::<mutate::inject_sidecar::InjectSidecar>(),
    ModuleEntry::validator::<validate::latest_tag::LatestTag>(),
    ModuleEntry::validator::<validate::locked_namespaces::LockedNamespaces>(),
    ModuleEntry::validator::<validate::pod_security::PodSecurity>(),
    ModuleEntry::validator::<validate::privilege_escalation::PrivilegeEscalation>(),
    ModuleEntry::validator::<validate::privileged::Privileged>(),
    ModuleEntry::validator::<validate::proc_mount::ProcMount>(),
    ModuleEntry::mutator::<mutate::replace_registry::ReplaceRegistry>(),
    ModuleEntry::validator::<validate::required_labels::RequiredLabels>(),
    ModuleEntry::validator::<validate::root_filesystem::RootFilesystem>(),
    ModuleEntry::validator::<validate::run_as_group::RunAsGroup>(),
    ModuleEntry::validator::<validate::run_as_user::RunAsUser>(),
    ModuleEntry::validator::<validate::seccomp::Seccomp>(),
    ModuleEntry::validator::<validate::secrets_in_env::SecretsInEnv>(),
    ModuleEntry::validator::<validate::selinux::Selinux>(),
    ModuleEntry::validator::<validate::service_account_token::ServiceAccountToken>(),
    ModuleEntry::mutator::<mutate::set_image_pull_policy::SetImagePullPolicy>(),
    ModuleEntry::mutator::<mutate::set_seccomp::SetSeccomp>(),
    ModuleEntry::mutator::<mutate::set_security_context::SetSecurityContext>(),
    ModuleEntry::validator::<validate::sysctls::Sysctls>(),
    ModuleEntry::validator::<validate::volume_types::VolumeTypes>(),
];

/// The module of this id.
pub fn find(id: &str) -> Option<&'static ModuleEntry> {
    MODULES.iter().find(|module| module.id == id)
}

#[cfg(test)]
mod tests;
