//! Notations of names, and what the API server says of a name that is not written so (k8s.io/apimachinery,
//! `api/validate/content`).

use crate::kubernetes::names::{is_label_key, is_label_value};

const LABEL_KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_KEY_RULE: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const LABEL_VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const LABEL_1035_RULE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";

fn pattern(rule: &str, pattern: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}'")).collect();
    format!("{rule} (e.g. {}, regex used for validation is '{pattern}')", examples.join(",  or "))
}

fn too_long(limit: usize) -> String {
    format!("must be no more than {limit} bytes")
}

/// `IsQualifiedName`
pub(crate) fn label_key(key: &str) -> Vec<String> {
    if is_label_key(key) {
        return vec![];
    }
    let rule = || pattern(LABEL_KEY_RULE, LABEL_KEY, &["MyName", "my.name", "123-abc"]);
    let mut problems = vec![];
    let name = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            }
            let found = if prefix.is_empty() { vec![] } else { subdomain(prefix) };
            problems.extend(found.into_iter().map(|problem| format!("prefix part {problem}")));
            *name
        }
        _ => {
            let rule = rule();
            return vec![format!(
                "a valid label key {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        problems.push(format!("name part {}", too_long(63)));
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !is_word(name, inner, |byte| byte.is_ascii_alphanumeric()) {
        problems.push(format!("name part {}", rule()));
    }
    problems
}

/// `IsValidLabelValue`
pub(crate) fn label_value(value: &str) -> Vec<String> {
    if is_label_value(value) {
        return vec![];
    }
    let mut problems = vec![];
    if value.len() > 63 {
        problems.push(too_long(63));
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !is_word(value, inner, |byte| byte.is_ascii_alphanumeric()) {
        problems.push(pattern(LABEL_VALUE_RULE, &format!("({LABEL_KEY})?"), &["MyValue", "my_value", "12345"]));
    }
    problems
}

/// `IsDNS1123Subdomain`
pub(crate) fn subdomain(name: &str) -> Vec<String> {
    let mut problems = vec![];
    if name.len() > 253 {
        problems.push(too_long(253));
    }
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.split('.').all(|label| is_word(label, |byte| letter(byte) || byte == b'-', letter)) {
        problems.push(pattern(SUBDOMAIN_RULE, SUBDOMAIN, &["example.com"]));
    }
    problems
}

/// `IsDNS1035Label`
pub(crate) fn label_1035(name: &str) -> Vec<String> {
    let mut problems = vec![];
    if name.len() > 63 {
        problems.push(too_long(63));
    }
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if !starts || !is_word(name, |byte| letter(byte) || byte == b'-', letter) {
        problems.push(pattern(LABEL_1035_RULE, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    problems
}

/// `IsPathSegmentName`
pub(crate) fn path_segment(name: &str) -> Vec<String> {
    if matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].iter().filter(|part| name.contains(**part)).map(|part| format!("may not contain '{part}'")).collect()
}

/// `isCELIdentifier` of pkg/apis/admissionregistration/validation.
pub(crate) fn is_cel_identifier(name: &str) -> bool {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&name)
}

fn is_word(text: &str, inner: impl Fn(u8) -> bool, end: impl Fn(u8) -> bool) -> bool {
    let (Some(&first), Some(&last)) = (text.as_bytes().first(), text.as_bytes().last()) else { return false };
    end(first) && end(last) && text.bytes().all(inner)
}
