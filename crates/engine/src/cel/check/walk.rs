//! The walk over a tree that finds its types, part by part in the order of cel-go's checker: what is found out about an
//! unknown in one part counts for the next (cel-go `checker/checker.go`).
//!
//! What is still to do stands in a list, so that trees of any depth need no stack.

use super::super::environment::Environment;
use super::unify::Unknowns;
use super::{Reference, messages, problem};
use crate::cel::error::Problem;
use crate::cel::function::Version;
use crate::cel::syntax::{Ast, Comprehension, Expr, ExprId, ExprKind, Literal};
use crate::cel::types::Type;

/// Since when numbers of different types can be compared (`cel.CrossTypeNumericComparisons`).
const CROSS_TYPE_COMPARISON: Version = Version(28);

/// What the walk found.
pub(super) struct Walked {
    pub types: Vec<Type>,
    pub references: Vec<Reference>,
    pub problems: Vec<Problem>,
}

/// The state of a walk.
pub(super) struct Walk<'c> {
    pub ast: &'c Ast,
    pub environment: &'c Environment,
    pub unknowns: Unknowns,
    /// Comprehensions' variables, the innermost last.
    pub locals: Vec<(&'c str, Type)>,
    /// Whether numbers of different types can be compared. Before 1.28 not, but from the first comprehension on they can:
    /// upstream forgets the restriction when it enters a scope (`enterScope`).
    pub compares_across_types: bool,
    /// Names whose types may turn out to be types, and the full name.
    pub names: Vec<(ExprId, String)>,
    types: Vec<Option<Type>>,
    references: Vec<Reference>,
    problems: Vec<Problem>,
    todo: Vec<Step<'c>>,
}

