//! The notation of keys and values of labels and annotations.
//!
//! Source: k8s.io/apimachinery, `util/validation` (IsQualifiedName, IsValidLabelValue, IsDNS1123Subdomain).

/// Whether this can be the key of a label: `team`, `example.com/team`. At most 63 characters for the name and 253 for the
/// prefix, which is a DNS subdomain.
pub fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        None => is_name(key),
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
    }
}

/// Whether this can be the key of an annotation: as a label's, but its prefix may have upper-case letters.
pub fn is_annotation_key(key: &str) -> bool {
    match key.split_once('/') {
        None => is_name(key),
        Some((prefix, name)) => is_subdomain(&prefix.to_ascii_lowercase()) && is_name(name),
    }
}

/// Whether this can be the value of a label: empty, or at most 63 letters, digits, `-`, `_` and `.`, the first and the last
/// a letter or digit.
pub fn is_label_value(value: &str) -> bool {
    value.is_empty() || is_name(value)
}

fn is_name(name: &str) -> bool {
    name.len() <= 63 && is_word(name, |byte| byte.is_ascii_alphanumeric(), b"-_.")
}

/// Whether this can be the name of a host, or of most objects: `db.example.com`. At most 253 lower-case letters, digits, `-`
/// and `.`.
pub fn is_subdomain(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 253 && name.split('.').all(|label| is_word(label, is_letter, b"-"))
}

/// Made of letters, and of `inner` everywhere but at both ends.
fn is_word(text: &str, is_letter: impl Fn(u8) -> bool, inner: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (text.as_bytes().first(), text.as_bytes().last()) else {
        return false;
    };
    is_letter(first) && is_letter(last) && text.bytes().all(|byte| is_letter(byte) || inner.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_keys_as_the_api_server_does() {
        let long = "a".repeat(63);
        for key in ["team", "a", "1a", "A.b_c-d", "example.com/team", "x/y", long.as_str()] {
            assert!(is_label_key(key) && is_annotation_key(key), "{key}");
        }
        assert!(is_annotation_key("Example.com/team") && !is_label_key("Example.com/team"));
    }

    #[test]
    fn rejects_what_no_object_can_carry() {
        let long = "a".repeat(64);
        for key in ["", "/", "a/", "/a", "-a", "a-", "a b", "a/b/c", "ü", ".com/a", "a..b/c", long.as_str()] {
            assert!(!is_label_key(key) && !is_annotation_key(key), "{key}");
        }
        assert!(!is_label_key(&format!("{}/a", "a.".repeat(127))));
    }

    #[test]
    fn knows_values_of_labels() {
        assert!(is_label_value("") && is_label_value("v1.2_3-x") && is_label_value(&"a".repeat(63)));
        assert!(
            !is_label_value(" ") && !is_label_value("a/b") && !is_label_value("-") && !is_label_value(&"a".repeat(64))
        );
    }
}
