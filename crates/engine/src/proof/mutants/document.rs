//! Changes of a policy's document.

use serde_json::Value;

use super::{Change, Made, expression};
use crate::document::{Kind, Spanned, from_tree};
use crate::modules;

/// The small changes of a policy, in the order of its text.
pub(super) fn changes(tree: &Spanned) -> Vec<Made> {
    let mut found = vec![];
    matched(tree, &mut found);
    settings(tree, &mut found);
    expressions(tree, &mut found);
    found.sort_by_key(|made| tree.place(&made.pointer).start);
    found
}

fn items<'t>(tree: &'t Spanned, pointer: &str) -> &'t [Spanned] {
    match tree.at(pointer).map(|list| &list.kind) {
        Some(Kind::List(items)) => items,
        _ => &[],
    }
}

fn remove(pointer: String, what: String) -> Made {
    Made { change: Change::Remove(pointer.clone()), pointer, part: None, what }
}

fn set(pointer: String, value: Value, what: String) -> Made {
    Made { change: Change::Set(pointer.clone(), value), pointer, part: None, what }
}

/// As it is written, on one line and short.
fn shown(node: &Spanned) -> String {
    let value: Value = from_tree(node).unwrap_or_default();
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// What the policy matches: rules, their operations and resources, selectors, namespaces, conditions.
fn matched(tree: &Spanned, found: &mut Vec<Made>) {
    let rules = "/spec/matchConstraints/resourceRules";
    let all = items(tree, rules);
    for (position, _) in all.iter().enumerate() {
        let rule = format!("{rules}/{position}");
        if all.len() > 1 {
            found.push(remove(rule.clone(), "the rule is removed".to_owned()));
        }
        for field in ["operations", "resources", "apiGroups"] {
            let list = format!("{rule}/{field}");
            let entries = items(tree, &list);
            for (position, entry) in entries.iter().enumerate().filter(|_| entries.len() > 1) {
                found.push(remove(format!("{list}/{position}"), format!("`{}` is removed from {field}", shown(entry))));
            }
        }
    }
    for list in ["/spec/matchConstraints/excludeResourceRules", "/spec/namespaces/include", "/spec/namespaces/exclude"]
    {
        let name = list.rsplit('/').next().unwrap_or_default();
        for (position, entry) in items(tree, list).iter().enumerate() {
            found.push(remove(format!("{list}/{position}"), format!("`{}` is removed from {name}", shown(entry))));
        }
    }
    for selector in ["objectSelector", "namespaceSelector"] {
        for part in ["matchLabels", "matchExpressions"] {
            let pointer = format!("/spec/matchConstraints/{selector}/{part}");
            if tree.at(&pointer).is_some() {
                found.push(remove(pointer, format!("{selector}.{part} is removed")));
            }
        }
    }
    let conditions = "/spec/matchConditions";
    for (position, condition) in items(tree, conditions).iter().enumerate() {
        let name = condition.at("/name").map(shown).unwrap_or_default();
        found.push(remove(format!("{conditions}/{position}"), format!("the matchCondition `{name}` is removed")));
    }
}

/// The module's settings: switches turned, numbers one more and one less, entries and settings taken away.
fn settings(tree: &Spanned, found: &mut Vec<Made>) {
    let Some(module) = tree.at("/spec/module").and_then(Spanned::as_str).and_then(modules::find) else { return };
    let Some(node) = tree.at("/spec/settings") else { return };
    let schema = serde_json::to_value((module.schema)()).unwrap_or_default();
    setting(node, "/spec/settings", "", Some(&schema), found);
}

fn setting(node: &Spanned, pointer: &str, name: &str, schema: Option<&Value>, found: &mut Vec<Made>) {
    let at = || pointer.to_owned();
    match &node.kind {
        Kind::Bool(value) => found.push(set(at(), (!value).into(), format!("{name}: {value} to {}", !value))),
        Kind::Int(value) => {
            for other in [value.checked_add(1), value.checked_sub(1)].into_iter().flatten() {
                found.push(set(at(), other.into(), format!("{name}: {value} to {other}")));
            }
        }
        Kind::List(entries) => {
            let below = schema.and_then(|schema| schema.get("items"));
            for (position, entry) in entries.iter().enumerate() {
                let pointer = format!("{pointer}/{position}");
                found.push(remove(pointer.clone(), format!("`{}` is removed from {name}", shown(entry))));
                if matches!(entry.kind, Kind::Map(_) | Kind::List(_)) {
                    setting(entry, &pointer, name, below, found);
                }
            }
        }
        Kind::Map(map) => {
            for entry in &map.entries {
                let key = entry.key.replace('~', "~0").replace('/', "~1");
                let (pointer, name) = (format!("{pointer}/{key}"), entry.key.as_str());
                let below = schema.and_then(|schema| schema.pointer(&format!("/properties/{key}")));
                let written: Value = from_tree(&entry.value).unwrap_or_default();
                // What says the same as the default does says nothing.
                let is_default = below.and_then(|below| below.get("default")) == Some(&written);
                if !is_default {
                    found.push(remove(pointer.clone(), format!("{name} is removed")));
                }
                setting(&entry.value, &pointer, name, below, found);
            }
        }
        Kind::Null | Kind::UInt(_) | Kind::Float(_) | Kind::String(_) => {}
    }
}

/// Everything in CEL that decides: not messages, and not audit annotations.
fn expressions(tree: &Spanned, found: &mut Vec<Made>) {
    let lists = [
        ("/spec/matchConditions", "/expression"),
        ("/spec/variables", "/expression"),
        ("/spec/validations", "/expression"),
        ("/spec/mutations", "/applyConfiguration/expression"),
        ("/spec/mutations", "/jsonPatch/expression"),
    ];
    for (list, field) in lists {
        let all = items(tree, list);
        for (position, item) in all.iter().enumerate() {
            let pointer = format!("{list}/{position}{field}");
            let Some(Kind::String(text)) = item.at(field).map(|node| &node.kind) else { continue };
            if list == "/spec/validations" {
                found.push(set(pointer.clone(), "true".into(), "the validation is always true".to_owned()));
            }
            if list == "/spec/mutations" && all.len() > 1 {
                found.push(remove(format!("{list}/{position}"), "the mutation is removed".to_owned()));
            }
            for edit in expression::edits(&text.value) {
                let Some(changed) = edit.applied(&text.value) else { continue };
                found.push(Made {
                    change: Change::Set(pointer.clone(), changed.into()),
                    pointer: pointer.clone(),
                    part: Some(edit.span),
                    what: edit.what,
                });
            }
        }
    }
}
