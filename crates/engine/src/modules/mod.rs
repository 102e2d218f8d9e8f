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
    ModuleEntry::mutator::<mutate::add_labels::AddLabels>(),
    ModuleEntry::validator::<validate::allowed_registries::AllowedRegistries>(),
    ModuleEntry::validator::<validate::delete_protection::DeleteProtection>(),
    ModuleEntry::validator::<validate::host_ports::HostPorts>(),
    ModuleEntry::mutator::<mutate::inject_sidecar::InjectSidecar>(),
    ModuleEntry::validator::<validate::latest_tag::LatestTag>(),
    ModuleEntry::validator::<validate::locked_namespaces::LockedNamespaces>(),
    ModuleEntry::validator::<validate::pod_security::PodSecurity>(),
    ModuleEntry::validator::<validate::required_labels::RequiredLabels>(),
    ModuleEntry::mutator::<mutate::set_image_pull_policy::SetImagePullPolicy>(),
];

/// The module of this id.
pub fn find(id: &str) -> Option<&'static ModuleEntry> {
    MODULES.iter().find(|module| module.id == id)
}

#[cfg(test)]
mod tests;
