//! Programs: compiled expressions, and their evaluation as the API server does it, cost included.
//!
//! ```text
//! Checked ─▶ lower ─▶ tree ─▶ eval (cost, membership) ─▶ Value or Error
//! ```

mod cost;
mod membership;
mod tree;
mod eval;
mod lower;
mod recording;
mod variables;
#[cfg(test)]
mod tests;

pub use recording::Recording;
pub use variables::{Composition, Names, Variables};

use std::fmt;

use self::eval::Evaluation;
use self::tree::Node;
use super::check::{Checked, check};
use super::context::Context;
use super::environment::{Environment, Slot};
use super::error::{Outcome, Problem};
use super::syntax::{Ast, ExprId, parse};
use super::types::Type;
use super::value::Value;
use super::watch::{Watch, Watched};

/// What one expression may cost (k8s.io/apiserver, pkg/apis/cel/config.go `PerCallLimit`).
pub const EXPRESSION_COST: u64 = 1_000_000;

/// Variables of macros that need no memory of their own.
const FEW_LOCALS: usize = 8;

/// A compiled expression. Evaluations borrow its constants.
pub struct Program {
    text: Box<str>,
    checked: Checked,
    root: Node,
    locals: usize,
}

/// What the names of an environment mean.
pub trait Activation<'a> {
    /// The value of a declared name.
    fn value(&self, slot: Slot) -> Value<'a>;

    /// The value of `variables.NAME`, computed once.
    ///
    /// # Errors
    /// As [`Variables::value`].
    fn variable(&self, index: usize, context: &Context<'_, 'a>) -> Outcome<'a>;
}

/// Sees the outcome of every expression that is evaluated, parts before the whole: the steps of a selection, the branch that
/// is taken, the parts of a macro at each turn. What was computed when the program was made is seen as a whole. Places are
/// [`Ast::span`]s. The evaluator is compiled for each recorder: for `()` nothing of it is left.
pub trait Recorder<'a> {
    /// Whether it wants to.
    const RECORDS: bool = true;

    /// An outcome. In a macro an expression is evaluated once for each element.
    fn record(&mut self, expression: ExprId, outcome: &Outcome<'a>);

    /// An outcome that is an optional with this value. It is made nowhere: recording takes no memory of the evaluation's.
    fn record_held(&mut self, expression: ExprId, value: Value<'a>);
}

/// Records nothing.
impl<'a> Recorder<'a> for () {
    const RECORDS: bool = false;

    fn record(&mut self, _: ExprId, _: &Outcome<'a>) {}

    fn record_held(&mut self, _: ExprId, _: Value<'a>) {}
}

/// Parses, checks and lowers an expression.
///
/// # Errors
/// What is wrong with it. Conversions of constants that fail are found here, also where they would never be evaluated, as
/// upstream finds them when it makes the program.
pub fn compile(text: &str, environment: &Environment) -> Result<Program, Vec<Problem>> {
    let ast = parse(text, &environment.parse_options())?;
    program(text, check(ast, environment)?)
}

/// The program of a checked expression.
///
/// # Errors
/// As [`compile`], but for parsing and checking.
pub fn program(text: &str, checked: Checked) -> Result<Program, Vec<Problem>> {
    let lowered = lower::lower(&checked)?;
    Ok(Program { text: text.into(), checked, root: lowered.root, locals: lowered.locals })
}

/// A program that computes at each evaluation what is known before: for tests of what is computed before.
#[cfg(test)]
pub(crate) fn unfolded(text: &str, checked: Checked) -> Result<Program, Vec<Problem>> {
    let lowered = lower::lower_with(&checked, lower::Folding::LeftOut)?;
    Ok(Program { text: text.into(), checked, root: lowered.root, locals: lowered.locals })
}

impl Program {
    /// The static type of its result.
    pub fn result_type(&self) -> &Type {
        self.checked.result_type()
    }

    /// Its tree.
    pub fn ast(&self) -> &Ast {
        self.checked.ast()
    }

    /// What the checker found out.
    pub const fn checked(&self) -> &Checked {
        &self.checked
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates it. The cost is taken from the context's meter; `()` as the recorder records nothing, at no cost.
    ///
    /// # Errors
    /// The error of the expression. Limits, and questions without an answer, end it at once: no operator absorbs them.
    pub fn evaluate<'a, R: Recorder<'a>>(
        &'a self,
        context: &Context<'_, 'a>,
        activation: &dyn Activation<'a>,
        recorder: &mut R,
    ) -> Outcome<'a> {
        let mut few = [Value::Null; FEW_LOCALS];
        let mut many = vec![];
        let locals = match few.get_mut(..self.locals) {
            Some(few) => few,
            None => {
                many.resize(self.locals, Value::Null);
                &mut many
            }
        };
        let mut evaluation = Evaluation { context, activation, recorder, locals, pending: vec![], scratch: vec![] };
        evaluation.eval(&self.root)
    }
}

impl Program {
    /// Evaluates it as [`Program::evaluate`] does, before whoever watches: to watch changes neither outcome nor cost.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn evaluate_watched<'a>(
        &'a self,
        context: &Context<'_, 'a>,
        activation: &dyn Activation<'a>,
        what: Watched<'_>,
    ) -> Outcome<'a> {
        match context.watch() {
            None => self.evaluate(context, activation, &mut ()),
            Some(watch) => self.show(context, activation, what, watch),
        }
    }

    #[cold]
    fn show<'a>(
        &'a self,
        context: &Context<'_, 'a>,
        activation: &dyn Activation<'a>,
        what: Watched<'_>,
        watch: &dyn Watch<'a>,
    ) -> Outcome<'a> {
        let mut recording = Recording::new(self.ast());
        let before = context.cost_left();
        let outcome = self.evaluate(context, activation, &mut recording);
        let cost = before.saturating_sub(context.cost_left());
        let parts = recording.into_parts();
        context.arena().aside(|| watch.evaluated(what, &self.text, self.ast(), &parts, cost));
        outcome
    }
}

/// Prints the text alone.
impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Program").field(&self.text).finish()
    }
}
