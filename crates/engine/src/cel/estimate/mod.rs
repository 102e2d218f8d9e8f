//! What an expression is expected to cost before it runs (cel-go `checker/cost.go`; k8s.io/apiserver `pkg/cel/library/cost.go`,
//! without sizes from schemas; `has()` is free).

mod kubernetes;
mod lists;
mod range;
mod sizes;
mod standard;

#[cfg(test)]
mod tests;

pub use range::Range;

use super::check::{Checked, Reference, is_member_call, parts};
use super::syntax::{Comprehension, ExprId, ExprKind, Literal};
use super::types::Type;
use sizes::Sizes;

/// What making a list, a map and a struct costs.
const LIST: u64 = 10;
const MAP: u64 = 30;
const STRUCT: u64 = 40;

/// What walking over a character costs, and a character of a pattern.
const TRAVERSAL: f64 = 0.1;
const PATTERN: f64 = 0.25;

/// Estimates the cost units of one evaluation. Costs of policy variables are not in it.
pub fn estimate(checked: &Checked) -> Range {
    let count = checked.ast().len();
    let mut coster = Coster { checked, sizes: Sizes::new(checked), costs: vec![Range::default(); count] };
    // A list of what is to do, so that deep trees need no stack.
    let mut todo = vec![Step::Enter(checked.ast().root())];
    while let Some(step) = todo.pop() {
        coster.take(step, &mut todo);
    }
    coster.cost(checked.ast().root())
}

struct Coster<'c> {
    checked: &'c Checked,
    sizes: Sizes<'c>,
    costs: Vec<Range>,
}

#[derive(Clone, Copy)]
enum Step<'c> {
    Enter(ExprId),
    Leave(ExprId),
    /// The accumulator has its first value.
    Bind(&'c Comprehension),
    /// The variables of a fold are known.
    Loop(&'c Comprehension),
    EndLoop(&'c Comprehension),
}

/// A call with what is known about its parts.
struct Call<'c> {
    id: ExprId,
    function: &'static str,
    overload: &'static str,
    target: Option<Operand<'c>>,
    args: Vec<Operand<'c>>,
}

/// A part of a call.
#[derive(Clone, Copy)]
struct Operand<'c> {
    id: ExprId,
    ty: &'c Type,
    /// Where anything is known about it.
    size: Option<Range>,
    literal: Option<&'c Literal>,
    cost: Range,
}

/// What a call costs, and the size of its result where anything is known about it.
#[derive(Clone, Copy)]
struct Estimate {
    cost: Range,
    result: Option<Range>,
}

impl Estimate {
    const fn of(cost: Range) -> Self {
        Self { cost, result: None }
    }

    const fn sized(cost: Range, result: Range) -> Self {
        Self { cost, result: Some(result) }
    }
}

impl Operand<'_> {
    fn size_or_unknown(&self) -> Range {
        self.size.unwrap_or(Range::UNKNOWN)
    }
}

impl Call<'_> {
    fn cost_of_args(&self) -> Range {
        self.args.iter().fold(Range::default(), |sum, arg| sum.plus(arg.cost))
    }
}

impl<'c> Coster<'c> {
    fn take(&mut self, step: Step<'c>, todo: &mut Vec<Step<'c>>) {
        match step {
            Step::Enter(id) => self.enter(id, todo),
            Step::Leave(id) => {
                let cost = self.leave(id);
                if let Some(place) = self.costs.get_mut(id.index()) {
                    *place = cost;
                }
            }
            Step::Bind(fold) => self.sizes.bind(&fold.accumulator, fold.init),
            Step::Loop(fold) => self.sizes.enter_loop(fold),
            Step::EndLoop(fold) => self.sizes.leave_loop(fold),
        }
    }

    fn enter(&mut self, id: ExprId, todo: &mut Vec<Step<'c>>) {
        let Some(expression) = self.checked.ast().get(id) else { return };
        todo.push(Step::Leave(id));
        let ExprKind::Comprehension(fold) = &expression.kind else {
            return todo.extend(parts(self.checked, id).into_iter().rev().map(Step::Enter));
        };
        todo.push(Step::Enter(fold.result));
        if !self.is_bind(fold) {
            let steps = [Step::Loop(fold), Step::Enter(fold.condition), Step::Enter(fold.step), Step::EndLoop(fold)];
            todo.extend(steps.into_iter().rev());
        }
        let steps = [Step::Enter(fold.range), Step::Enter(fold.init), Step::Bind(fold)];
        todo.extend(steps.into_iter().rev());
    }

    /// Whether a fold only gives a value a name (`isBind`).
    fn is_bind(&self, fold: &Comprehension) -> bool {
        let kind = |id| self.checked.ast().get(id).map(|expression| &expression.kind);
        matches!(kind(fold.range), Some(ExprKind::List { elements, .. }) if elements.is_empty())
            && matches!(kind(fold.condition), Some(ExprKind::Literal(Literal::Bool(false))))
    }

