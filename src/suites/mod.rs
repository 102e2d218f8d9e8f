//! Test suites of other tools: those of the Kyverno CLI and of Gatekeeper's gator, as far as their policies are CEL.
//!
//! A suite becomes units, each with a policy in Kubernetes' own form and a PolicyTest of one case, which run as all tests do.
//! What cannot become one is skipped, with the reason.

mod expected;
mod files;
pub mod gator;
pub mod kyverno;
mod policies;

use std::path::{Path, PathBuf};

use admittance_engine::document::SourceFile;
use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Budget;
use admittance_engine::proof::case::Report;
use admittance_engine::proof::tested;
use admittance_engine::unit::{API_VERSION, Unit, compile};
use serde_json::{Value, json};

pub use expected::Expected;
pub use policies::Translated;

/// One case of a suite.
#[derive(Clone, Debug)]
pub struct Case {
    /// The suite's file.
    pub suite: PathBuf,
    /// What it is about: `check-labels: Pod good`.
    pub name: String,
    /// What is to be run, or why nothing is.
    pub made: Result<Made, String>,
}

/// What a case is run as.
#[derive(Clone, Debug)]
pub struct Made {
    /// Policies and bindings.
    policies: Vec<Value>,
    /// The case of a PolicyTest, but for its name and what it expects.
    case: Value,
    /// What must become of it.
    expected: Expected,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What the suite says.
    Agrees,
    /// Something else.
    Differs(String),
    /// It was not run.
    Skipped(String),
}

/// The suites of a kind in these files and folders, as cases.
///
/// # Errors
/// A path that cannot be read, or no suite.
pub fn find(
    paths: &[PathBuf],
    (name, kind): (&str, &str),
    cases: fn(&Path, &Value) -> Vec<Case>,
) -> Result<Vec<Case>, String> {
    let mut found = vec![];
    let mut suites = 0;
    for path in files::below(paths)? {
        for document in files::documents(&path)? {
            if document.get("kind") == Some(&kind.into()) {
                suites += 1;
                found.extend(cases(&path, &document));
            }
        }
    }
    if suites == 0 {
        let paths: Vec<String> = paths.iter().map(|path| format!("{:?}", path.display())).collect();
        return Err(format!("no test suites of {name} in {}: they are documents of kind {kind}", paths.join(", ")));
    }
    Ok(found)
}

impl Case {
    /// Runs it.
    pub fn run(&self, defaults: &Defaults) -> Outcome {
        let made = match &self.made {
            Ok(made) => made,
            Err(reason) => return Outcome::Skipped(reason.clone()),
        };
        let mut case = made.case.clone();
        if let Some(fields) = case.as_object_mut() {
            fields.insert("name".to_owned(), "case".into());
            fields.insert("expect".to_owned(), json!({ "allowed": true }));
        }
        let test = json!({
            "apiVersion": API_VERSION, "kind": "PolicyTest", "metadata": { "name": "suite" },
            "spec": { "cases": [case] },
        });
        let documents: Vec<String> = made.policies.iter().chain([&test]).map(Value::to_string).collect();
        let name = self.suite.display().to_string();
        let unit = match compile(&Unit::of_file(SourceFile::new(name, documents.join("\n---\n")))) {
            Ok(unit) => unit,
            Err(problems) => {
                let problem = problems.first().map_or("", |problem| problem.message.as_str());
                return Outcome::Skipped(format!("it is no policy that Kubernetes would take: {problem}"));
            }
        };
        let Some(test) = unit.tests().first() else { return Outcome::Skipped("it has no case".to_owned()) };
        let (Ok(Some(set)), Some(case)) = (tested::own(&unit, test), test.cases.first()) else {
            return Outcome::Skipped("it has no policy".to_owned());
        };
        let arena = Arena::with_limit(Budget::REVIEW);
        let report = Report::of(test, case, &set, defaults, &arena);
        match (report.observed, report.error) {
            (Some(observed), _) => match made.expected.difference(&observed, &made.case) {
                None => Outcome::Agrees,
                Some(difference) => Outcome::Differs(difference),
            },
            (None, error) => Outcome::Differs(error.map(|error| error.to_string()).unwrap_or_default()),
        }
    }
}
