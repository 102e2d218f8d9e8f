//! Where a policy puts what it has to say.

use std::fmt;

use super::decision::{Judged, Judgement, Refusal};
use super::error::PolicyError;
use super::finding::{Action, Finding};
use super::trace::Evaluation;
use super::tracer::Tracer;
use crate::deadline::Deadline;
use crate::json::{Arena, Node, Path, PathBuf, View, path};
use crate::review::{Answer, Lookup, Lookups};

/// Takes a policy's findings, errors, audit annotations and needed lookups. Allocates nothing until the first of them.
pub struct Report<'r> {
    public: &'static [&'static str],
    lookups: &'r dyn Lookups,
    bounds: Bounds,
    tracer: Option<&'r Tracer<'r>>,
    /// Which invocations may run again; None for all.
    again: Option<&'r [usize]>,
    invoked: Vec<usize>,
    has_mutated: bool,
    judgements: Vec<Judgement>,
    findings: Vec<Finding>,
    errors: Vec<PolicyError>,
    annotations: Vec<(String, String)>,
    needs: Vec<Lookup<'static>>,
}

/// What one policy may use up.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// When it must have ended.
    pub deadline: Deadline,
    /// Bytes for new values.
    pub bytes: usize,
    /// Whether judgements that admit are kept as well.
    pub keeps_all: bool,
}

impl Default for Bounds {
    /// No deadline, 16 MiB.
    fn default() -> Self {
        Self { deadline: Deadline::never(), bytes: 16 * 1024 * 1024, keeps_all: false }
    }
}

/// What a report held, by itself.
#[derive(Debug, Default)]
pub struct Reported {
    /// Violations in the order in which they were found.
    pub findings: Vec<Finding>,
    /// What kept the policy from judging, each under its failurePolicy.
    pub errors: Vec<PolicyError>,
    /// Keys and values for the audit log; the key gets the policy's name in front.
    pub annotations: Vec<(String, String)>,
    /// What a policy in CEL came to, step by step; findings and errors are the same once more.
    pub judgements: Vec<Judgement>,
    /// For mutators with parameters: the positions of those for which its conditions held.
    pub invoked: Vec<usize>,
    /// Whether a mutation in CEL went through, even if it changed nothing.
    pub has_mutated: bool,
    /// Questions that nobody has answered yet. If there are any, nothing else here counts.
    pub needs: Vec<Lookup<'static>>,
    /// What its expressions came to, where that was watched.
    pub evaluations: Vec<Evaluation>,
    /// Why nothing was evaluated, where that was watched.
    pub why_not: Option<&'static str>,
}

