//! What CI systems show beside the lines of a file: a level, a place, a title and a text.

use admittance_engine::document::{Diagnostic, Severity, SourceFile};
use admittance_engine::json::PathBuf;
use admittance_engine::verdict::Action;

use super::place::{Region, written};
use super::text::name_of;
use crate::manifests::{Judged, Manifest};

/// How grave a remark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It fails the run.
    Error,
    /// Worth a look.
    Warning,
    /// To be known.
    Notice,
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// How grave it is.
    pub level: Level,
    /// The file, as it was named; None for what stands in none.
    pub file: Option<String>,
    /// Where in the file, if that is known.
    pub region: Option<Region>,
    /// A few words, for a policy's finding its name.
    pub title: String,
    /// The text.
    pub message: String,
}

impl Remark {
    /// What is wrong with a file itself.
    pub fn of_diagnostic(problem: &Diagnostic) -> Self {
        let place = &problem.place;
        Self {
            level: match problem.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            },
            file: Some(place.file.name().to_owned()),
            region: Some(Region::of(&place.file, &place.span)),
            title: "admittance".to_owned(),
            message: problem.message.clone(),
        }
    }

    /// What is wrong, and in no file that could be read.
    pub fn of_text(message: &str) -> Self {
        let (title, message) = ("admittance".to_owned(), message.to_owned());
        Self { level: Level::Error, file: None, region: None, title, message }
    }
}

impl From<Option<Action>> for Level {
    /// Of what is done about a finding or an error; None is an error under `failurePolicy: Ignore`.
    fn from(action: Option<Action>) -> Self {
        match action {
            Some(Action::Deny) => Self::Error,
            Some(Action::Warn) => Self::Warning,
            Some(Action::Audit) | None => Self::Notice,
        }
    }
}

/// An object that was judged, and all that the policies say about it.
#[derive(Clone, Debug)]
pub struct Remarked {
    /// The file, as it was named.
    pub file: String,
    /// `Pod shop/web`
    pub name: String,
    /// Where the object begins.
    pub region: Region,
    /// A remark and the policy that makes it, each finding and each evaluation error.
    pub remarks: Vec<(Rule, Remark)>,
}

/// A policy as CI systems know one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub policy: String,
    /// The module's id; None for a policy in CEL.
    pub module: Option<&'static str>,
    /// The file or ConfigMap key that it stands in.
    pub unit: String,
    /// The line on which its document starts.
    pub line: u32,
}

/// What is said about one object, in the order of the verdict.
pub fn remarks(file: &SourceFile, manifest: &Manifest<'_>, judged: &Judged<'_>) -> Remarked {
    let verdict = &judged.verdict;
    let place = |path: &PathBuf| Region::of(file, &written(manifest, judged, path).0.span);
    let findings = verdict.findings.iter().map(|found| {
        let path = &found.finding.path;
        let text = match path.0.as_slice() {
            [] => found.finding.message.clone(),
            _ => format!("{path}: {}", found.finding.message),
        };
        (&found.origin, Some(found.action), place(path), text)
    });
    let failures = verdict.failures.iter().map(|failure| {
        let text = format!("evaluation error: {}", failure.error);
        (&failure.origin, failure.action, place(&PathBuf::default()), text)
    });
    let name = name_of(judged);
    let remarks = findings.chain(failures).map(|(origin, action, region, text)| {
        let rule =
            Rule { policy: origin.policy.clone(), module: origin.module, unit: origin.unit.clone(), line: origin.line };
        let remark = Remark {
            level: action.into(),
            file: Some(file.name().to_owned()),
            region: Some(region),
            title: origin.policy.clone(),
            message: format!("{name}: {text}"),
        };
        (rule, remark)
    });
    let remarks = remarks.collect();
    Remarked { file: file.name().to_owned(), region: place(&PathBuf::default()), name, remarks }
}
