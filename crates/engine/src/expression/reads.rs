//! Which fields of the object a policy's expressions read: a walk over their trees that follows names, fields, items and macros.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::policy::{CelPolicy, Expression};
use crate::cel::program::Program;
use crate::cel::syntax::{Ast, Comprehension, ExprId, ExprKind, Literal};
use crate::rule::{PathPattern, Reads};

/// The most places that one expression is followed to; beyond them the whole object counts as read.
const MOST: usize = 256;

/// What gives on what it is given, or a part of it.
const PASS_ON: [&str; 14] = [
    "_+_",
    "distinct",
    "dyn",
    "flatten",
    "optional.of",
    "optional.ofNonZeroValue",
    "of",
    "ofNonZeroValue",
    "or",
    "orValue",
    "reverse",
    "slice",
    "sort",
    "value",
];

/// Gives one item of a list.
const ITEM: [&str; 4] = ["first", "last", "max", "min"];

/// A place in the object, and in how many lists or maps of the expression's own it is wrapped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    steps: Vec<String>,
    wraps: u8,
}

type Places = BTreeSet<Place>;

impl CelPolicy {
    /// The fields that decide: what validations and mutations read, by variables too, and where there are none of both the audit
    /// annotations. Messages decide nothing, and what conditions read is told by their texts.
    pub fn reads(&self) -> Reads {
        let mut walk = Walk { policy: self, variables: BTreeMap::new(), read: Found::default() };
        let validations = self.validations.iter().map(|validation| &validation.expression);
        let mutations = self.mutations.iter().map(|(_, expression)| expression);
        let mut deciding: Vec<&Expression> = validations.chain(mutations).collect();
        if deciding.is_empty() {
            deciding = self.annotations.iter().map(|(_, expression)| expression).collect();
        }
        for program in deciding.into_iter().filter_map(|expression| expression.program.as_ref().ok()) {
            walk.whole(program);
        }
        let Found { fields, presence, old } = walk.read;
        let text = |steps: &Vec<String>| PathPattern(written(steps));
        Reads {
            fields: Some(fields.iter().map(text).collect()),
            presence: presence.iter().map(text).collect(),
            old,
            conditions: self.conditions.iter().map(|condition| condition.text.clone()).collect(),
        }
    }
}

/// `spec.containers[*].image`; keys that are no names stand in brackets.
fn written(steps: &[String]) -> String {
    steps.iter().fold(String::new(), |mut text, step| {
        let is_name = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let _ = match (is_name, text.is_empty()) {
            (true, true) => write!(text, "{step}"),
            (true, false) => write!(text, ".{step}"),
            (false, _) => write!(text, "[{step}]"),
        };
        text
    })
}

#[derive(Default)]
struct Found {
    fields: BTreeSet<Vec<String>>,
    presence: BTreeSet<Vec<String>>,
    old: bool,
}

struct Walk<'p> {
    policy: &'p CelPolicy,
    /// What the policy's variables stand for, as far as they were used.
    variables: BTreeMap<String, Places>,
    read: Found,
}

/// One expression, and the names that its macros have bound.
struct Tree<'t> {
    ast: &'t Ast,
    names: Vec<(&'t str, Places)>,
}

