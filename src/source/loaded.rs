//! The units that are loaded, the last good version of each, and the set that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Paint, Severity};
use admittance_engine::set::{Parameters, PolicySet, link, missing_parameters};
use admittance_engine::unit::{CompiledUnit, PolicySummary, compile};
use serde::Serialize;

use super::directory::Read;

/// What the server runs, and what there is to say about it.
#[derive(Debug, Default)]
pub struct Active {
    /// The policies.
    pub set: PolicySet,
    /// Their parameters among the policy documents, for a server without a cluster.
    pub parameters: Parameters,
    /// Every unit, by name.
    pub units: Vec<UnitStatus>,
}

/// How a unit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UnitState {
    /// Its present version runs.
    Active,
    /// Its present version is broken; the last good one runs.
    Stale,
    /// It is broken and there is no good version of it: nothing of it runs.
    Broken,
}

/// A unit on the `/policies` page.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitStatus {
    /// The path of the file.
    pub name: String,
    /// How it stands.
    pub state: UnitState,
    /// The digest of the version that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The policies that run.
    pub policies: Vec<PolicySummary>,
    /// Errors of the present version, and warnings, as one-line texts with file, line and column.
    pub problems: Vec<String>,
}

/// Keeps units from one look to the next.
#[derive(Debug)]
pub struct Loaded {
    units: BTreeMap<String, Kept>,
    /// Whether policies may ask a cluster: without one those that must are refused here, not on every request.
    has_cluster: bool,
}

#[derive(Debug, Default)]
struct Kept {
    /// The digest of what was looked at last, good or not.
    seen: String,
    good: Option<Arc<CompiledUnit>>,
    /// What is wrong with the version that was looked at last; empty if it is the good one.
    errors: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    line: String,
    page: String,
}

impl Problem {
    fn of(diagnostic: &Diagnostic) -> Self {
        Self { line: diagnostic.to_string(), page: diagnostic.render(Paint::Plain) }
    }
}

impl Loaded {
    /// Nothing yet.
    pub const fn new(has_cluster: bool) -> Self {
        Self { units: BTreeMap::new(), has_cluster }
    }

    /// Takes over what a source holds now: units that are gone are dropped, changed ones compiled, broken ones replaced by
    /// their last good version. Returns the set, and for each newly broken unit its diagnostics as text.
    pub fn update(&mut self, files: Vec<Read>) -> (Active, Vec<String>) {
        let mut reports = Vec::new();
        let mut units = BTreeMap::new();
        for file in files {
            let (name, kept) = self.next(file, &mut reports);
            units.insert(name, kept);
        }
        self.units = units;
        let good: Vec<Arc<CompiledUnit>> = self.units.values().filter_map(|kept| kept.good.clone()).collect();
        let (set, mut conflicts) = link(&good);
        if !self.has_cluster {
            conflicts.extend(missing_parameters(&good));
        }
        let mut statuses: Vec<UnitStatus> = self.units.iter().map(|(name, kept)| status(name, kept)).collect();
        for conflict in &conflicts {
            let problem = Problem::of(conflict);
            let name = conflict.place.file.name();
            let status = statuses.iter_mut().find(|status| status.name == name);
            if conflict.severity == Severity::Warning {
                // A policy without a binding, or a binding without its policy: said on the page, nothing is broken.
                if let Some(status) = status {
                    status.problems.push(problem.line);
                }
                continue;
            }
            if let Some(status) = status {
                status.state = UnitState::Broken;
                status.digest = None;
                status.policies.clear();
                status.problems.push(problem.line);
            }
            reports.push(problem.page);
        }
        let mut parameters = Parameters::default();
        parameters.take(set.kinds(), "default", set.parameters());
        (Active { set, parameters, units: statuses }, reports)
    }

    fn next(&mut self, file: Read, reports: &mut Vec<String>) -> (String, Kept) {
        let (name, seen, result) = match file {
            Read::Unit(unit) => {
                let seen = unit.digest();
                if let Some(kept) = self.units.remove(&unit.name) {
                    if kept.seen == seen {
                        return (unit.name, kept);
                    }
                    self.units.insert(unit.name.clone(), kept);
                }
                let result = compile(&unit).and_then(|compiled| {
                    let problems = if self.has_cluster { vec![] } else { compiled.needing_a_cluster() };
                    if problems.is_empty() { Ok(compiled) } else { Err(problems) }
                });
                let result = result.map_err(|problems| problems.iter().map(Problem::of).collect());
                (unit.name, seen, result)
            }
            Read::Malformed(name, problem) => (name, String::new(), Err(vec![Problem::of(&problem)])),
            Read::Unreadable(name, reason) => {
                let line = format!("{name}: error: {reason}");
                (name, String::new(), Err(vec![Problem { page: line.clone(), line }]))
            }
        };
        let before = self.units.remove(&name).unwrap_or_default();
        let kept = match result {
            Ok(unit) => Kept { seen, good: Some(unit), errors: vec![] },
            Err(errors) => {
                // What was said about a file is said again only where it has changed, whatever becomes of others.
                if errors != before.errors {
                    reports.extend(errors.iter().map(|error: &Problem| error.page.clone()));
                }
                Kept { seen, good: before.good, errors }
            }
        };
        (name, kept)
    }
}

fn status(name: &str, kept: &Kept) -> UnitStatus {
    let state = match (&kept.good, kept.errors.is_empty()) {
        (Some(_), true) => UnitState::Active,
        (Some(_), false) => UnitState::Stale,
        (None, _) => UnitState::Broken,
    };
    let warnings = kept.good.iter().flat_map(|unit| unit.warnings()).map(ToString::to_string);
    UnitStatus {
        name: name.to_owned(),
        state,
        digest: kept.good.as_ref().map(|unit| unit.digest().to_owned()),
        policies: kept.good.as_ref().map(|unit| unit.policies()).unwrap_or_default(),
        problems: kept.errors.iter().map(|error| error.line.clone()).chain(warnings).collect(),
    }
}