/// What is to do next. All but `Visit` come after the parts that they name have been visited.
pub(super) enum Step<'c> {
    Visit(ExprId),
    Select(ExprId),
    OptionalSelect(ExprId),
    Call(ExprId),
    Element { list: ExprId, index: usize, joined: Option<Type> },
    Key { map: ExprId, index: usize, key: Option<Type>, value: Option<Type> },
    Value { map: ExprId, index: usize, key: Option<Type>, value: Option<Type> },
    Field { literal: ExprId, index: usize },
    EnterFold(&'c Comprehension),
    Condition(&'c Comprehension),
    Next(&'c Comprehension, Type),
    LeaveFold(ExprId, &'c Comprehension),
}

/// Finds types and references of all parts.
pub(super) fn walk(ast: &Ast, environment: &Environment) -> Walked {
    let mut walk = Walk {
        ast,
        environment,
        unknowns: Unknowns::new(),
        locals: Vec::new(),
        compares_across_types: environment.version() >= CROSS_TYPE_COMPARISON,
        names: Vec::new(),
        types: vec![None; ast.len()],
        references: vec![Reference::None; ast.len()],
        problems: Vec::new(),
        todo: vec![Step::Visit(ast.root())],
    };
    while let Some(step) = walk.todo.pop()
        && !walk.unknowns.is_exhausted()
    {
        walk.take(step);
    }
    walk.finish()
}

impl<'c> Walk<'c> {
    fn take(&mut self, step: Step<'c>) {
        match step {
            Step::Visit(id) => self.visit(id),
            Step::Select(id) => self.select(id),
            Step::OptionalSelect(id) => self.optional_select(id),
            Step::Call(id) => self.call(id),
            Step::Element { list, index, joined } => self.element(list, index, joined),
            Step::Key { map, index, key, value } => self.key(map, index, key, value),
            Step::Value { map, index, key, value } => self.value(map, index, key, value),
            Step::Field { literal, index } => self.field(literal, index),
            Step::EnterFold(fold) => self.enter_fold(fold),
            Step::Condition(fold) => self.expect(fold.condition, &Type::Bool),
            Step::Next(fold, accumulator) => {
                self.expect(fold.step, &accumulator);
                // The accumulator stays until the result has been visited.
                self.leave(if fold.variable2.is_some() { 2 } else { 1 });
            }
            Step::LeaveFold(id, fold) => {
                self.leave(1);
                let result = self.type_of(fold.result);
                let result = self.unknowns.resolve(&result);
                self.set_type(id, result);
            }
        }
    }

    fn visit(&mut self, id: ExprId) {
        // A part that stands in two places of the tree was visited: the expansions of macros share what they repeat.
        if self.types.get(id.index()).is_none_or(Option::is_some) {
            return;
        }
        let Some(Expr { kind, .. }) = self.ast.get(id) else {
            return;
        };
        match kind {
            ExprKind::Literal(literal) => self.set_type(id, type_of_literal(literal)),
            ExprKind::Ident(name) => self.identifier(id, name),
            ExprKind::Select { operand, .. } => {
                if !self.qualified_name(id) {
                    self.then([Step::Visit(*operand), Step::Select(id)]);
                }
            }
            ExprKind::Call { target: None, function, args } if &**function == "_?._" => {
                let operand = args.first().copied().map(Step::Visit);
                self.then(operand.into_iter().chain([Step::OptionalSelect(id)]));
            }
            ExprKind::Call { target, args, .. } => {
                let target = target.filter(|target| self.namespaced(id, *target).is_none());
                let parts = args.iter().copied().chain(target).map(Step::Visit);
                self.then(parts.chain([Step::Call(id)]));
            }
            ExprKind::List { .. } => self.next_element(id, 0, None),
            ExprKind::Map(_) => self.next_entry(id, 0, None, None),
            ExprKind::Struct { name, .. } => self.struct_literal(id, name),
            ExprKind::Comprehension(fold) => self.then([
                Step::Visit(fold.range),
                Step::Visit(fold.init),
                Step::EnterFold(fold),
                Step::Visit(fold.result),
                Step::LeaveFold(id, fold),
            ]),
        }
    }

    /// Does these steps next, in this order.
    pub(super) fn then(&mut self, steps: impl IntoIterator<Item = Step<'c>>) {
        let place = self.todo.len();
        self.todo.extend(steps);
        if let Some(added) = self.todo.get_mut(place..) {
            added.reverse();
        }
    }

    fn enter_fold(&mut self, fold: &'c Comprehension) {
        self.compares_across_types = true;
        let range = self.type_of(fold.range);
        let range = self.unknowns.resolve(&range);
        let accumulator = self.type_of(fold.init);
        let (one, two) = match (&range, fold.variable2.is_some()) {
            (Type::List(element), false) => ((**element).clone(), None),
            (Type::List(element), true) => (Type::Int, Some((**element).clone())),
            (Type::Map(key, value), two) => ((**key).clone(), two.then(|| (**value).clone())),
            (Type::Dyn | Type::Any | Type::Error | Type::Parameter(_), two) => {
                self.unknowns.assignable(&Type::Dyn, &range);
                (Type::Dyn, two.then_some(Type::Dyn))
            }
            (_, two) => {
                self.report(fold.range, messages::not_a_range(&range));
                (Type::Error, two.then_some(Type::Error))
            }
        };
        self.locals.push((&fold.accumulator, accumulator.clone()));
        self.locals.push((&fold.variable, one));
        if let (Some(name), Some(ty)) = (&fold.variable2, two) {
            self.locals.push((name, ty));
        }
        self.then([
            Step::Visit(fold.condition),
            Step::Condition(fold),
            Step::Visit(fold.step),
            Step::Next(fold, accumulator),
        ]);
    }

    fn leave(&mut self, count: usize) {
        self.locals.truncate(self.locals.len().saturating_sub(count));
    }

    fn expect(&mut self, id: ExprId, expected: &Type) {
        let found = self.type_of(id);
        if !self.unknowns.assignable(expected, &found) {
            self.report_mismatch(id, expected, &found);
        }
    }

    /// What has been found out about a part: dyn if nothing.
    pub(super) fn type_of(&self, id: ExprId) -> Type {
        self.types.get(id.index()).cloned().flatten().unwrap_or(Type::Dyn)
    }

    pub(super) fn set_type(&mut self, id: ExprId, ty: Type) {
        if let Some(place) = self.types.get_mut(id.index()) {
            *place = Some(ty);
        }
    }

    pub(super) fn refer(&mut self, id: ExprId, reference: Reference) {
        if let Some(place) = self.references.get_mut(id.index()) {
            *place = reference;
        }
    }

    pub(super) fn reference(&self, id: ExprId) -> &Reference {
        self.references.get(id.index()).unwrap_or(&Reference::None)
    }

    pub(super) fn report(&mut self, id: ExprId, message: String) {
        self.problems.push(problem(self.ast, id, message));
    }

    pub(super) fn report_mismatch(&mut self, id: ExprId, expected: &Type, found: &Type) {
        let message = messages::mismatch(&self.unknowns.resolve_fully(expected), &self.unknowns.resolve_fully(found));
        self.report(id, message);
    }

    fn finish(mut self) -> Walked {
        let types = std::mem::take(&mut self.types);
        let types: Vec<Type> =
            types.into_iter().map(|ty| ty.map_or(Type::Dyn, |ty| self.unknowns.resolve_fully(&ty))).collect();
        if self.unknowns.is_exhausted() {
            self.problems.clear();
            let message = "the types of this expression are nested too deeply or grow too large".to_owned();
            self.report(self.ast.root(), message);
        } else if self.problems.is_empty() {
            self.settle_type_names(&types);
        }
        Walked { types, references: self.references, problems: self.problems }
    }
}

fn type_of_literal(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}
