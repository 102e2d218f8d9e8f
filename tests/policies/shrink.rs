//! Makes a line on which the two differ as small as it still does.

use serde_json::{Value, json};

use super::compare::{Judge, difference};
use super::oracle::Oracle;
use super::settled;

/// How many smaller lines are tried in one go.
const TRIED: usize = 60;

/// What no stored policy and no request is without.
const KEPT: [&str; 23] = [
    "apiGroups",
    "apiVersion",
    "apiVersions",
    "expression",
    "group",
    "key",
    "kind",
    "matchConstraints",
    "metadata",
    "name",
    "namespace",
    "op",
    "operation",
    "operations",
    "operator",
    "patchType",
    "policyName",
    "resource",
    "resourceRules",
    "resources",
    "spec",
    "valueExpression",
    "version",
];

/// The smallest line.
pub(crate) struct Smallest {
    /// What it is about: reports of the same form are alike.
    pub(crate) form: String,
    /// The line, with both answers.
    pub(crate) report: String,
}

/// A part that is removed, or replaced by something shorter.
struct Edit {
    path: String,
    by: Option<Value>,
}

/// Finds it.
pub(crate) fn shrink(oracle: &Oracle, judge: &mut Judge, line: &Value, what: &str) -> Smallest {
    let mut smallest = line.clone();
    let mut from = 0;
    loop {
        let edits = edits(&smallest);
        if from >= edits.len() {
            break;
        }
        let tried = &edits[from..edits.len().min(from + TRIED)];
        let lines: Vec<Value> = tried.iter().map(|edit| edited(&smallest, &[edit])).collect();
        let fit = differing(oracle, judge, &lines, what);
        let fit: Vec<&Edit> = tried.iter().zip(fit).filter(|(_, fits)| *fits).map(|(edit, _)| edit).collect();
        // All that may be gone by itself may mostly be gone together.
        let together: Vec<Value> = std::iter::successors(Some(fit.len()), |count| (*count > 1).then_some(count / 2))
            .map(|count| edited(&smallest, &fit[..count.min(fit.len())]))
            .collect();
        let fits = differing(oracle, judge, &together, what);
        match fits.iter().position(|fits| *fits).filter(|_| !fit.is_empty()) {
            Some(index) => (smallest, from) = (together[index].clone(), 0),
            None => from += TRIED,
        }
    }
    let (ours, theirs) = (judge.answer(&smallest), &oracle.answers(std::slice::from_ref(&smallest))[0]);
    let form = format!("{what} {} {}", ours[what], theirs[what]);
    let row = json!({ "line": smallest, "answer": theirs });
    let report = format!("{what}:\n  ours   {}\n  theirs {}\n  {row}", ours[what], theirs[what]);
    Smallest { form, report }
}

/// Which lines differ in the same.
fn differing(oracle: &Oracle, judge: &mut Judge, lines: &[Value], what: &str) -> Vec<bool> {
    let answers = oracle.answers(lines);
    let mut differs = |line: &Value, theirs: &Value| difference(&judge.answer(line), theirs).as_deref() == Some(what);
    let mut all: Vec<bool> = lines.iter().zip(&answers).map(|(line, theirs)| differs(line, theirs)).collect();
    // Where the oracle's answer is random, asking once more will tell.
    for (line, differs) in lines.iter().zip(&mut all).filter(|(_, differs)| **differs).take(1) {
        *differs = settled(oracle, line, &judge.answer(line)).as_deref() == Some(what);
    }
    all
}

/// The line with these edits, the last path first: what stands behind in a list keeps its place.
fn edited(line: &Value, edits: &[&Edit]) -> Value {
    let mut ordered = edits.to_vec();
    ordered.sort_by(|left, right| order(&right.path).cmp(&order(&left.path)));
    let mut line = line.clone();
    for edit in ordered {
        let (parent, key) = edit.path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        match (line.pointer_mut(parent), &edit.by) {
            (Some(Value::Array(items)), None) => {
                let index: usize = key.parse().unwrap();
                if index < items.len() {
                    items.remove(index);
                }
            }
            (Some(Value::Object(fields)), None) => drop(fields.remove(&key)),
            (Some(Value::Object(fields)), Some(by)) => drop(fields.insert(key, by.clone())),
            _ => {}
        }
    }
    line
}

fn order(path: &str) -> Vec<(usize, &str)> {
    path.split('/').map(|key| (key.parse().unwrap_or_default(), key)).collect()
}

/// What can be taken from a line, the largest first.
fn edits(line: &Value) -> Vec<Edit> {
    let mut edits = Vec::new();
    walk(line, &mut String::new(), &mut |path, value| {
        let key = path.rsplit('/').next().unwrap_or_default();
        let is_kept = KEPT.contains(&key) && !path.contains("bject/spec/") && !path.contains("bject/metadata/labels");
        let only = line.pointer(path.rsplit_once('/').map_or("", |(parent, _)| parent)).and_then(Value::as_array);
        let is_rule = path.contains("esourceRules/") && only.is_some_and(|items| items.len() == 1);
        let size = value.to_string().len();
        if !is_kept && !is_rule && path != "/request" && path != "/policies" {
            edits.push((size, Edit { path: path.to_owned(), by: None }));
        }
        if let Some(text) = value.as_str().filter(|_| key.to_lowercase().ends_with("expression")) {
            for by in ["true", "'x'", "object", "[]", "Object{}"].into_iter().chain(sides(text)) {
                if by.len() < text.len() {
                    edits.push((text.len() - by.len(), Edit { path: path.to_owned(), by: Some(by.into()) }));
                }
            }
        }
    });
    edits.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    edits.into_iter().map(|(_, edit)| edit).collect()
}

fn walk(value: &Value, path: &mut String, visit: &mut impl FnMut(&str, &Value)) {
    let length = path.len();
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        _ => vec![],
    };
    for (key, child) in children {
        path.push('/');
        path.push_str(&key);
        visit(path, child);
        walk(child, path, visit);
        path.truncate(length);
    }
}

/// Both sides of the first operator, for each.
fn sides(text: &str) -> impl Iterator<Item = &str> {
    [" && ", " || ", " ? ", " : ", " + "]
        .into_iter()
        .filter_map(|sign| text.split_once(sign))
        .flat_map(|(left, right)| [left, right])
}
