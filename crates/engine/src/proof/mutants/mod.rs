//! Small changes of policies: a test that notices none of them shows little.
//!
//! [`mutants`] makes them of a unit's documents, each at its place in the text: of expressions an operator, a bound, a condition
//! or a literal, of everything else an entry, a setting or an operation of a match rule. Changes that
//! leave an expression's tree as it is are left out; those that no longer compile are found when they are compiled.

mod document;
mod expression;

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::document::{Kind, Limits, Place, SourceFile, Spanned, from_tree, parse};
use crate::unit::{API_VERSION, Unit};

/// The most changes that are made of one unit: those in the first documents.
pub const MOST: usize = 5_000;

/// A small change of one policy.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The policy's name.
    pub policy: String,
    /// Where it was changed.
    pub place: Place,
    /// What was changed: `` `<=` to `<` ``.
    pub what: String,
    /// The file of the unit.
    file: usize,
    /// The position of the document in the file; within a ConfigMap also the key and the position in its text.
    document: usize,
    within: Option<Within>,
    change: Change,
}

/// What is changed in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// What is at a JSON pointer becomes this.
    Set(String, Value),
    /// What is at a JSON pointer goes.
    Remove(String),
}

/// A change of a document, before it has its place in the unit.
#[derive(Clone, Debug)]
struct Made {
    /// The string that it is in, or the value; and of the string, which part.
    pointer: String,
    part: Option<Range<usize>>,
    what: String,
    change: Change,
}

/// The small changes of a unit's policies, in the order of its text.
pub fn mutants(unit: &Unit) -> Vec<Mutant> {
    let mut all = vec![];
    for (file, source) in unit.files.iter().enumerate() {
        for (document, tree) in parse(source, &Limits::default()).documents.iter().enumerate() {
            for (within, tree, outer) in policies(tree) {
                let Some(name) = tree.at("/metadata/name").and_then(Spanned::as_str) else { continue };
                for made in document::changes(&tree) {
                    let place = place(source, &tree, outer.as_ref(), &made);
                    let Made { what, change, .. } = made;
                    let (policy, within) = (name.to_owned(), within.clone());
                    all.push(Mutant { policy, place, what, file, document, within, change });
                }
            }
        }
    }
    all.truncate(MOST);
    all
}

/// A key of a ConfigMap, and the position of a document in its text.
type Within = (String, usize);
/// The text of a key of a ConfigMap.
type Outer = crate::document::Text;

/// The policies of a document: itself, or those in the keys of a ConfigMap, with the key's text around them.
fn policies(tree: &Spanned) -> Vec<(Option<Within>, Spanned, Option<Outer>)> {
    let text = |pointer: &str| tree.at(pointer).and_then(Spanned::as_str).unwrap_or_default();
    match (text("/apiVersion"), text("/kind")) {
        (API_VERSION, "Policy") => vec![(None, tree.clone(), None)],
        (version, "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy")
            if version.starts_with("admissionregistration.k8s.io/") =>
        {
            vec![(None, tree.clone(), None)]
        }
        ("v1", "ConfigMap") => {
            let Some(data) = tree.at("/data").and_then(Spanned::as_map) else { return vec![] };
            let mut found = vec![];
            for entry in &data.entries {
                let Kind::String(text) = &entry.value.kind else { continue };
                let inner = SourceFile::new("", text.value.as_str());
                for (position, tree) in parse(&inner, &Limits::default()).documents.iter().enumerate() {
                    let own = policies(tree).into_iter().filter(|(within, ..)| within.is_none());
                    let within = Some((entry.key.clone(), position));
                    found.extend(own.map(|(_, tree, _)| (within.clone(), tree, Some(text.clone()))));
                }
            }
            found
        }
        _ => vec![],
    }
}

/// Where a change is in the file.
fn place(source: &Arc<SourceFile>, tree: &Spanned, outer: Option<&Outer>, made: &Made) -> Place {
    // Places within the key of a ConfigMap are those of its text, which is a file of its own.
    let inner = outer.map(|outer| SourceFile::new("", outer.value.as_str()));
    let file = inner.as_ref().unwrap_or(source);
    let span = match (tree.at(&made.pointer).map(|node| &node.kind), &made.part) {
        (Some(Kind::String(text)), Some(part)) => text.raw_range(file, part.clone()),
        _ => tree.place(&made.pointer),
    };
    let span = outer.map_or(span.clone(), |outer| outer.raw_range(source, span));
    Place { file: Arc::clone(source), span }
}

impl Mutant {
    /// The unit with the change: its other documents say the same as before, written as JSON.
    ///
    /// None where the unit is not the one that the change was made of.
    pub fn applied(&self, unit: &Unit) -> Option<Unit> {
        let mut unit = unit.clone();
        let source = unit.files.get(self.file)?;
        let mut documents = values(source)?;
        let document = documents.get_mut(self.document)?;
        match &self.within {
            None => self.change.apply(document)?,
            Some((key, position)) => {
                let text = document.get_mut("data")?.get_mut(key)?;
                let mut inner = values(&SourceFile::new("", text.as_str()?))?;
                self.change.apply(inner.get_mut(*position)?)?;
                *text = Value::String(written(&inner));
            }
        }
        let source = SourceFile::new(source.name(), written(&documents));
        *unit.files.get_mut(self.file)? = source;
        Some(unit)
    }
}

fn values(source: &Arc<SourceFile>) -> Option<Vec<Value>> {
    parse(source, &Limits::default()).documents.iter().map(|document| from_tree(document).ok()).collect()
}

fn written(documents: &[Value]) -> String {
    documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
}

impl Change {
    fn apply(&self, document: &mut Value) -> Option<()> {
        match self {
            Self::Set(pointer, value) => *document.pointer_mut(pointer)? = value.clone(),
            Self::Remove(pointer) => {
                let (parent, key) = pointer.rsplit_once('/')?;
                match document.pointer_mut(parent)? {
                    Value::Array(items) => {
                        let position: usize = key.parse().ok()?;
                        if position >= items.len() {
                            return None;
                        }
                        items.remove(position);
                    }
                    Value::Object(fields) => {
                        fields.remove(&key.replace("~1", "/").replace("~0", "~"))?;
                    }
                    _ => return None,
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
