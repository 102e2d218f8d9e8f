//! `test -o junit` and `-o github`.

use admittance_engine::document::Severity;
use admittance_engine::proof::case::Report;

use super::{Results, text};
use crate::output::Colour;
use crate::output::github::annotation;
use crate::output::junit::{Case, Outcome, Suite, document};
use crate::output::remark::{Level, Remark};

/// A suite for each PolicyTest, in the order of their files; what is not covered is no case.
pub fn junit(results: &Results<'_>) -> String {
    let mut suites: Vec<Suite> = Vec::new();
    for report in &results.reports {
        let suite = format!("{}: {}", report.place.file.name(), report.test);
        if suites.last().is_none_or(|last| last.name != suite) {
            suites.push(Suite { name: suite, cases: vec![] });
        }
        if let Some(suite) = suites.last_mut() {
            suite.cases.push(case(report));
        }
    }
    document("admittance test", &suites)
}

fn case(report: &Report) -> Case {
    let file = &report.place.file;
    let message = || report.diagnostics().iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("\n");
    Case {
        class: report.test.clone(),
        name: report.case.clone(),
        place: Some((file.name().to_owned(), file.position(report.place.span.start).line)),
        took: None,
        outcome: if report.has_passed() {
            Outcome::Passed
        } else if report.error.is_some() {
            Outcome::Broken { message: message(), text: String::new() }
        } else {
            let kind = report.failures.first().map(|failure| failure.field.to_owned()).unwrap_or_default();
            Outcome::Failed { message: message(), kind, text: text::block(report, Colour::Off) }
        },
        output: String::new(),
    }
}

/// An annotation for each thing that is not as expected, at its expectation; a notice for each that is not covered; and the sum.
pub fn github(results: &Results<'_>) -> String {
    let mut text = String::new();
    for report in &results.reports {
        for mut problem in report.diagnostics() {
            for note in std::mem::take(&mut problem.notes) {
                problem.message = format!("{}\n{note}", problem.message);
            }
            let title = format!("{}: {}", report.test, report.case);
            text.push_str(&annotation(&Remark { title, ..Remark::of_diagnostic(&problem) }));
        }
    }
    for problem in &results.uncovered {
        debug_assert_eq!(problem.severity, Severity::Warning, "what is not covered is no failure");
        let remark = Remark { level: Level::Notice, title: "not covered".to_owned(), ..Remark::of_diagnostic(problem) };
        text.push_str(&annotation(&remark));
    }
    text + &results.sum() + "\n"
}
