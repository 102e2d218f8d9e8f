//! What a unit must show before it becomes active.

use std::fmt;
use std::sync::{Arc, OnceLock};

use admittance_engine::document::Diagnostic;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::proof::{Proof, Steps, conflicts, prove, untested};
use admittance_engine::set::PolicySet;
use admittance_engine::unit::CompiledUnit;

/// What becomes of units without tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Tests {
    /// A unit's tests must pass; it need not have any.
    #[default]
    Honoured,
    /// A unit with policies must have tests of them.
    Required,
}

/// Proves units.
#[derive(Default)]
pub struct Prover {
    tests: Tests,
    /// Read when the first unit is proven.
    defaults: OnceLock<Defaults>,
}

impl Prover {
    /// One that asks this of units.
    pub const fn new(tests: Tests) -> Self {
        Self { tests, defaults: OnceLock::new() }
    }

    /// What is shown of a unit in so many steps.
    pub fn prove(&self, unit: &CompiledUnit, mut steps: Steps) -> Proof {
        match self.check_presence(unit) {
            Err(problems) => Proof::Refused(problems),
            Ok(()) => prove(unit, self.defaults.get_or_init(Defaults::built_in), &mut steps),
        }
    }

    /// Warnings about policies of these units that want different values for one field.
    pub fn conflicts(&self, units: &[Arc<CompiledUnit>], set: &PolicySet) -> Vec<Diagnostic> {
        if set.mutators().len() < 2 {
            return vec![];
        }
        conflicts::warnings(units, set, self.defaults.get_or_init(Defaults::built_in), &mut Steps::default())
    }

    /// Whether a unit has the tests that it must have.
    ///
    /// # Errors
    /// That it has none.
    pub fn check_presence(&self, unit: &CompiledUnit) -> Result<(), Vec<Diagnostic>> {
        let missing = if self.tests == Tests::Required { untested(unit) } else { None };
        missing.map_or(Ok(()), |problem| Err(vec![problem]))
    }

    /// What speaks against a unit, however long it takes to find out.
    ///
    /// # Errors
    /// That.
    pub fn check(&self, unit: &CompiledUnit) -> Result<(), Vec<Diagnostic>> {
        match self.prove(unit, Steps::new(u64::MAX)) {
            Proof::Proven | Proof::Pending => Ok(()),
            Proof::Refused(problems) => Err(problems),
        }
    }
}

impl fmt::Debug for Prover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Prover({:?})", self.tests)
    }
}
