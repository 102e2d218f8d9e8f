//! All cases of some units, run.

use std::path::PathBuf;
use std::sync::Arc;

use admittance_engine::document::Diagnostic;
use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Budget;
use admittance_engine::proof::case::Report;
use admittance_engine::proof::{coverage, settings, tested};
use admittance_engine::unit::policy_test::{Case, PolicyTest};
use admittance_engine::unit::{CompiledUnit, Unit};

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

    /// What no case shows: of policies, and of settings of modules, each of which is left out once.
    pub(super) fn uncovered(
        &self,
        (units, sources): (&[Arc<CompiledUnit>], &[Unit]),
        paths: &[PathBuf],
    ) -> Vec<Diagnostic> {
        let mut problems = coverage::uncovered(&self.units, &self.reports());
        for (position, (unit, source)) in units.iter().zip(sources).enumerate() {
            if !self.units.iter().any(|named| named.name() == unit.name()) {
                continue;
            }
            for (policy, setting) in settings::of(source) {
                let variant = settings::without(source, &policy, &setting);
                let Ok(variant) = variant else { continue };
                let mut others = units.to_vec();
                if let Some(place) = others.get_mut(position) {
                    *place = variant;
                }
                if Run::of(&others, paths).is_ok_and(|run| self.is_same(&run)) {
                    problems.extend(settings::idle(unit, &policy, &setting));
                }
            }
        }
        problems
    }

    /// Whether every case came to the same.
    fn is_same(&self, other: &Run<'_>) -> bool {
        self.cases.len() == other.cases.len()
            && self.cases.iter().zip(&other.cases).all(|((.., own), (.., other))| {
                match (&own.observed, &other.observed) {
                    (Some(own), Some(other)) => own.is_same(other),
                    (own, other) => own.is_none() && other.is_none(),
                }
            })
    }
}
