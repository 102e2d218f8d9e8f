//! `--update`: what happens is written into the cases that expect nothing. Text is put in, never changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use admittance_engine::document::{Diagnostic, SourceFile};
use admittance_engine::json::{Arena, read};
use admittance_engine::proof::case::Observed;
use admittance_engine::unit::policy_test::{Case, Expect};
use admittance_engine::unit::{Unit, compile};

use super::run::Run;

/// The files that were written, with the number of cases in each; and what could not be.
pub(super) fn write(run: &Run<'_>) -> (Vec<(String, usize)>, Vec<String>) {
    let (mut files, mut problems) = (BTreeMap::<String, (Arc<SourceFile>, Vec<(usize, String)>)>::new(), vec![]);
    for (_, case, report) in run.cases.iter().filter(|(_, case, _)| case.expect.is_empty()) {
        let file = &case.place.file;
        let Some(observed) = &report.observed else {
            problems.extend(report.diagnostics().iter().map(ToString::to_string));
            continue;
        };
        match insertion(case, file.text(), observed) {
            Some(edit) => {
                let (_, edits) =
                    files.entry(file.name().to_owned()).or_insert_with(|| (Arc::clone(file), Vec::new()));
                edits.push(edit);
            }
            None => problems.push(format!(
                "{}: nothing can be put into the case as it is written: write `expect: {{}}` into it, or take `expect` away",
                case.place
            )),
        }
    }
    let mut written = Vec::new();
    for (name, (file, mut edits)) in files {
        let cases = edits.len();
        // From the end on: what stands before keeps its place.
        edits.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let mut text = file.text().to_owned();
        for (at, insert) in edits {
            text.insert_str(at, &insert);
        }
        let outcome = check(&name, &text, run, cases)
            .and_then(|()| fs::write(&name, &text).map_err(|error| format!("cannot write {name:?}: {error}")));
        match outcome {
            Ok(()) => written.push((name, cases)),
            Err(problem) => problems.push(problem),
        }
    }
    (written, problems)
}

/// Whether the new text says what it should: the same cases, of which so many more expect something.
fn check(name: &str, text: &str, run: &Run<'_>, cases: usize) -> Result<(), String> {
    let first = |problems: Vec<Diagnostic>| problems.first().map(ToString::to_string).unwrap_or_default();
    let unit = compile(&Unit::of_file(SourceFile::new(name, text)));
    let unit = unit.map_err(|problems| format!("{name} is left as it is: {}", first(problems)))?;
    let now: Vec<(&str, bool)> = unit
        .tests()
        .iter()
        .flat_map(|test| &test.cases)
        .map(|case| (case.name.as_str(), case.expect.is_empty()))
        .collect();
    let before = run.cases.iter().filter(|(_, case, _)| case.place.file.name() == name);
    let before: Vec<(&str, bool)> = before.map(|(_, case, _)| (case.name.as_str(), case.expect.is_empty())).collect();
    let empty = |cases: &[(&str, bool)]| cases.iter().filter(|(_, is_empty)| *is_empty).count();
    let is_same = now.len() == before.len() && now.iter().zip(&before).all(|(now, before)| now.0 == before.0);
    if is_same && empty(&now) + cases == empty(&before) {
        Ok(())
    } else {
        Err(format!("{name} is left as it is: an expectation would not stand where it belongs"))
    }
}

/// Where to put what. None where the case is written in a way that nothing can be added to.
fn insertion(case: &Case, text: &str, observed: &Observed) -> Option<(usize, String)> {
    let Expect { key, place, .. } = &case.expect;
    if let Some(place) = place {
        // `{}` is there: the fields go between the braces.
        let inner = text.get(place.span.clone())?.strip_prefix('{')?.strip_suffix('}')?;
        return inner.trim().is_empty().then(|| (place.span.start + 1, format!(" {} ", flow(observed))));
    }
    let whole = &case.whole.span;
    if text.get(whole.clone())?.starts_with('{') {
        if key.is_some() {
            return None;
        }
        let inner = text.get(whole.start..whole.end.checked_sub(1)?)?.trim_end();
        let comma = if inner.ends_with(',') { "" } else { "," };
        return Some((whole.start + inner.len(), format!("{comma} expect: {{ {} }}", flow(observed))));
    }
    let line_start = text.get(..whole.start)?.rfind('\n').map_or(0, |at| at + 1);
    let column = text.get(line_start..whole.start)?.chars().count();
    let indent = " ".repeat(column);
    let line_end = |from: usize| Some(text.get(from..)?.find('\n').map_or(text.len(), |at| from + at));
    match key {
        None => {
            let at = line_end(whole.end.saturating_sub(1).max(whole.start))?;
            Some((at, format!("\n{indent}expect:{}", block(observed, &format!("{indent}  ")))))
        }
        Some(key) => {
            // `expect:` with nothing behind it, but perhaps a comment.
            let end = line_end(key.span.end)?;
            let rest = text.get(key.span.end..end)?.trim_start().strip_prefix(':')?.trim();
            (rest.is_empty() || rest.starts_with('#')).then(|| (end, block(observed, &format!("{indent}  "))))
        }
    }
}

/// Each field with its value as JSON; the object apart.
fn fields(observed: &Observed) -> Vec<(&'static str, String)> {
    let json = |texts: &[String]| serde_json::to_string(texts).unwrap_or_default();
    let mut fields = vec![("allowed", observed.allowed.to_string())];
    if !observed.policies.is_empty() {
        fields.push(("policies", format!("[{}]", observed.policies.join(", "))));
    }
    if let Some(message) = &observed.message {
        fields.push(("message", serde_json::to_string(message).unwrap_or_default()));
    }
    if !observed.warnings.is_empty() {
        fields.push(("warnings", json(&observed.warnings)));
    }
    if !observed.errors.is_empty() {
        fields.push(("errors", json(&observed.errors)));
    }
    fields
}

/// The object after mutation, of a request that is allowed.
fn object(observed: &Observed) -> Option<&str> {
    observed.mutated.as_deref().filter(|_| observed.allowed)
}

fn flow(observed: &Observed) -> String {
    let fields = fields(observed).into_iter().map(|(name, value)| format!("{name}: {value}"));
    let object = object(observed).map(|object| format!("object: {object}"));
    fields.chain(object).collect::<Vec<_>>().join(", ")
}

fn block(observed: &Observed, indent: &str) -> String {
    let mut text = String::new();
    for (name, value) in fields(observed) {
        let _ = write!(text, "\n{indent}{name}: {value}");
    }
    if let Some(object) = object(observed) {
        let arena = Arena::with_limit(64 << 20);
        let node = read(&arena, object).unwrap_or_default();
        let yaml = crate::output::yaml_diff::yaml(node);
        let _ = write!(text, "\n{indent}object:");
        for line in yaml.lines() {
            let _ = write!(text, "\n{indent}  {line}");
        }
    }
    text
}
