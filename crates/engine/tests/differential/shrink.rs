//! Makes an expression on which the two differ as small as it still does.

use serde_json::{Value, json};

use super::compare::{difference, our_answer};
use super::generate::plainest;
use super::oracle::Oracle;
use super::tree::Node;

/// How many smaller expressions are tried in one go.
const TRIED: usize = 150;

/// The smallest expression.
pub(crate) struct Smallest {
    /// What it is about: reports of the same form are alike.
    pub(crate) form: String,
    /// The expression, with both answers.
    pub(crate) report: String,
}

/// Finds it.
pub(crate) fn shrink(oracle: &Oracle, node: &Node, line: &Value) -> Smallest {
    let with = |node: &Node| {
        let mut line = line.clone();
        line["expr"] = json!(node.text());
        line
    };
    let mut smallest = node.clone();
    let what = difference(&our_answer(line), &oracle.answers(std::slice::from_ref(line))[0]);
    loop {
        let mut smaller = smallest.smaller(&plainest);
        smaller.retain(|node| node.text().len() < smallest.text().len());
        smaller.sort_by_key(|node| node.text().len());
        smaller.truncate(TRIED);
        let lines: Vec<Value> = smaller.iter().map(with).collect();
        let answers = if lines.is_empty() { Vec::new() } else { oracle.answers(&lines) };
        let next = lines.iter().zip(&answers).position(|(line, theirs)| {
            let found = difference(&our_answer(line), theirs);
            found.is_some() && found == what
        });
        match next {
            Some(index) => smallest = smaller.swap_remove(index),
            None => break,
        }
    }
    let line = with(&smallest);
    let theirs = &oracle.answers(std::slice::from_ref(&line))[0];
    let extra: Vec<String> = ["k8s_version", "authorizer"]
        .iter()
        .filter(|key| line.get(**key).is_some())
        .map(|key| format!("{key}={}", line[*key]))
        .collect();
    let ours = our_answer(&line);
    let report = format!(
        "{}: {}  {}\n  ours   {ours}\n  theirs {theirs}",
        what.unwrap_or_default(),
        smallest.text(),
        extra.join(" ")
    );
    let leaf = smallest.text().split('(').next().unwrap_or_default().to_owned();
    let of = smallest.template.map_or(leaf, |template| template.text.to_owned());
    Smallest { form: format!("{what:?} {of} {} {}", ours["phase"], theirs["phase"]), report }
}
