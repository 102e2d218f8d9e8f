//! Chooses expressions out of a list.

use std::collections::BTreeMap;

use super::chance::Chance;

/// What expressions may refer to.
pub(crate) struct Scope {
    /// The object's kind.
    pub(crate) kind: &'static str,
    pub(crate) has_params: bool,
    pub(crate) variables: Vec<&'static str>,
}

/// The list, by what the expressions are for.
pub(crate) struct Pool {
    rows: BTreeMap<&'static str, Vec<Row>>,
}

struct Row {
    /// The kinds of objects that it is about; without any for all of them.
    kinds: Vec<&'static str>,
    text: &'static str,
}

impl Pool {
    /// `USE [KIND,KIND] = EXPRESSION`, a line each.
    pub(crate) fn read(text: &'static str) -> Self {
        let mut rows: BTreeMap<&'static str, Vec<Row>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (head, text) = line.split_once(" = ").unwrap();
            let (of, kinds) = head.split_once(' ').unwrap_or((head, ""));
            let kinds = kinds.split(',').filter(|kind| !kind.is_empty()).collect();
            rows.entry(of).or_default().push(Row { kinds, text });
        }
        Self { rows }
    }

    /// One of the list, with its `$V` replaced by a variable. What refers to something else than there is comes seldom.
    pub(crate) fn one(&self, chance: &mut Chance, scope: &Scope, of: &str) -> String {
        let rows = &self.rows[of];
        loop {
            let row = chance.of(rows);
            let is_fit = (row.kinds.is_empty() || row.kinds.contains(&scope.kind))
                && (scope.has_params || !row.text.contains("params"))
                && (!scope.variables.is_empty() || !row.text.contains("$V"));
            // Where parameters or variables can be read, they are read often.
            let is_dull = (scope.has_params && !row.text.contains("params") && chance.percent(20))
                || (!scope.variables.is_empty() && !row.text.contains("$V") && chance.percent(20));
            if is_fit && !is_dull || chance.percent(1) {
                let variable = if scope.variables.is_empty() { "first" } else { chance.pick(&scope.variables) };
                return row.text.replace("$V", &format!("variables.{variable}"));
            }
        }
    }

    /// For a validation or a match condition.
    pub(crate) fn truth(&self, chance: &mut Chance, scope: &Scope) -> String {
        match chance.below(100) {
            0..3 => self.one(chance, scope, "wrong"),
            3..5 => self.one(chance, scope, "text"),
            5..15 => format!("{} && {}", self.one(chance, scope, "bool"), self.one(chance, scope, "bool")),
            15..23 => format!("{} || {}", self.one(chance, scope, "bool"), self.one(chance, scope, "bool")),
            23..30 => format!("!({})", self.one(chance, scope, "bool")),
            30..34 => "true".to_owned(),
            34..38 => "false".to_owned(),
            _ => self.one(chance, scope, "bool"),
        }
    }

    pub(crate) fn variable(&self, chance: &mut Chance, scope: &Scope) -> String {
        let of = chance.pick(&["value", "value", "value", "bool", "text", "note"]);
        if chance.percent(2) { self.one(chance, scope, "wrong") } else { self.one(chance, scope, of) }
    }

    pub(crate) fn message(&self, chance: &mut Chance, scope: &Scope) -> String {
        match chance.below(100) {
            0..3 => self.one(chance, scope, "wrong"),
            3..5 => self.one(chance, scope, "bool"),
            5..50 => self.one(chance, scope, "odd"),
            _ => self.one(chance, scope, "text"),
        }
    }

    pub(crate) fn annotation(&self, chance: &mut Chance, scope: &Scope) -> String {
        match chance.below(100) {
            0..3 => self.one(chance, scope, "wrong"),
            3..25 => self.one(chance, scope, "odd"),
            25..55 => self.one(chance, scope, "note"),
            _ => self.one(chance, scope, "text"),
        }
    }
}
