//! A policy one step further, in its author's own text: from Audit to Warn to Deny, or to Mutate. Nothing but the one word
//! changes, so that comments and formatting stay.

use std::ops::Range;
use std::sync::Arc;

use admittance_engine::document::{Kind, Limits, SourceFile, Spanned, parse};

/// The step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The file that the policy, or its binding, stands in.
    pub file: Arc<SourceFile>,
    /// The action that it has, and the one that it gets.
    pub from: &'static str,
    /// The one that it gets.
    pub to: &'static str,
    /// The file's whole text after it.
    pub text: String,
    /// The document alone, as it stands in that.
    pub document: String,
}

/// Where a policy says what is done: its actions, as words with their places.
struct Said {
    file: Arc<SourceFile>,
    words: Vec<(String, Range<usize>)>,
}

/// The step of a policy that stands in one of these files.
///
/// # Errors
/// One line: no such policy, several bindings, or a policy that does all it can already.
pub fn step(files: &[Arc<SourceFile>], policy: &str, mutates: bool) -> Result<Step, String> {
    let mut found = vec![];
    for file in files {
        for document in &parse(file, &Limits::default()).documents {
            find(file, document, policy, &|span| span, &mut found);
        }
    }
    let said = match found.as_slice() {
        [] => return Err(format!("there is no policy `{policy}` here")),
        [said] => said,
        several => {
            let count = several.len();
            return Err(format!("policy `{policy}` has {count} bindings: edit the one that is meant"));
        }
    };
    let word = |word: &str| said.words.iter().find(|(said, _)| said == word);
    let (from, to) = match (mutates, word("Audit"), word("Warn"), word("Deny")) {
        (true, Some(_), ..) => ("Audit", "Mutate"),
        (false, _, _, Some(_)) => return Err(format!("policy `{policy}` denies already")),
        (false, _, Some(_), _) => ("Warn", "Deny"),
        (false, Some(_), ..) => ("Audit", "Warn"),
        (true, ..) => return Err(format!("policy `{policy}` changes objects already")),
        (false, ..) => return Err(format!("policy `{policy}` has no `actions`: it denies already")),
    };
    let span = word(from).map(|(_, span)| span.clone()).unwrap_or_default();
    let (text, file) = (said.file.text(), Arc::clone(&said.file));
    let changed = file.slice(&span).replace(from, to);
    let (before, after) = (file.slice(&(0..span.start)), file.slice(&(span.end..text.len())));
    let text = format!("{before}{changed}{after}");
    let document = around(&text, span.start).to_owned();
    Ok(Step { file, from, to, text, document })
}

/// Looks through a document, the items of a List, and the files in a ConfigMap, whose places lead `out` to the file around.
fn find(
    file: &Arc<SourceFile>,
    document: &Spanned,
    policy: &str,
    out: &dyn Fn(Range<usize>) -> Range<usize>,
    found: &mut Vec<Said>,
) {
    let text = |pointer: &str| document.at(pointer).and_then(Spanned::as_str).unwrap_or_default();
    let actions = match (text("/apiVersion").split('/').next().unwrap_or_default(), text("/kind")) {
        ("admittance.dev", "Policy") if text("/metadata/name") == policy => document.at("/spec/actions"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") if text("/spec/policyName") == policy => {
            document.at("/spec/validationActions")
        }
        ("v1", "List") => {
            if let Some(Kind::List(items)) = document.at("/items").map(|items| &items.kind) {
                items.iter().for_each(|item| find(file, item, policy, out, found));
            }
            return;
        }
        ("v1", "ConfigMap") => {
            for entry in document.at("/data").and_then(Spanned::as_map).into_iter().flat_map(|data| &data.entries) {
                let Kind::String(text) = &entry.value.kind else { continue };
                let inner = SourceFile::new(file.name(), text.value.as_str());
                let out = |span: Range<usize>| out(text.raw_range(file, span));
                for document in &parse(&inner, &Limits::default()).documents {
                    find(file, document, policy, &out, found);
                }
            }
            return;
        }
        _ => return,
    };
    let words = match actions.map(|actions| &actions.kind) {
        Some(Kind::List(items)) => {
            items.iter().filter_map(|item| Some((item.as_str()?.to_owned(), out(item.span.clone())))).collect()
        }
        _ => vec![],
    };
    found.push(Said { file: Arc::clone(file), words });
}

