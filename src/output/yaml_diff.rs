//! `--diff`: what mutation changes, as a unified diff of YAML.

use admittance_engine::json::Node;
use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, DiffOp};

use super::{Colour, Tone};

/// How many lines stand around a change.
const CONTEXT: usize = 3;

/// A unified diff with three lines around each change; empty where there is none. Both sides are printed anew, keys in
/// their order, so that the spelling of what stays is the same on both.
pub fn unified(before: Node<'_>, after: Node<'_>, name: &str, colour: Colour) -> String {
    between(before, after, (name, &format!("{name} after mutation")), colour)
}

/// The same with a name for each side.
pub fn between(before: Node<'_>, after: Node<'_>, (from, to): (&str, &str), colour: Colour) -> String {
    let (before, after) = (yaml(before), yaml(after));
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let mut text = String::new();
    let mut push = |tone: Option<Tone>, line: &str| {
        text.push_str(&tone.map_or_else(|| line.to_owned(), |tone| colour.paint(tone, line)));
        text.push('\n');
    };
    for (position, hunk) in hunks(&before, &after).iter().enumerate() {
        if position == 0 {
            push(Some(Tone::Strong), &format!("--- {from}"));
            push(Some(Tone::Strong), &format!("+++ {to}"));
        }
        push(Some(Tone::Note), &UnifiedHunkHeader::new(hunk).to_string());
        for change in hunk.iter().flat_map(|part| part.iter_changes(before.as_slice(), after.as_slice())) {
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

/// What differs, with what stands around it. Asked of one algorithm by its name: the library's entry for texts holds them all, which
/// is half a megabyte of the program.
fn hunks(before: &[&str], after: &[&str]) -> Vec<Vec<DiffOp>> {
    let mut changes = Compact::new(Replace::new(Capture::new()), before, after);
    let Ok(()) = myers::diff(&mut changes, before, 0..before.len(), after, 0..after.len());
    changes.into_inner().into_inner().into_grouped_ops(CONTEXT)
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
