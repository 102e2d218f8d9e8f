//! What macros expand to, node for node as in cel-go, since costs are counted on it (cel-go, parser/macro.go,
//! cel/library.go, ext/comprehensions.go).

use super::ast::{Comprehension, ExprId, ExprKind, Literal, Macro, Span};
use super::parser::ParseOptions;
use super::tree::{Full, Tree};

/// The accumulator's name, which no expression can write.
const ACCUMULATOR: &str = "@result";

/// The name that it had, which cel-go still refuses for a variable.
const OLD_ACCUMULATOR: &str = "__result__";

/// The variable of a fold that walks over nothing.
const UNUSED: &str = "#unused";

/// The name to which `sortBy` binds its target.
const SORTED: &str = "@__sortBy_input__";

/// A call that may be one of a macro.
pub(super) struct Call<'c> {
    pub(super) function: &'c str,
    pub(super) target: Option<Target>,
    pub(super) args: &'c [(ExprId, Span)],
    pub(super) span: Span,
}

/// What stands before the dot.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) id: ExprId,
    /// The number that came next before it was parsed.
    pub(super) first: usize,
}

/// What came of a call.
pub(super) enum Expanded {
    /// It is no macro.
    Not,
    /// The expansion.
    To(ExprId),
    /// The macro's arguments are wrong: where, and how.
    Refused(Span, String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformList,
    TransformMap,
    TransformMapEntry,
}

/// Expands a call if it is one of a macro.
pub(super) fn expand(tree: &mut Tree, options: ParseOptions, call: &Call<'_>) -> Result<Expanded, Full> {
    let Some(target) = call.target else {
        return match call.args {
            [(operand, span)] if call.function == "has" => presence(tree, *operand, *span, call.span),
            _ => Ok(Expanded::Not),
        };
    };
    let two = options.two_variable_comprehensions;
    let fold = match (call.function, call.args.len()) {
        ("optMap" | "optFlatMap", 2) if options.optional_syntax => return optional(tree, target, call),
        ("sortBy", 2) if options.sort_by => return sort_by(tree, target, call),
        ("map", 2 | 3) => Fold::Map,
        ("filter", 2) => Fold::Filter,
        ("all", 2) => Fold::All,
        ("exists", 2) => Fold::Exists,
        // `existsOne` with one variable exists in cel-go, but not among the standard macros that the API server enables.
        ("exists_one", 2) => Fold::ExistsOne,
        ("all", 3) if two => Fold::All,
        ("exists", 3) if two => Fold::Exists,
        ("exists_one" | "existsOne", 3) if two => Fold::ExistsOne,
        ("transformList", 3 | 4) if two => Fold::TransformList,
        ("transformMap", 3 | 4) if two => Fold::TransformMap,
        ("transformMapEntry", 3 | 4) if two => Fold::TransformMapEntry,
        _ => return Ok(Expanded::Not),
    };
    let variables = match fold {
        Fold::Map | Fold::Filter => 1,
        Fold::TransformList | Fold::TransformMap | Fold::TransformMapEntry => 2,
        Fold::All | Fold::Exists | Fold::ExistsOne => call.args.len() - 1,
    };
    let Some((names, bodies)) = call.args.split_at_checked(variables) else { return Ok(Expanded::Not) };
    let chosen = match variables_of(tree, call.function, names) {
        Ok(names) => names,
        Err((span, message)) => return Ok(Expanded::Refused(span, message)),
    };
    let (predicate, body) = match bodies {
        [(body, _)] => (None, *body),
        [(predicate, _), (body, _), ..] => (Some(*predicate), *body),
        [] => return Ok(Expanded::Not),
    };
    let element = names.first().map_or(body, |(id, _)| *id);
    let mut parts = Parts { tree, span: call.span };
    let (origin, [init, condition, step, result]) = parts.fold(fold, predicate, body, element, &chosen.0)?;
    let comprehension = Comprehension {
        origin,
        range: target.id,
        variable: chosen.0,
        variable2: chosen.1,
        accumulator: ACCUMULATOR.into(),
        init,
        condition,
        step,
        result,
    };
    tree.add_level(ExprKind::Comprehension(Box::new(comprehension)), call.span).map(Expanded::To)
}

fn presence(tree: &mut Tree, operand: ExprId, operand_span: Span, span: Span) -> Result<Expanded, Full> {
    match tree.kind(operand) {
        Some(ExprKind::Select { operand, field, .. }) => {
            let kind = ExprKind::Select { operand: *operand, field: field.clone(), test_only: true };
            tree.add_level(kind, span).map(Expanded::To)
        }
        _ => Ok(Expanded::Refused(operand_span, "`has` asks for a field, write it as `has(x.field)`".to_owned())),
    }
}

/// `target.hasValue() ? optional.of(fold) : optional.none()`, where the fold binds the variable to `target.value()`.
fn optional(tree: &mut Tree, target: Target, call: &Call<'_>) -> Result<Expanded, Full> {
    let [(name, name_span), (transform, _)] = *call.args else { return Ok(Expanded::Not) };
    let Some(ExprKind::Ident(variable)) = tree.kind(name) else {
        return Ok(Expanded::Refused(name_span, not_a_name(call.function, "first")));
    };
    let variable = variable.clone();
    let flat = call.function == "optFlatMap";
    let mut parts = Parts { tree, span: call.span };
    let has_value = parts.method(target.id, "hasValue", &[])?;
    let copy = parts.tree.copy(target.first, target.id)?;
    let init = parts.method(copy, "value", &[])?;
    let origin = if flat { Macro::OptFlatMap { transform } } else { Macro::OptMap { transform } };
    let fold = parts.binding(origin, variable, init, transform)?;
    let fold = parts.add(fold)?;
    let some = if flat { fold } else { parts.call("optional.of", &[fold])? };
    let none = parts.call("optional.none", &[])?;
    let whole = ExprKind::Call { target: None, function: "_?_:_".into(), args: vec![has_value, some, none] };
    tree.add_level(whole, call.span).map(Expanded::To)
}

/// `NAME.@sortByAssociatedKeys(NAME.map(variable, key))`, where a fold binds NAME to the target.
fn sort_by(tree: &mut Tree, target: Target, call: &Call<'_>) -> Result<Expanded, Full> {
    let [name, (key, _)] = *call.args else { return Ok(Expanded::Not) };
    if let Some(ExprKind::Literal(_) | ExprKind::Map(_) | ExprKind::Struct { .. }) = tree.kind(target.id) {
        return Ok(Expanded::Refused(call.span, "`sortBy` sorts a list, which this is not".to_owned()));
    }
    let variable = match variables_of(tree, call.function, &[name]) {
        Ok((variable, _)) => variable,
        Err((span, message)) => return Ok(Expanded::Refused(span, message)),
    };
    let mut parts = Parts { tree, span: call.span };
    let range = parts.name(SORTED)?;
    let [init, condition, step, result] = parts.list_of(None, key)?;
    let keys = parts.add(ExprKind::Comprehension(Box::new(Comprehension {
        origin: Macro::Map { predicate: None, transform: key },
        range,
        variable,
        variable2: None,
        accumulator: ACCUMULATOR.into(),
        init,
        condition,
        step,
        result,
    })))?;
    let list = parts.name(SORTED)?;
    let transform = parts.method(list, "@sortByAssociatedKeys", &[keys])?;
    let whole = parts.binding(Macro::SortBy { transform }, SORTED.into(), target.id, transform)?;
    tree.add_level(whole, call.span).map(Expanded::To)
}

type Refusal = (Span, String);

fn variables_of(
    tree: &Tree,
    function: &str,
    names: &[(ExprId, Span)],
) -> Result<(Box<str>, Option<Box<str>>), Refusal> {
    let name = |index: usize, which: &str| match names.get(index).map(|(id, span)| (tree.kind(*id), *span)) {
        Some((Some(ExprKind::Ident(name)), _)) => Ok(name.clone()),
        place => Err((place.map(|(_, span)| span).unwrap_or_default(), not_a_name(function, which))),
    };
    let first = name(0, "first")?;
    let second = if names.len() > 1 { Some(name(1, "second")?) } else { None };
    if second.as_ref() == Some(&first) {
        let span = names.get(1).map(|(_, span)| *span).unwrap_or_default();
        return Err((
            span,
            format!("the variables of `{function}` are both named `{first}`, give them different names"),
        ));
    }
    for (name, (_, span)) in [Some(&first), second.as_ref()].into_iter().flatten().zip(names) {
        if matches!(&**name, ACCUMULATOR | OLD_ACCUMULATOR) {
            return Err((
                *span,
                format!("the name `{name}` is reserved, give the variable of `{function}` another name"),
            ));
        }
    }
    Ok((first, second))
}

fn not_a_name(function: &str, which: &str) -> String {
    format!("the {which} argument of `{function}` is the name of a variable: letters, digits and `_`")
}

/// Adds the parts of an expansion; they stand where the macro does.
struct Parts<'t> {
    tree: &'t mut Tree,
    span: Span,
}

