//! A walk along a JSON Schema: all unknown, mistyped and missing fields and all values that are not accepted.
//!
//! It knows what schemars generates (JSON Schema 2020-12) and need not be complete: what it lets pass, serde refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::decode::{head, missing, mistyped, shorten, unknown};
use super::diagnostic::Diagnostic;
use super::schema_words::{Words, accepts_kind, bounds, literal_names, literals, resolve};
use super::source::SourceFile;
use super::tree::{Kind, Map, Spanned};
use crate::near_name;

/// How many schemas are held against values before the walk gives up and leaves the rest to serde: alternatives
/// inside alternatives multiply.
const STEPS: usize = 200_000;

/// All problems of a tree that its schema can tell.
pub(super) fn walk(file: &Arc<SourceFile>, schema: &Value, node: &Spanned) -> Vec<Diagnostic> {
    let mut walk = Walk { file, root: schema, steps: 0, problems: Vec::new() };
    walk.check(schema, node);
    walk.problems
}

struct Walk<'a> {
    file: &'a Arc<SourceFile>,
    root: &'a Value,
    steps: usize,
    problems: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn check(&mut self, schema: &'a Value, node: &Spanned) {
        self.steps += 1;
        if self.steps > STEPS {
            return;
        }
        if *schema == Value::Bool(false) {
            let problem = Diagnostic::error(self.file, head(node), "nothing is accepted here");
            return self.problems.push(problem);
        }
        if !accepts_kind(self.root, schema, &node.kind) {
            return self.mistyped(schema, node);
        }
        if let Some(target) = resolve(self.root, schema) {
            self.check(target, node);
        }
        for part in list(schema, "allOf") {
            self.check(part, node);
        }
        if schema.get("enum").is_some() || schema.get("const").is_some() {
            return self.literal(schema, node);
        }
        for alternatives in ["oneOf", "anyOf"] {
            if schema.get(alternatives).is_some() {
                self.alternatives(list(schema, alternatives), schema, node);
            }
        }
        match &node.kind {
            Kind::Map(map) => self.map(schema, node, map),
            Kind::List(items) => self.list(schema, node, items),
            Kind::String(text) => self.length(schema, node, text.value.chars().count(), "Length", "characters"),
            Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) => self.number(schema, node),
            Kind::Null | Kind::Bool(_) => {}
        }
    }

    fn mistyped(&mut self, schema: &Value, node: &Spanned) {
        let expected = Words { root: self.root }.one(schema);
        self.problems.push(mistyped(self.file, node, &expected));
    }

    fn error(&mut self, node: &Spanned, message: String) {
        self.problems.push(Diagnostic::error(self.file, head(node), message));
    }

    fn number(&mut self, schema: &Value, node: &Spanned) {
        let (low, high) = bounds(schema);
        let inside = match node.kind {
            Kind::Int(value) => {
                low.is_none_or(|low| low <= value.into()) && high.is_none_or(|high| high >= value.into())
            }
            Kind::UInt(value) => {
                low.is_none_or(|low| low <= value.into()) && high.is_none_or(|high| high >= value.into())
            }
            // Whole numbers as bounds are all that is compared.
            _ => true,
        };
        if !inside {
            self.mistyped(schema, node);
        }
    }

    /// `minLength` and its like.
    fn length(&mut self, schema: &Value, node: &Spanned, length: usize, what: &str, unit: &str) {
        let limit = |side: &str| schema.get(format!("{side}{what}")).and_then(Value::as_u64);
        let length = length as u64;
        if let Some(least) = limit("min").filter(|least| length < *least) {
            self.error(node, format!("expected at least {least} {unit}, found {length}"));
        }
        if let Some(most) = limit("max").filter(|most| length > *most) {
            self.error(node, format!("expected at most {most} {unit}, found {length}"));
        }
    }

    fn list(&mut self, schema: &'a Value, node: &Spanned, items: &[Spanned]) {
        self.length(schema, node, items.len(), "Items", "items");
        let first = list(schema, "prefixItems");
        for (schema, item) in first.iter().zip(items) {
            self.check(schema, item);
        }
        for item in items.iter().skip(first.len()) {
            if let Some(schema) = schema.get("items") {
                self.check(schema, item);
            }
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut seen = BTreeSet::new();
            for item in items {
                if !seen.insert(item.to_value().to_string()) {
                    self.error(item, "the list holds this item twice".to_owned());
                }
            }
        }
    }

    fn map(&mut self, schema: &'a Value, node: &Spanned, map: &Map) {
        self.length(schema, node, map.entries.len(), "Properties", "fields");
        let own = schema.get("properties").and_then(Value::as_object);
        let rest = schema.get("additionalProperties");
        for entry in &map.entries {
            match (own.and_then(|own| own.get(&entry.key)), rest) {
                // A null field is an absent field.
                (Some(_), _) if entry.value.kind == Kind::Null => {}
                (None, Some(Value::Bool(false))) => {
                    let names = own.into_iter().flatten().map(|(name, _)| name.as_str());
                    self.problems.push(unknown(self.file, entry, names));
                }
                (Some(schema), _) | (None, Some(schema)) => self.check(schema, &entry.value),
                (None, None) => {}
            }
        }
        for name in list(schema, "required").iter().filter_map(Value::as_str) {
            if map.get(name).is_none_or(|value| value.kind == Kind::Null) {
                self.problems.push(missing(self.file, node, name));
            }
        }
        // What schemars writes for flattened structs: a field is known if any part of the schema names it.
        if schema.get("unevaluatedProperties") == Some(&Value::Bool(false)) {
            let names = Words { root: self.root }.names(schema);
            for entry in map.entries.iter().filter(|entry| !names.contains(entry.key.as_str())) {
                self.problems.push(unknown(self.file, entry, names.iter().copied()));
            }
        }
    }

    /// A value that must be one of a few.
    fn literal(&mut self, schema: &'a Value, node: &Spanned) {
        let accepted = literals(self.root, schema).unwrap_or_default();
        let value = node.to_value();
        if accepted.iter().any(|accepted| **accepted == value) {
            return;
        }
        let names = literal_names(&accepted);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match &node.kind {
            Kind::String(text) => {
                let hint = near_name::hint(&text.value, names);
                self.error(node, format!("unknown value `{}`{hint}", shorten(&text.value)));
            }
            _ => self.problems.push(mistyped(self.file, node, &near_name::one_of(&names))),
        }
    }

    /// `oneOf` and `anyOf`: of the alternatives that can be meant, the problems of the one with the fewest.
    fn alternatives(&mut self, all: &'a [Value], whole: &'a Value, node: &Spanned) {
        if literals(self.root, whole).is_some() {
            return self.literal(whole, node);
        }
        let mut meant: Vec<&'a Value> = all.iter().filter(|one| accepts_kind(self.root, one, &node.kind)).collect();
        if let Kind::String(text) = &node.kind
            && meant.iter().all(|one| literals(self.root, one).is_some())
        {
            // Names of variants without content, beside others that are maps.
            let accepted: Vec<&Value> = meant.iter().filter_map(|one| literals(self.root, one)).flatten().collect();
            if !accepted.iter().any(|one| one.as_str() == Some(&text.value)) {
                let names = accepted.iter().filter_map(|one| one.as_str());
                let hint = near_name::hint(&text.value, names);
                self.error(node, format!("unknown value `{}`{hint}", shorten(&text.value)));
            }
            return;
        }
        if let Kind::Map(map) = &node.kind {
            match self.by_tag(&meant, node, map) {
                Some(chosen) => meant = chosen,
                None => return,
            }
        }
        let before = self.problems.len();
        let mut best: Option<Vec<Diagnostic>> = None;
        for alternative in meant {
            self.check(alternative, node);
            let problems = self.problems.split_off(before);
            if best.as_ref().is_none_or(|best| problems.len() < best.len()) {
                best = Some(problems);
            }
            if best.as_ref().is_some_and(Vec::is_empty) {
                break;
            }
        }
        self.problems.extend(best.unwrap_or_default());
    }

    /// Narrows alternatives by what tells serde's variants apart: a field that is constant in each of them, or the one
    /// field that each of them requires. None when that field is wrong, and reported.
    fn by_tag(&mut self, meant: &[&'a Value], node: &Spanned, map: &Map) -> Option<Vec<&'a Value>> {
        let words = Words { root: self.root };
        if let Some((tag, names)) = words.constant_field(meant) {
            let Some(entry) = map.entry(tag) else {
                let problem = missing(self.file, node, tag);
                self.problems.push(problem.help(format!("it takes {}", near_name::one_of(&names))));
                return None;
            };
            let chosen: Vec<&Value> = meant
                .iter()
                .zip(&names)
                .filter(|(_, name)| entry.value.as_str() == Some(name))
                .map(|(one, _)| *one)
                .collect();
            if !chosen.is_empty() {
                return Some(chosen);
            }
            match entry.value.as_str() {
                Some(text) => {
                    let hint = near_name::hint(text, names);
                    self.error(&entry.value, format!("unknown value `{}`{hint}", shorten(text)));
                }
                None => self.problems.push(mistyped(self.file, &entry.value, &near_name::one_of(&names))),
            }
            return None;
        }
        if let Some(names) = words.only_fields(meant) {
            let chosen = |(one, name): (&&'a Value, &&str)| map.entry(name).map(|_| *one);
            let chosen: Vec<&Value> = meant.iter().zip(&names).filter_map(chosen).collect();
            if let [entry] = map.entries.as_slice()
                && chosen.is_empty()
            {
                self.problems.push(unknown(self.file, entry, names));
                return None;
            }
            if chosen.len() != 1 {
                let message = format!("expected a map with a single field, {}", near_name::one_of(&names));
                self.error(node, message);
                return None;
            }
            return Some(chosen);
        }
        Some(meant.to_vec())
    }
}

fn list<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
