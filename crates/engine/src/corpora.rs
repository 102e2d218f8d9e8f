//! Where tests find the collections of cases that are too large to live with the code.

use std::path::{Path, PathBuf};

/// The folder of the collections: `$ADMITTANCE_CORPORA`, else `shared/corpora` beside the checkout.
fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    std::env::var_os("ADMITTANCE_CORPORA").map_or_else(beside, PathBuf::from)
}

/// The lines of the collection `name`, each a JSON text. Where it is absent there are none, and the `expected` number of
/// cases is said to have been skipped; where it is present it must have that many.
pub(crate) fn lines(name: &str, expected: usize) -> Vec<String> {
    let path = folder().join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped {expected} cases: {name} is not in {} (set ADMITTANCE_CORPORA)", folder().display());
        return Vec::new();
    };
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), expected, "cases in {}", path.display());
    lines
}
