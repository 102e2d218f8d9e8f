//! Twins of policies: as YAML to be applied, with what is left unchecked on top, and as one JSON document.

use std::fmt::Write as _;

use admittance_engine::export::{Export, Source};
use serde_json::{Value, json};

/// All documents, below comments that say what they do not check.
pub fn yaml(export: &Export) -> String {
    let mut text =
        String::from("# ValidatingAdmissionPolicies of the same meaning: the API server enforces them by itself.\n");
    if !export.unchecked.is_empty() {
        text.push_str("#\n# Unchecked while the webhook does not answer:\n");
        for row in &export.unchecked {
            let _ = writeln!(text, "# - {}: {}", named(&row.source), row.reason);
        }
    }
    let differing: Vec<_> = export.twins.iter().filter(|twin| !twin.differs.is_empty()).collect();
    if !differing.is_empty() {
        text.push_str("#\n# Checked a little otherwise than by the webhook:\n");
        for twin in differing {
            let _ = writeln!(text, "# - {}: {}", named(&twin.source), twin.differs.join("; "));
        }
    }
    let native: Vec<String> =
        export.twins.iter().filter(|twin| twin.is_native).map(|twin| twin.source.policy.clone()).collect();
    if !native.is_empty() {
        let _ = writeln!(text, "#\n# Native policies, which are here as they are: {}", native.join(", "));
    }
    for document in export.twins.iter().flat_map(|twin| &twin.documents) {
        text.push_str("---\n");
        text.push_str(&document_yaml(document));
    }
    text
}

/// A tree of JSON values has nothing that YAML could not say.
fn document_yaml(document: &Value) -> String {
    serde_saphyr::to_string_with_options(document, serde_saphyr::ser_options! { compact_list_indent: true })
        .unwrap_or_default()
}

/// `{schemaVersion, twins: [{policy, module, unit, line, digest, native, differs, documents}], unchecked: [{policy, module,
/// unit, line, digest, denies, reason}]}`
pub fn json(export: &Export) -> String {
    let source = |source: &Source, more: Value| {
        let mut value = json!({
            "policy": source.policy, "module": source.module, "unit": source.unit, "line": source.line,
            "digest": source.digest,
        });
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
            value.extend(more);
        }
        value
    };
    let twins: Vec<Value> = export
        .twins
        .iter()
        .map(|twin| {
            source(
                &twin.source,
                json!({ "native": twin.is_native, "differs": twin.differs, "documents": twin.documents }),
            )
        })
        .collect();
    let unchecked: Vec<Value> = export
        .unchecked
        .iter()
        .map(|row| source(&row.source, json!({ "denies": row.denies, "reason": row.reason })))
        .collect();
    let document = json!({ "schemaVersion": 1, "twins": twins, "unchecked": unchecked });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn named(source: &Source) -> String {
    match source.module {
        Some(module) => format!("{} ({module})", source.policy),
        None => source.policy.clone(),
    }
}
