//! What `admittance test` prints.

pub mod ci;
pub mod json;
pub mod text;

use admittance_engine::document::Diagnostic;
use admittance_engine::proof::case::Report;

/// What became of tests.
#[derive(Debug)]
pub struct Results<'r> {
    /// How many PolicyTests there are.
    pub tests: usize,
    /// Every case, in order.
    pub reports: Vec<&'r Report>,
    /// What no case shows.
    pub uncovered: Vec<Diagnostic>,
}

impl Results<'_> {
    /// How many cases failed.
    pub fn failed(&self) -> usize {
        self.reports.iter().filter(|report| !report.has_passed()).count()
    }

    /// `23 cases in 5 tests: 22 passed, 1 failed`
    pub fn sum(&self) -> String {
        let (cases, failed) = (self.reports.len(), self.failed());
        let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
        format!("{} in {}: {} passed, {failed} failed", count(cases, "case"), count(self.tests, "test"), cases - failed)
    }
}
