//! Who watches a policy's expressions and keeps what they come to.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::discretion::Discretion;
use super::trace::{Computation, Computed, Evaluation, List};
use crate::cel::encoding::brief;
use crate::cel::error::{Error, ErrorKind};
use crate::cel::syntax::{Ast, ExprKind, Literal};
use crate::cel::value::Value;
use crate::cel::watch::{Part, Watch, Watched};
use crate::json::{Arena, Node};

/// The longest value that is shown, in bytes.
const SHOWN: usize = 256;
/// So many expressions of one policy are kept; a policy with parameters evaluates its own for each of them.
const EVALUATIONS: usize = 500;

/// Keeps the evaluations of one policy.
pub struct Tracer<'d> {
    discretion: &'d Discretion,
    /// Which expression is evaluated now.
    now: Cell<(List, usize)>,
    name: RefCell<Option<String>>,
    parameter: RefCell<Option<String>>,
    evaluations: RefCell<Vec<Evaluation>>,
    /// Why nothing was evaluated.
    why_not: Cell<Option<&'static str>>,
}

impl<'d> Tracer<'d> {
    /// One that has seen nothing.
    pub fn new(discretion: &'d Discretion) -> Self {
        Self {
            discretion,
            now: Cell::new((List::Validations, 0)),
            name: RefCell::default(),
            parameter: RefCell::default(),
            evaluations: RefCell::default(),
            why_not: Cell::default(),
        }
    }

    /// The policy is about to be evaluated with this parameter, null without one, and this namespace.
    pub fn parameter(&self, parameter: Node<'_>, namespace: Node<'_>, arena: &Arena) {
        arena.aside(|| {
            for node in [parameter, namespace] {
                if !node.is_null() {
                    self.discretion.learn(node);
                }
            }
            let metadata = parameter.get("metadata").unwrap_or_default();
            *self.parameter.borrow_mut() = metadata.str("name").map(|name| match metadata.str("namespace") {
                Some(namespace) => format!("{namespace}/{name}"),
                None => name.to_owned(),
            });
        });
    }

    /// An expression is about to be evaluated.
    pub fn begin(&self, list: List, index: usize, name: Option<&str>) {
        self.now.set((list, index));
        *self.name.borrow_mut() = name.map(str::to_owned);
    }

    /// It cannot be evaluated at all.
    pub fn failed(&self, expression: &str, error: &str) {
        let (list, index) = self.now.get();
        let result = Computed::Error(error.to_owned());
        self.keep(Evaluation {
            list,
            index,
            name: self.name.borrow().clone(),
            parameter: self.parameter.borrow().clone(),
            expression: expression.to_owned(),
            result,
            cost: 0,
            parts: vec![],
        });
    }

    /// Nothing is evaluated, and why.
    pub fn nothing(&self, why: &'static str) {
        self.why_not.set(Some(why));
    }

    /// Why nothing was evaluated, if somebody said so.
    pub fn why_not(&self) -> Option<&'static str> {
        self.why_not.get()
    }

    /// What was seen, in order.
    pub fn into_evaluations(self) -> Vec<Evaluation> {
        self.evaluations.into_inner()
    }

    /// Variables are computed anew by each pass over a policy's expressions: what comes to the same is kept once.
    fn keep(&self, evaluation: Evaluation) {
        let mut evaluations = self.evaluations.borrow_mut();
        let is_known = |known: &Evaluation| {
            (known.list, known.index) == (evaluation.list, evaluation.index)
                && known.parameter == evaluation.parameter
                && known.result == evaluation.result
        };
        if evaluations.len() < EVALUATIONS && !(evaluation.list == List::Variables && evaluations.iter().any(is_known))
        {
            evaluations.push(evaluation);
        }
    }
}

/// The parts of an evaluation as a trace has them. `discretion` says which values may be shown; None shows all.
pub fn computations(ast: &Ast, parts: &[Part<'_>], discretion: Option<&Discretion>) -> Vec<Computation> {
    let discretion = discretion.filter(|discretion| discretion.is_guarded());
    if let Some(discretion) = discretion {
        ast.iter().for_each(|expression| learn(discretion, &expression.kind));
    }
    parts
        .iter()
        .map(|part| {
            let span = ast.span(part.expression);
            Computation {
                depth: part.depth,
                id: u32::try_from(part.expression.index()).unwrap_or(u32::MAX),
                start: span.start,
                end: span.end,
                turn: part.turn,
                turns_left_out: part.turns_left_out,
                result: computed(part, discretion),
            }
        })
        .collect()
}

/// What an expression says itself is no secret.
fn learn(discretion: &Discretion, kind: &ExprKind) {
    match kind {
        ExprKind::Literal(Literal::String(text)) => discretion.learn_text(text),
        ExprKind::Literal(Literal::Int(number)) => discretion.learn_text(&number.to_string()),
        ExprKind::Literal(Literal::Uint(number)) => discretion.learn_text(&number.to_string()),
        ExprKind::Literal(Literal::Double(number)) => discretion.learn_text(&number.to_string()),
        ExprKind::Select { field, .. } => discretion.learn_text(field),
        _ => {}
    }
}

fn computed(part: &Part<'_>, discretion: Option<&Discretion>) -> Computed {
    let shows = discretion.map(|discretion| move |text: &str| discretion.shows(text));
    let shows = shows.as_ref().map(|shows| shows as &dyn Fn(&str) -> bool);
    match part.outcome {
        None => Computed::NotEvaluated(true),
        Some(Ok(value)) => {
            let text = brief(value, SHOWN, shows);
            Computed::Value(if part.is_held { format!("optional.of({text})") } else { text })
        }
        Some(Err(error)) => Computed::Error(error_text(error, shows)),
    }
}

/// An error's text; where it may quote a value that is not to be seen, only what kind of error it is.
fn error_text(error: &Error<'_>, shows: Option<&dyn Fn(&str) -> bool>) -> String {
    let is_shown = match (&error.kind, shows) {
        (ErrorKind::NoSuchKey(Value::String(key)), Some(shows)) => shows(key),
        (ErrorKind::NoSuchKey(_) | ErrorKind::Text(_) | ErrorKind::Internal(_), Some(_)) => false,
        _ => true,
    };
    match &error.kind {
        _ if is_shown => {
            let text = error.to_string();
            super::wording::cut(&text, SHOWN)
        }
        ErrorKind::NoSuchKey(_) => "no such key".to_owned(),
        _ => "an error whose text is not shown".to_owned(),
    }
}

impl<'a> Watch<'a> for Tracer<'_> {
    fn evaluated(&self, what: Watched<'_>, text: &str, ast: &Ast, parts: &[Part<'a>], cost: u64) {
        let (list, index, name) = match what {
            Watched::Variable { index, name } => (List::Variables, index, Some(name.to_owned())),
            Watched::Expression => {
                let (list, index) = self.now.get();
                (list, index, self.name.borrow().clone())
            }
        };
        let parts = computations(ast, parts, Some(self.discretion));
        let result = parts.first().map_or(Computed::NotEvaluated(true), |whole| whole.result.clone());
        let (parameter, expression) = (self.parameter.borrow().clone(), text.to_owned());
        self.keep(Evaluation { list, index, name, parameter, expression, result, cost, parts });
    }
}

/// Values may be the object's.
impl fmt::Debug for Tracer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tracer({} evaluations)", self.evaluations.borrow().len())
    }
}
