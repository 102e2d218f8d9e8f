//! The catalogue: every built-in kind of policy. Adding one is a file, a `mod` line, a row of [`MODULES`], and its cases.

mod entry;
pub mod mutate;
pub mod validate;

pub use entry::{Build, Built, ModuleEntry};

/// All modules, by id.
pub const MODULES: &[ModuleEntry] = &[];

/// The module of this id.
pub fn find(id: &str) -> Option<&'static ModuleEntry> {
    MODULES.iter().find(|module| module.id == id)
}