    fn leave(&mut self, id: ExprId) -> Range {
        let Some(expression) = self.checked.ast().get(id) else { return Range::default() };
        match &expression.kind {
            ExprKind::Literal(_) => Range::default(),
            ExprKind::Ident(_) => Range::exactly(1),
            ExprKind::Select { operand, test_only, .. } => match self.checked.reference(id) {
                Reference::Declared(_) | Reference::TypeName(_) => Range::exactly(1),
                _ => match self.checked.type_of(*operand) {
                    Type::Map(..) | Type::Struct(_) if !test_only => self.cost(*operand).plus(Range::exactly(1)),
                    _ => self.cost(*operand),
                },
            },
            ExprKind::Call { target, function, args } => self.call(id, *target, function, args),
            ExprKind::List { elements, .. } => {
                self.sizes.list(id, elements);
                self.sum(elements.iter().copied()).plus(Range::exactly(LIST))
            }
            ExprKind::Map(entries) => {
                self.sizes.map(id, entries);
                self.sum(entries.iter().flat_map(|entry| [entry.key, entry.value])).plus(Range::exactly(MAP))
            }
            ExprKind::Struct { fields, .. } => {
                self.sum(fields.iter().map(|field| field.value)).plus(Range::exactly(STRUCT))
            }
            ExprKind::Comprehension(fold) => self.fold(id, fold),
        }
    }

    fn fold(&mut self, id: ExprId, fold: &Comprehension) -> Range {
        let around = self.sum([fold.range, fold.init, fold.result]);
        if self.is_bind(fold) {
            self.sizes.unbind(&fold.accumulator);
            self.sizes.copy(id, fold.result);
            return around;
        }
        self.sizes.unbind(&fold.accumulator);
        let count = self.sizes.of(fold.range).unwrap_or(Range::UNKNOWN);
        self.sizes.fold(id, fold, count);
        let round = self.cost(fold.step).plus(self.cost(fold.condition));
        around.plus(count.times(round))
    }

    fn call(&mut self, id: ExprId, target: Option<ExprId>, function: &str, args: &[ExprId]) -> Range {
        if let ("dyn", [arg]) = (function, args) {
            self.sizes.copy(id, *arg);
            return self.cost(*arg).plus(Range::exactly(1));
        }
        let Reference::Overloads(overloads) = self.checked.reference(id) else { return Range::default() };
        let target = target.filter(|_| is_member_call(self.checked.reference(id))).map(|target| self.operand(target));
        let args = args.iter().map(|arg| self.operand(*arg)).collect();
        let mut call = Call { id, function: "", overload: "", target, args };
        let mut cost = Range::NOTHING;
        let mut size: Option<Range> = None;
        for overload in overloads {
            (call.function, call.overload) = (overload.function, overload.id);
            let estimate = self.estimate_call(&call);
            cost = cost.or(estimate.cost);
            size = match (size, estimate.result) {
                (Some(size), Some(result)) => Some(size.or(result)),
                (size, result) => size.or(result),
            };
            if matches!(overload.id, "index_list" | "index_map") {
                size = call.args.first().and_then(|list| self.sizes.entries(list.id)).map(|entries| entries.value);
            }
            size = size.or_else(|| self.sizes.of(id));
        }
        if let Some(size) = size {
            self.sizes.set(id, size);
        }
        target.map_or(cost, |target| target.cost.plus(cost))
    }

    /// What a call of one overload costs with its arguments (`functionCost`): the libraries of cel-go that bring an estimate
    /// come first, then Kubernetes, then the standard.
    fn estimate_call(&mut self, call: &Call<'c>) -> Estimate {
        match lists::estimate(call).or_else(|| kubernetes::estimate(call)) {
            Some(estimate) => Estimate { cost: estimate.cost.plus(call.cost_of_args()), ..estimate },
            None => standard::estimate(call, &mut self.sizes),
        }
    }

    fn operand(&self, id: ExprId) -> Operand<'c> {
        let literal = match self.checked.ast().get(id).map(|expression| &expression.kind) {
            Some(ExprKind::Literal(literal)) => Some(literal),
            _ => None,
        };
        Operand { id, ty: self.checked.type_of(id), size: self.sizes.of(id), literal, cost: self.cost(id) }
    }

    fn sum(&self, parts: impl IntoIterator<Item = ExprId>) -> Range {
        parts.into_iter().fold(Range::default(), |sum, part| sum.plus(self.cost(part)))
    }

    fn cost(&self, id: ExprId) -> Range {
        self.costs.get(id.index()).copied().unwrap_or_default()
    }
}
