//! `--diff`: what mutation changes, as a unified diff of YAML.

use admittance_engine::json::Node;
use similar::{ChangeTag, TextDiff};

use super::{Colour, Tone};

/// A unified diff with three lines around each change; empty where there is none. Both sides are printed anew, keys in
/// their order, so that the spelling of what stays is the same on both.
pub fn unified(before: Node<'_>, after: Node<'_>, name: &str, colour: Colour) -> String {
    between(before, after, (name, &format!("{name} after mutation")), colour)
}

/// The same with a name for each side.
pub fn between(before: Node<'_>, after: Node<'_>, (from, to): (&str, &str), colour: Colour) -> String {
    let (before, after) = (yaml(before), yaml(after));
    let diff = TextDiff::from_lines(&before, &after);
    let mut text = String::new();
    let mut push = |tone: Option<Tone>, line: &str| {
        let line = line.trim_end_matches('\n');
        text.push_str(&tone.map_or_else(|| line.to_owned(), |tone| colour.paint(tone, line)));
        text.push('\n');
    };
    for (position, hunk) in diff.unified_diff().iter_hunks().enumerate() {
        if position == 0 {
            push(Some(Tone::Strong), &format!("--- {from}"));
            push(Some(Tone::Strong), &format!("+++ {to}"));
        }
        push(Some(Tone::Note), &hunk.header().to_string());
        for change in hunk.iter_changes() {
            let (tone, mark) = match change.tag() {
                ChangeTag::Delete => (Some(Tone::Bad), '-'),
                ChangeTag::Insert => (Some(Tone::Good), '+'),
                ChangeTag::Equal => (None, ' '),
            };
            push(tone, &format!("{mark}{}", change.value()));
        }
    }
    text
}

/// A tree as YAML for people.
pub fn yaml(node: Node<'_>) -> String {
    // A tree of JSON values has nothing that YAML could not say.
    serde_saphyr::to_string_with_options(&node, serde_saphyr::ser_options! { compact_list_indent: true })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use admittance_engine::json::{Arena, read};

    use super::*;

    #[test]
    fn shows_the_changed_lines_and_three_around_them() {
        let arena = Arena::with_limit(1 << 20);
        let before = read(&arena, r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"web","args":["yes","0644","a: b"],"env":[]}]}}"#).unwrap();
        let after = read(&arena, r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"team":"on"}},"spec":{"containers":[{"name":"web","args":["yes","0644","a: b"],"env":[]}]}}"#).unwrap();
        assert_eq!(unified(before, before, "f", Colour::Off), "");
        assert_eq!(
            unified(before, after, "f", Colour::Off),
            "--- f\n+++ f after mutation\n@@ -2,6 +2,8 @@\n kind: Pod\n metadata:\n   name: a\n+  labels:\n+    team: \"on\"\n spec:\n   containers:\n   - name: web\n"
        );
    }
}