impl Walk<'_> {
    fn whole(&mut self, program: &Program) {
        let places = self.program(program);
        self.consume(places);
    }

    fn program(&mut self, program: &Program) -> Places {
        let mut tree = Tree { ast: program.ast(), names: vec![] };
        self.walk(&mut tree, program.ast().root())
    }

    /// The values at these places count.
    fn consume(&mut self, places: Places) {
        if places.len() > MOST {
            self.read.fields.insert(vec![]);
        }
        self.read.fields.extend(places.into_iter().take(MOST).map(|place| place.steps));
    }

    fn each(&mut self, tree: &mut Tree<'_>, parts: impl IntoIterator<Item = ExprId>) -> Places {
        parts.into_iter().flat_map(|part| self.walk(tree, part)).collect()
    }

    fn consume_each(&mut self, tree: &mut Tree<'_>, parts: impl IntoIterator<Item = ExprId>) -> Places {
        let places = self.each(tree, parts);
        self.consume(places);
        Places::new()
    }

    /// What an expression stands for; what it uses up is noted.
    fn walk<'t>(&mut self, tree: &mut Tree<'t>, id: ExprId) -> Places {
        let ast: &'t Ast = tree.ast;
        let Some(expression) = ast.get(id) else { return Places::new() };
        match &expression.kind {
            ExprKind::Literal(_) => Places::new(),
            ExprKind::Ident(name) => self.name(tree, name),
            ExprKind::Select { operand, field, test_only } => {
                if let Some(places) = self.variable(tree, *operand, field) {
                    return places;
                }
                let places = below(self.walk(tree, *operand), field);
                if *test_only {
                    self.read.presence.extend(places.into_iter().map(|place| place.steps));
                    return Places::new();
                }
                places
            }
            ExprKind::Call { target, args, function } => self.call(tree, *target, function, args),
            ExprKind::List { elements, .. } => wrapped(self.each(tree, elements.iter().copied())),
            ExprKind::Map(entries) => {
                self.consume_each(tree, entries.iter().map(|entry| entry.key));
                wrapped(self.each(tree, entries.iter().map(|entry| entry.value)))
            }
            ExprKind::Struct { fields, .. } => self.consume_each(tree, fields.iter().map(|field| field.value)),
            ExprKind::Comprehension(fold) => self.fold(tree, fold),
        }
    }

    fn name(&mut self, tree: &Tree<'_>, name: &str) -> Places {
        if let Some((_, places)) = tree.names.iter().rev().find(|(bound, _)| *bound == name) {
            return places.clone();
        }
        match name.trim_start_matches('.') {
            "object" => Places::from([Place { steps: vec![], wraps: 0 }]),
            "oldObject" => {
                self.read.old = true;
                Places::from([Place { steps: vec![], wraps: 0 }])
            }
            _ => Places::new(),
        }
    }

    /// What `variables.NAME` stands for.
    fn variable(&mut self, tree: &Tree<'_>, operand: ExprId, name: &str) -> Option<Places> {
        let ExprKind::Ident(ident) = &tree.ast.get(operand)?.kind else { return None };
        if ident.trim_start_matches('.') != "variables" || tree.names.iter().any(|(bound, _)| **bound == **ident) {
            return None;
        }
        if let Some(places) = self.variables.get(name) {
            return Some(places.clone());
        }
        let policy = self.policy;
        let (_, program) = policy.composition.iter().find(|(known, _)| *known == name)?;
        let places = program.as_ref().map(|program| self.program(program)).unwrap_or_default();
        self.variables.insert(name.to_owned(), places.clone());
        Some(places)
    }

    fn call(&mut self, tree: &mut Tree<'_>, target: Option<ExprId>, function: &str, args: &[ExprId]) -> Places {
        let all = || target.iter().chain(args).copied();
        match (function, args) {
            ("_?._" | "_[_]" | "_[?_]", [operand, key]) => {
                let places = self.walk(tree, *operand);
                match text(tree.ast, *key) {
                    Some(key) => below(places, key),
                    None => {
                        self.consume_each(tree, [*key]);
                        items(places)
                    }
                }
            }
            ("@in", [key, range]) => {
                let places = self.walk(tree, *range);
                let places = match text(tree.ast, *key) {
                    Some(key) => below(places, key),
                    None => items(places),
                };
                self.consume(places);
                self.consume_each(tree, [*key])
            }
            ("_?_:_", [condition, branches @ ..]) => {
                self.consume_each(tree, [*condition]);
                self.each(tree, branches.iter().copied())
            }
            (function, _) if ITEM.contains(&function) => items(self.each(tree, all())),
            (function, _) if PASS_ON.contains(&function) => self.each(tree, all()),
            ("hasValue", _) => {
                let places = self.each(tree, all());
                self.read.presence.extend(places.into_iter().map(|place| place.steps));
                Places::new()
            }
            _ => self.consume_each(tree, all()),
        }
    }

    fn fold<'t>(&mut self, tree: &mut Tree<'t>, fold: &'t Comprehension) -> Places {
        let element = items(self.walk(tree, fold.range));
        let begins = self.walk(tree, fold.init);
        let depth = tree.names.len();
        match &fold.variable2 {
            Some(second) => tree.names.extend([(&*fold.variable, Places::new()), (&**second, element)]),
            None => tree.names.push((&fold.variable, element)),
        }
        tree.names.push((&fold.accumulator, begins.clone()));
        self.consume_each(tree, [fold.condition]);
        let mut ends = self.walk(tree, fold.step);
        ends.extend(begins);
        if let Some((_, accumulated)) = tree.names.last_mut() {
            *accumulated = ends;
        }
        let result = self.walk(tree, fold.result);
        tree.names.truncate(depth);
        result
    }
}

fn text(ast: &Ast, id: ExprId) -> Option<&str> {
    match &ast.get(id)?.kind {
        ExprKind::Literal(Literal::String(text)) => Some(text),
        _ => None,
    }
}

/// The field of this name, or what stands under it in a map of the expression's own.
fn below(places: Places, field: &str) -> Places {
    step(places, field)
}

fn items(places: Places) -> Places {
    step(places, "*")
}

fn step(places: Places, name: &str) -> Places {
    let down = |mut place: Place| {
        if place.wraps > 0 {
            place.wraps -= 1;
        } else {
            place.steps.push(name.to_owned());
        }
        place
    };
    places.into_iter().map(down).collect()
}

fn wrapped(places: Places) -> Places {
    places.into_iter().map(|place| Place { wraps: place.wraps.saturating_add(1), ..place }).collect()
}

#[cfg(test)]
mod tests;