/// The document of a YAML file that a place is in: what stands between lines that begin with `---`.
fn around(text: &str, place: usize) -> &str {
    let mut starts = vec![0];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        offset += line.len();
        if line.starts_with("---") {
            starts.push(offset);
        }
    }
    let start = starts.iter().rev().find(|start| **start <= place).copied().unwrap_or_default();
    let rest = text.get(start..).unwrap_or_default();
    let end = rest
        .split_inclusive('\n')
        .scan(0, |offset, line| {
            let begins = *offset;
            *offset += line.len();
            Some((begins, line))
        })
        .find(|(_, line)| line.starts_with("---"))
        .map_or(rest.len(), |(begins, _)| begins);
    rest.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# the first
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: other }
spec: { module: latest-tag, actions: [Audit] }
---
# what nobody wants
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata:
  name: ports   # of nodes
spec:
  module: host-ports
  actions:
  - \"Audit\"  # for now
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: late }
spec: { module: host-ports, actions: [Audit, Warn] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: bare }
spec: { module: host-ports }
";

    fn of(text: &str, policy: &str, mutates: bool) -> Result<Step, String> {
        step(&[SourceFile::new("p.yaml", text)], policy, mutates)
    }

    #[test]
    fn changes_the_one_word() {
        let one = of(FILE, "ports", false).unwrap();
        assert_eq!((one.from, one.to), ("Audit", "Warn"));
        assert_eq!(one.text, FILE.replace("- \"Audit\"", "- \"Warn\""));
        assert_eq!(
            one.document,
            "\
# what nobody wants
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata:
  name: ports   # of nodes
spec:
  module: host-ports
  actions:
  - \"Warn\"  # for now
"
        );
        let next = of(FILE, "late", false).unwrap();
        assert_eq!((next.from, next.to, &next.text), ("Warn", "Deny", &FILE.replace("[Audit, Warn]", "[Audit, Deny]")));
        assert_eq!(of(FILE, "other", true).unwrap().to, "Mutate");
    }

    #[test]
    fn finds_policies_in_configmaps_lists_and_bindings() {
        let nested = format!(
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n    {}\n",
            FILE.trim_end().replace('\n', "\n    ")
        );
        assert_eq!(of(&nested, "ports", false).unwrap().text, nested.replace("- \"Audit\"", "- \"Warn\""));
        let list = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"admittance.dev/v1alpha1","kind":"Policy","metadata":{"name":"x"},"spec":{"actions":["Warn"]}}]}"#;
        assert_eq!(of(list, "x", false).unwrap().text, list.replace("Warn", "Deny"));
        let binding = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: b}\nspec: {policyName: x, validationActions: [Audit]}\n";
        assert_eq!(of(binding, "x", false).unwrap().text, binding.replace("Audit", "Warn"));
        let twice = format!("{binding}---\n{binding}");
        assert_eq!(of(&twice, "x", false).unwrap_err(), "policy `x` has 2 bindings: edit the one that is meant");
    }

    #[test]
    fn says_where_there_is_no_step() {
        assert_eq!(of(FILE, "none", false).unwrap_err(), "there is no policy `none` here");
        assert_eq!(of(FILE, "bare", false).unwrap_err(), "policy `bare` has no `actions`: it denies already");
        assert_eq!(of(FILE, "bare", true).unwrap_err(), "policy `bare` changes objects already");
        assert_eq!(of(&FILE.replace("Warn", "Deny"), "late", false).unwrap_err(), "policy `late` denies already");
    }
}