impl Parts<'_> {
    fn fold(
        &mut self,
        fold: Fold,
        predicate: Option<ExprId>,
        body: ExprId,
        element: ExprId,
        variable: &str,
    ) -> Result<(Macro, [ExprId; 4]), Full> {
        Ok(match fold {
            Fold::All => {
                let init = self.literal(Literal::Bool(true))?;
                let accumulator = self.accumulator()?;
                let condition = self.call("@not_strictly_false", &[accumulator])?;
                let accumulator = self.accumulator()?;
                let step = self.call("_&&_", &[accumulator, body])?;
                (Macro::All { predicate: body }, [init, condition, step, self.accumulator()?])
            }
            Fold::Exists => {
                let init = self.literal(Literal::Bool(false))?;
                let accumulator = self.accumulator()?;
                let not = self.call("!_", &[accumulator])?;
                let condition = self.call("@not_strictly_false", &[not])?;
                let accumulator = self.accumulator()?;
                let step = self.call("_||_", &[accumulator, body])?;
                (Macro::Exists { predicate: body }, [init, condition, step, self.accumulator()?])
            }
            Fold::ExistsOne => {
                let init = self.literal(Literal::Int(0))?;
                let condition = self.literal(Literal::Bool(true))?;
                let (accumulator, one) = (self.accumulator()?, self.literal(Literal::Int(1))?);
                let more = self.call("_+_", &[accumulator, one])?;
                let step = self.or_accumulator(Some(body), more)?;
                let (accumulator, one) = (self.accumulator()?, self.literal(Literal::Int(1))?);
                let result = self.call("_==_", &[accumulator, one])?;
                (Macro::ExistsOne { predicate: body }, [init, condition, step, result])
            }
            Fold::Map => (Macro::Map { predicate, transform: body }, self.list_of(predicate, body)?),
            Fold::Filter => (Macro::Filter { predicate: body }, self.list_of(Some(body), element)?),
            Fold::TransformList => {
                (Macro::TransformList { predicate, transform: body }, self.list_of(predicate, body)?)
            }
            Fold::TransformMap => {
                let (accumulator, key) = (self.accumulator()?, self.name(variable)?);
                let insert = self.call("cel.@mapInsert", &[accumulator, key, body])?;
                (Macro::TransformMap { predicate, transform: body }, self.map_of(predicate, insert)?)
            }
            Fold::TransformMapEntry => {
                let accumulator = self.accumulator()?;
                let insert = self.call("cel.@mapInsert", &[accumulator, body])?;
                (Macro::TransformMapEntry { predicate, transform: body }, self.map_of(predicate, insert)?)
            }
        })
    }

    fn list_of(&mut self, predicate: Option<ExprId>, element: ExprId) -> Result<[ExprId; 4], Full> {
        let init = self.empty_list()?;
        let condition = self.literal(Literal::Bool(true))?;
        let accumulator = self.accumulator()?;
        let list = self.add(ExprKind::List { elements: vec![element], optional: Vec::new() })?;
        let longer = self.call("_+_", &[accumulator, list])?;
        let step = self.or_accumulator(predicate, longer)?;
        Ok([init, condition, step, self.accumulator()?])
    }

    fn map_of(&mut self, predicate: Option<ExprId>, insert: ExprId) -> Result<[ExprId; 4], Full> {
        let init = self.add(ExprKind::Map(Vec::new()))?;
        let condition = self.literal(Literal::Bool(true))?;
        let step = self.or_accumulator(predicate, insert)?;
        Ok([init, condition, step, self.accumulator()?])
    }

    /// `predicate ? step : accumulator`
    fn or_accumulator(&mut self, predicate: Option<ExprId>, step: ExprId) -> Result<ExprId, Full> {
        let Some(predicate) = predicate else { return Ok(step) };
        let accumulator = self.accumulator()?;
        self.call("_?_:_", &[predicate, step, accumulator])
    }

    fn accumulator(&mut self) -> Result<ExprId, Full> {
        self.name(ACCUMULATOR)
    }

    fn name(&mut self, name: &str) -> Result<ExprId, Full> {
        self.add(ExprKind::Ident(name.into()))
    }

    fn literal(&mut self, literal: Literal) -> Result<ExprId, Full> {
        self.add(ExprKind::Literal(literal))
    }

    fn empty_list(&mut self) -> Result<ExprId, Full> {
        self.add(ExprKind::List { elements: Vec::new(), optional: Vec::new() })
    }

    fn call(&mut self, function: &str, args: &[ExprId]) -> Result<ExprId, Full> {
        self.add(ExprKind::Call { target: None, function: function.into(), args: args.to_vec() })
    }

    fn method(&mut self, target: ExprId, function: &str, args: &[ExprId]) -> Result<ExprId, Full> {
        self.add(ExprKind::Call { target: Some(target), function: function.into(), args: args.to_vec() })
    }

    /// A fold over nothing, which binds a name to a value.
    fn binding(&mut self, origin: Macro, name: Box<str>, value: ExprId, result: ExprId) -> Result<ExprKind, Full> {
        Ok(ExprKind::Comprehension(Box::new(Comprehension {
            origin,
            range: self.empty_list()?,
            variable: UNUSED.into(),
            variable2: None,
            init: value,
            condition: self.literal(Literal::Bool(false))?,
            step: self.name(&name)?,
            accumulator: name,
            result,
        })))
    }

    fn add(&mut self, kind: ExprKind) -> Result<ExprId, Full> {
        self.tree.add(kind, self.span)
    }
}
