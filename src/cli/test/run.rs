//! All cases of some units, run.

use std::path::PathBuf;
use std::sync::Arc;

use admittance_engine::document::Diagnostic;
use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Budget;
use admittance_engine::proof::case::Report;
use admittance_engine::proof::{coverage, tested};
use admittance_engine::unit::CompiledUnit;
use admittance_engine::unit::policy_test::{Case, PolicyTest};

/// What was run.
pub(super) struct Run<'u> {
    /// Every case with what became of it, in the order of files and documents.
    pub(super) cases: Vec<(&'u PolicyTest, &'u Case, Report)>,
    /// The units whose tests were run.
    units: Vec<&'u CompiledUnit>,
}

impl<'u> Run<'u> {
    /// Runs the tests of the units that stand under `paths`, about policies of all units.
    ///
    /// # Errors
    /// Names of policies that nobody has.
    pub(super) fn of(units: &'u [Arc<CompiledUnit>], paths: &[PathBuf]) -> Result<Self, Vec<Diagnostic>> {
        let all: Vec<&CompiledUnit> = units.iter().map(Arc::as_ref).collect();
        let is_named = |unit: &&CompiledUnit| {
            let name = PathBuf::from(unit.name());
            paths.iter().any(|path| name.starts_with(path))
        };
        let named: Vec<&CompiledUnit> = all.iter().copied().filter(is_named).collect();
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        let defaults = Defaults::built_in();
        let mut arena = Arena::with_limit(Budget::REVIEW);
        for unit in &named {
            for test in unit.tests() {
                let set = match tested::own(unit, test) {
                    Ok(Some(own)) => Ok(own),
                    Ok(None) => tested::among(&all, test),
                    Err(unknown) => Err(unknown),
                };
                match set {
                    Ok(set) => {
                        for case in &test.cases {
                            cases.push((test, case, Report::of(test, case, &set, &defaults, &arena)));
                            arena.reset();
                        }
                    }
                    Err(unknown) => problems.extend(unknown),
                }
            }
        }
        if problems.is_empty() { Ok(Self { cases, units: named }) } else { Err(problems) }
    }

    /// How many tests there are.
    pub(super) fn tests(&self) -> usize {
        self.units.iter().map(|unit| unit.tests().len()).sum()
    }

    /// What became of every case.
    pub(super) fn reports(&self) -> Vec<&Report> {
        self.cases.iter().map(|(.., report)| report).collect()
    }

    /// What no case shows.
    pub(super) fn uncovered(&self, _: &[Arc<CompiledUnit>]) -> Vec<Diagnostic> {
        coverage::uncovered(&self.units, &self.reports())
    }
}
