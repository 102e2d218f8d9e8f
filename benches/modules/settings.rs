//! Settings of modules: none, those of their pages, and those of their cases.

use std::fs;
use std::path::{Path, PathBuf};

use admittance_engine::modules::ModuleEntry;
use serde_json::Value;

use crate::Failure;

/// Where the project lies.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The YAML documents of a text.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, Failure> {
    Ok(serde_saphyr::from_multiple(text)?)
}

/// What lies in a folder, sorted; nothing where there is none.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let mut entries = vec![];
    for entry in fs::read_dir(folder)? {
        entries.push(entry?.path());
    }
    entries.sort();
    Ok(entries)
}

/// All settings that the module is shown with, the plainest first.
pub(crate) fn of(module: &ModuleEntry) -> Result<Vec<Value>, Failure> {
    let mut policies = documents(&module.example())?;
    for file in entries(&root().join("tests/cases").join(module.id))? {
        for case in documents(&fs::read_to_string(file)?)? {
            policies.extend(
                documents(case.get("policies").and_then(Value::as_str).unwrap_or_default())?.into_iter().take(1),
            );
        }
    }
    let own = policies.iter().filter_map(|policy| policy.pointer("/spec/settings").cloned());
    Ok(std::iter::once(Value::Null).chain(own).collect())
}
