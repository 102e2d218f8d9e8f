//! Makes a line on which the two differ as small as it still does.

use serde_json::{Value, json};

use super::compare::{Judge, difference};
use super::oracle::Oracle;
use super::settled;

/// How many smaller lines are tried in one go, and how often.
const TRIED: usize = 24;
const ROUNDS: usize = 120;

/// The smallest line.
pub(crate) struct Smallest {
    /// What it is about: reports of the same form are alike.
    pub(crate) form: String,
    /// The line, with both answers.
    pub(crate) report: String,
}

/// Finds it.
pub(crate) fn shrink(oracle: &Oracle, judge: &mut Judge, line: &Value, what: &str) -> Smallest {
    let mut smallest = line.clone();
    let mut from = 0;
    for _ in 0..ROUNDS {
        let all = smaller(&smallest);
        if from >= all.len() {
            break;
        }
        let tried = &all[from..all.len().min(from + TRIED)];
        let answers = oracle.answers(tried);
        let next = tried.iter().zip(&answers).position(|(line, theirs)| {
            let ours = judge.answer(line);
            difference(&ours, theirs).as_deref() == Some(what) && settled(oracle, line, &ours).as_deref() == Some(what)
        });
        match next {
            // What stands before it was of no use, and mostly still is.
            Some(index) => (smallest, from) = (tried[index].clone(), (from + index).saturating_sub(2)),
            None => from += TRIED,
        }
    }
    let (ours, theirs) = (judge.answer(&smallest), &oracle.answers(std::slice::from_ref(&smallest))[0]);
    let policy = smallest["policies"].get(0).unwrap_or(&Value::Null);
    let form = format!("{what} {} {} {}", policy["kind"], ours[what], theirs[what]);
    let row = json!({ "line": smallest, "answer": theirs });
    let report = format!("{what}:\n  ours   {}\n  theirs {}\n  {row}", ours[what], theirs[what]);
    Smallest { form, report }
}

/// The line without one of its parts, the largest first; and with plainer texts.
fn smaller(line: &Value) -> Vec<Value> {
    let mut paths = Vec::new();
    walk(line, &mut String::new(), &mut paths);
    paths.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    paths.iter().flat_map(|(path, _)| without(line, path)).collect()
}

fn walk(value: &Value, path: &mut String, paths: &mut Vec<(String, usize)>) {
    let length = path.len();
    let mut visit = |key: String, value: &Value| {
        path.push('/');
        path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        paths.push((path.clone(), value.to_string().len()));
        walk(value, path, paths);
        path.truncate(length);
    };
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| visit(index.to_string(), item)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| visit(key.clone(), value)),
        _ => {}
    }
}

fn without(line: &Value, path: &str) -> Vec<Value> {
    let (parent, key) = path.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    let mut removed = line.clone();
    match removed.pointer_mut(parent).unwrap() {
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        Value::Object(fields) => drop(fields.remove(&key)),
        _ => {}
    }
    let mut all = vec![removed];
    let is_expression = key.to_lowercase().ends_with("expression");
    if let Some(text) = line.pointer(path).and_then(Value::as_str).filter(|_| is_expression) {
        let plain = ["true", "'x'", "object", "[]", "Object{}"];
        for plain in plain.into_iter().chain(halves(text)).filter(|plain| plain.len() < text.len()) {
            let mut changed = line.clone();
            *changed.pointer_mut(path).unwrap() = plain.into();
            all.push(changed);
        }
    }
    all
}

/// Both sides of the first operator.
fn halves(text: &str) -> Vec<&str> {
    [" && ", " || ", " ? ", " : ", " + ", ", "]
        .into_iter()
        .filter_map(|sign| text.split_once(sign))
        .flat_map(|(left, right)| [left, right])
        .collect()
}
