//! Files of suites.

use std::path::{Path, PathBuf};

use admittance_engine::document::{Limits, SourceFile, from_tree, parse};
use serde_json::Value;

/// The YAML files among these and below these folders, in order.
pub(super) fn below(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![];
    for path in paths {
        let unreadable = |error: std::io::Error| format!("cannot read {:?}: {error}", path.display());
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).map_err(unreadable)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        entries.sort();
        let is_wanted = |path: &PathBuf| {
            // Kyverno's suites stand in folders called .kyverno-test.
            path.is_dir() || path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
        };
        let inner: Vec<PathBuf> = entries.into_iter().filter(is_wanted).collect();
        if !inner.is_empty() {
            found.extend(below(&inner)?);
        }
    }
    Ok(found)
}

/// The documents of a file; items of lists by themselves.
pub(super) fn documents(path: &Path) -> Result<Vec<Value>, String> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {name:?}: {error}"))?;
    let parsed = parse(&SourceFile::new(name.as_str(), text), &Limits::default());
    let mut found = vec![];
    for document in &parsed.documents {
        let value: Value = from_tree(document).map_err(|error| format!("cannot use {name:?}: {error}"))?;
        match (value.get("kind").and_then(Value::as_str), value.get("items").and_then(Value::as_array)) {
            (Some("List"), Some(items)) => found.extend(items.iter().cloned()),
            _ => found.push(value),
        }
    }
    Ok(found)
}

/// The documents of files and folders that a suite names, from where it stands.
pub(super) fn named(suite: &Path, names: &[&str]) -> Result<Vec<Value>, String> {
    let folder = suite.parent().unwrap_or_else(|| Path::new("."));
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    let mut found = vec![];
    for path in below(&paths)? {
        found.extend(documents(&path)?);
    }
    Ok(found)
}
