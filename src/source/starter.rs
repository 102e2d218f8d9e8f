//! The policies that are served when nothing else is named.

use std::sync::Arc;

use admittance_engine::document::SourceFile;
use admittance_engine::unit::Unit;

/// The starter set, as it stands in `manifests/policies/starter`.
pub const STARTER: &str = include_str!("../../manifests/policies/starter/starter.yaml");

/// The starter set as a unit.
pub fn unit() -> Unit {
    Unit::of_file(Arc::clone(&SourceFile::new("built-in/starter.yaml", STARTER)))
}
