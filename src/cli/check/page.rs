//! What standard output becomes: text as it comes, or one document that is whole at the end.

use crate::output::junit::{Case, Outcome, Suite};
use crate::output::remark::{Level, Remark, Remarked};
use crate::output::text::Tally;
use crate::output::{github, jsonl, junit, sarif};

use super::Format;

/// An object as its thread leaves it.
#[derive(Debug)]
pub(super) enum Said {
    /// Text for standard output, which may be empty.
    Text(String),
    /// What goes into a document.
    Remarks(Box<Remarked>),
}

/// The page that a format makes.
pub(super) enum Page {
    /// Objects one after another; a sum at the end of text for people.
    Lines { with_sum: bool },
    /// Objects as lines of a list, then what could not be judged.
    Json { objects: usize, problems: Vec<Remark> },
    /// All at the end.
    Sarif(sarif::Log),
    /// All at the end.
    Junit(Vec<Suite>),
    /// Workflow commands, one after another.
    Github,
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Text => Self::Lines { with_sum: true },
            Format::Jsonl => Self::Lines { with_sum: false },
            Format::Json => Self::Json { objects: 0, problems: vec![] },
            Format::Sarif => Self::Sarif(sarif::Log::default()),
            Format::Junit => Self::Junit(vec![]),
            Format::Github => Self::Github,
        }
    }

    /// What is printed of an object now.
    pub(super) fn object(&mut self, said: Said) -> String {
        match (self, said) {
            (Self::Json { objects, .. }, Said::Text(line)) => {
                *objects += 1;
                let start = if *objects == 1 { jsonl::HEAD } else { ",\n" };
                format!("{start}{}", line.trim_end())
            }
            (Self::Sarif(log), Said::Remarks(object)) => {
                log.object(&object);
                String::new()
            }
            (Self::Junit(suites), Said::Remarks(object)) => {
                add(suites, &object.file.clone(), case(*object));
                String::new()
            }
            (_, Said::Text(text)) => text,
            (_, Said::Remarks(object)) => object.remarks.iter().map(|(_, remark)| github::annotation(remark)).collect(),
        }
    }

    /// What is printed now of something that could not be judged; it stands on standard error as well.
    pub(super) fn problem(&mut self, problem: Remark) -> String {
        match self {
            Self::Lines { .. } => String::new(),
            Self::Json { problems, .. } => {
                problems.push(problem);
                String::new()
            }
            Self::Sarif(log) => {
                log.problem(&problem);
                String::new()
            }
            Self::Junit(suites) => {
                let class = problem.file.clone().unwrap_or_else(|| "admittance check".to_owned());
                let place = problem.file.zip(problem.region.map(|region| region.line));
                let outcome = Outcome::Broken { message: problem.message.clone(), text: problem.message };
                let name = "can be read".to_owned();
                let case = Case { class: class.clone(), name, place, took: None, outcome, output: String::new() };
                add(suites, &class, case);
                String::new()
            }
            Self::Github => github::annotation(&problem),
        }
    }

    /// The rest of the page.
    pub(super) fn end(self, tally: Tally, problems: usize) -> String {
        match self {
            Self::Lines { with_sum: false } | Self::Github => String::new(),
            Self::Lines { with_sum: true } => match problems {
                0 => format!("{tally}\n"),
                1 => format!("{tally}, 1 error\n"),
                count => format!("{tally}, {count} errors\n"),
            },
            Self::Json { objects, problems } => {
                let start = if objects == 0 { jsonl::HEAD } else { "" };
                format!("{start}{}", jsonl::tail(&problems, tally))
            }
            Self::Sarif(log) => log.document(),
            Self::Junit(suites) => junit::document("admittance check", &suites),
        }
    }
}

/// Adds to the suite of a file: objects come file by file.
fn add(suites: &mut Vec<Suite>, file: &str, case: Case) {
    match suites.iter_mut().rev().find(|suite| suite.name == file) {
        Some(suite) => suite.cases.push(case),
        None => suites.push(Suite { name: file.to_owned(), cases: vec![case] }),
    }
}

/// An object: it fails where it is denied; warnings and notices are its output.
fn case(object: Remarked) -> Case {
    let Remarked { file, name, region, remarks } = object;
    let texts = |errors: bool| -> Vec<String> {
        let wanted = remarks.iter().filter(|(_, remark)| (remark.level == Level::Error) == errors);
        wanted
            .map(|(rule, remark)| {
                let place =
                    remark.region.as_ref().map_or_else(String::new, |at| format!("{}:{}: ", at.line, at.column));
                format!("{place}{}: {}", rule.policy, remark.message)
            })
            .collect()
    };
    let denials = texts(true);
    let outcome = match denials.first() {
        None => Outcome::Passed,
        Some(first) => {
            let message = first.clone();
            Outcome::Failed { message, kind: "denied".to_owned(), text: denials.join("\n") }
        }
    };
    let output = texts(false).join("\n");
    Case { class: file.clone(), name, place: Some((file, region.line)), took: None, outcome, output }
}