impl<'r> Report<'r> {
    /// An empty report. `public` names the fields whose values may be shown (`Module::PUBLIC`).
    pub fn new(public: &'static [&'static str], lookups: &'r dyn Lookups) -> Self {
        Self {
            public,
            lookups,
            bounds: Bounds::default(),
            tracer: None,
            again: None,
            invoked: vec![],
            has_mutated: false,
            judgements: vec![],
            findings: vec![],
            errors: vec![],
            annotations: vec![],
            needs: vec![],
        }
    }

    /// The same with bounds.
    #[must_use]
    pub fn within(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// The same for an evaluation that is watched.
    #[must_use]
    pub fn traced(mut self, tracer: Option<&'r Tracer<'r>>) -> Self {
        self.tracer = tracer;
        self
    }

    /// Who watches the policy's expressions.
    pub const fn tracer(&self) -> Option<&'r Tracer<'r>> {
        self.tracer
    }

    /// The same for a second round, in which only what ran in the first may run: the positions of parameters.
    #[must_use]
    pub fn again(mut self, invoked: &'r [usize]) -> Self {
        self.again = Some(invoked);
        self
    }

    /// What the policy may use up.
    pub const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Whether a mutator may run for the parameter at this position; if so it is noted.
    pub fn invokes(&mut self, position: usize) -> bool {
        let may = self.again.is_none_or(|again| again.contains(&position));
        if may {
            self.invoked.push(position);
        }
        may
    }

    /// A mutation went through: those that are reinvoked run again.
    pub fn mutated(&mut self) {
        self.has_mutated = true;
    }

    /// What a step of a policy in CEL came to. Denials are findings, failures are errors.
    pub fn judge(&mut self, judgement: Judgement) {
        match &judgement.outcome {
            Judged::Admits => {}
            Judged::Denies { refusal, message } => self.findings.push(Finding {
                path: PathBuf::default(),
                // Positions tell findings of one policy apart: see `Finding::is_same`.
                value: path::hash_of(Node::string(&format!("{:?}", judgement.step))),
                message: message.clone(),
                refusal: *refusal,
                gravest: Action::Deny,
            }),
            Judged::Fails { message, is_fatal } => self.errors.push(PolicyError::Expression {
                step: judgement.step,
                message: message.clone(),
                is_fatal: is_fatal.is_some(),
            }),
        }
        if self.bounds.keeps_all || judgement.outcome != Judged::Admits {
            self.judgements.push(judgement);
        }
    }

    /// What is known about a question now, without taking down that it was asked.
    pub fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        self.lookups.answer(lookup, arena)
    }

    /// Takes down a question that somebody has to answer first.
    pub fn need(&mut self, lookup: Lookup<'static>) {
        self.needs.push(lookup);
    }

    /// Whether an answer is missing: nothing else that is reported counts.
    pub fn has_needs(&self) -> bool {
        !self.needs.is_empty()
    }

    /// A violation at `path`, where `value` stands (null for what is missing). Write values into the message through
    /// [`Report::show`].
    pub fn finding(&mut self, path: &Path<'_>, value: Node<'_>, message: impl Into<String>) {
        self.push(path.to_buf(), value, message.into());
    }

    /// A violation of the request as a whole.
    pub fn finding_of_request(&mut self, message: impl Into<String>) {
        self.push(PathBuf::default(), Node::NULL, message.into());
    }

    /// A violation of the object as a whole, told from others by its message: the stored object has the same one if the same
    /// can be said of it. At most `gravest` is done about it, whatever the policy's actions are.
    pub fn finding_of_object(&mut self, gravest: Action, message: String) {
        let value = path::hash_of(Node::string(&message));
        let refusal = Refusal::FORBIDDEN;
        self.findings.push(Finding { path: PathBuf::default(), value, message, refusal, gravest });
    }

    fn push(&mut self, path: PathBuf, value: Node<'_>, message: String) {
        let (value, refusal, gravest) = (path::hash_of(value), Refusal::FORBIDDEN, Action::Deny);
        self.findings.push(Finding { path, value, message, refusal, gravest });
    }

    /// `value` as it may be shown: quoted if the module calls `field` public, else only what kind of value it is.
    pub fn show<'v>(&self, field: &str, value: Node<'v>) -> Shown<'v> {
        Shown::of(self.public.contains(&field), value)
    }

    /// An evaluation error; others of the same policy and its findings stand.
    pub fn error(&mut self, error: PolicyError) {
        self.errors.push(error);
    }

    /// An entry for the audit log, under `POLICY.key`.
    pub fn annotate(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.annotations.push((key.into(), value.into()));
    }

    /// Asks for something outside the request. None: there is no answer, and the reason is in the report already; the
    /// policy ends its evaluation.
    pub fn look_up<'a>(&mut self, lookup: Lookup<'_>, arena: &'a Arena) -> Option<Option<Node<'a>>> {
        match self.lookups.answer(&lookup, arena) {
            Answer::Found(node) => Some(Some(node)),
            Answer::Missing => Some(None),
            Answer::Unknown => {
                self.needs.push(lookup.into_owned());
                None
            }
            Answer::Unavailable(reason) => {
                self.errors.push(PolicyError::Unanswered { lookup: lookup.into_owned(), reason });
                None
            }
        }
    }

    /// Whether nothing was reported.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.errors.is_empty() && self.annotations.is_empty() && self.needs.is_empty()
    }

    /// Whether a finding was reported.
    pub fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    /// All of it.
    pub fn into_reported(self) -> Reported {
        Reported {
            findings: self.findings,
            errors: self.errors,
            annotations: self.annotations,
            judgements: self.judgements,
            invoked: self.invoked,
            has_mutated: self.has_mutated,
            needs: self.needs,
            evaluations: vec![],
            why_not: None,
        }
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Report({} findings, {} errors)", self.findings.len(), self.errors.len())
    }
}

/// A value in a message: see [`Report::show`].
#[derive(Clone, Copy)]
pub enum Shown<'v> {
    /// Public: printed, cut after 256 bytes.
    Value(Node<'v>),
    /// Not public: its kind is printed.
    Kind(&'static str),
}

impl<'v> Shown<'v> {
    /// The value itself only where it is public.
    pub fn of(is_public: bool, node: Node<'v>) -> Self {
        if is_public { Self::Value(node) } else { Self::Kind(node.kind()) }
    }
}

/// The longest value that a message shows, in bytes.
const SHOWN: usize = 256;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(formatter, "(a {kind}, not shown)"),
            Self::Value(node) => match node.view() {
                View::Null => formatter.write_str("null"),
                View::Bool(value) => value.fmt(formatter),
                View::Int(value) => value.fmt(formatter),
                View::UInt(value) => value.fmt(formatter),
                View::Float(value) => value.fmt(formatter),
                View::String(value) if value.len() > SHOWN => {
                    let cut = (0..=SHOWN).rev().find(|&end| value.is_char_boundary(end)).unwrap_or(0);
                    write!(formatter, "{:?}…", value.get(..cut).unwrap_or_default())
                }
                View::String(value) => write!(formatter, "{value:?}"),
                View::List(_) | View::Map(_) => write!(formatter, "(a {})", node.kind()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::NoLookups;

    #[test]
    fn shows_values_of_public_fields_only() {
        let report = Report::new(&["image"], &NoLookups);
        assert_eq!(report.show("image", Node::string("nginx\n")).to_string(), "\"nginx\\n\"");
        assert_eq!(report.show("value", Node::string("hunter2")).to_string(), "(a string, not shown)");
        let long = "ü".repeat(200);
        let shown = report.show("image", Node::string(&long)).to_string();
        assert_eq!(shown, format!("\"{}\"…", "ü".repeat(128)));
    }

    #[test]
    fn turns_an_unanswerable_question_into_an_error() {
        let mut report = Report::new(&[], &NoLookups);
        let arena = Arena::with_limit(1 << 20);
        assert!(report.look_up(Lookup::Namespace("shop".into()), &arena).is_none());
        let errors = report.into_reported().errors;
        assert_eq!(errors.first().unwrap().to_string(), "namespace `shop` is not known: there is no cluster to ask");
    }
}
