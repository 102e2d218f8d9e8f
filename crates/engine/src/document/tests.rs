//! Facts about documents, by subject.

mod decoding;
mod kubernetes_yaml;
mod limits;
mod places;
mod properties;
mod settings;

use std::sync::Arc;

use serde_json::Value;

use super::*;

fn read(text: &str) -> (Arc<SourceFile>, Parsed) {
    let file = SourceFile::new("f.yaml", text);
    let parsed = parse(&file, &Limits::default());
    (file, parsed)
}

/// The single document of a text without problems.
fn document(text: &str) -> (Arc<SourceFile>, Spanned) {
    let (file, mut parsed) = read(text);
    assert_eq!(lines(&parsed.problems), [""; 0], "{text:?}");
    assert_eq!(parsed.documents.len(), 1, "{text:?}");
    (file, parsed.documents.remove(0))
}

fn values(parsed: &Parsed) -> Vec<Value> {
    parsed.documents.iter().map(Spanned::to_value).collect()
}

fn lines(problems: &[Diagnostic]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn rendered(problems: &[Diagnostic]) -> String {
    problems.iter().map(|problem| problem.render(Paint::Plain) + "\n").collect::<Vec<_>>().join("\n")
}
