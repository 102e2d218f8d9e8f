//! Operators and functions.

use super::constant::{self, charge_of_constants, is_conversion, is_known};
use super::{Folding, Lowering, Lowers};
use crate::cel::check::Reference;
use crate::cel::constant::Constant;
use crate::cel::function::Overload;
use crate::cel::program::cost::{Charge, charge};
use crate::cel::program::membership::Membership;
use crate::cel::program::tree::{
    Addition, Call, Candidate, InTest, MemberTest, Node, NodeKind, OrderTest, PatternCall, PatternFunction, Wanted,
};
use crate::cel::regex::Regex;
use crate::cel::syntax::ExprId;

/// Overloads of one or two arguments that upstream binds as functions of any number of them: the first error ends the
/// evaluation of the arguments.
const VARIADIC: [&str; 1] = ["string_format"];

impl<'c> Lowering<'c> {
    #[inline(never)]
    pub(super) fn call(&mut self, id: ExprId, target: Option<ExprId>, function: &str, args: &'c [ExprId]) -> Lowers {
        match function {
            "_&&_" => return Ok(Node { id, kind: NodeKind::And(self.nodes(None, args)?.into()) }),
            "_||_" => return Ok(Node { id, kind: NodeKind::Or(self.nodes(None, args)?.into()) }),
            "_?_:_" => return self.conditional(id, args),
            "_[_]" => return self.index(id, args, false),
            "_[?_]" | "_?._" => return self.index(id, args, true),
            _ => {}
        }
        let overloads = match self.checked.reference(id) {
            Reference::Overloads(overloads) => overloads.as_slice(),
            _ => &[],
        };
        // A function whose name has dots has no target: what stands before them is part of the name.
        let target = target.filter(|_| overloads.iter().all(|overload| overload.is_member));
        let arguments = self.nodes(target, args)?;
        Ok(Node { id, kind: self.call_kind(id, function, overloads, arguments)? })
    }

    fn nodes(&mut self, target: Option<ExprId>, args: &[ExprId]) -> Lowers<Vec<Node>> {
        let mut nodes = Vec::with_capacity(args.len() + 1);
        for argument in target.iter().chain(args) {
            nodes.push(self.node(*argument)?);
        }
        Ok(nodes)
    }

    #[inline(never)]
    fn call_kind(
        &mut self,
        id: ExprId,
        function: &str,
        overloads: &[&'static Overload],
        arguments: Vec<Node>,
    ) -> Lowers<NodeKind> {
        let resolved = if let [only] = overloads { only.id } else { "" };
        let function = overloads.first().map_or(function, |overload| overload.function);
        let charge = charge(function, resolved, arguments.len());
        let candidates = || overloads.iter().map(|overload| Candidate::new(overload)).collect::<Box<[Candidate]>>();
        match <[Node; 2]>::try_from(arguments) {
            Ok(operands) => match function {
                "_==_" => Ok(NodeKind::Equal(Box::new(operands))),
                "_!=_" => Ok(NodeKind::NotEqual(Box::new(operands))),
                "_<_" => Ok(order(operands, Wanted::Less, charge)),
                "_<=_" => Ok(order(operands, Wanted::LessOrEqual, charge)),
                "_>_" => Ok(order(operands, Wanted::Greater, charge)),
                "_>=_" => Ok(order(operands, Wanted::GreaterOrEqual, charge)),
                "_+_" => Ok(NodeKind::Add(Box::new(Addition { operands, charge, candidates: candidates() }))),
                "@in" => Ok(self.is_in(operands, resolved, charge)),
                "or" if matches!(resolved, "" | "optional_or_optional") => Ok(NodeKind::OrOptional(Box::new(operands))),
                "orValue" if matches!(resolved, "" | "optional_orValue_value") => {
                    Ok(NodeKind::OrValue(Box::new(operands)))
                }
                "matches" | "find" | "findAll" => self.pattern(id, function, overloads, operands.into(), charge),
                _ => self.general(id, function, overloads, operands.into(), charge),
            },
            Err(arguments) => match (function, <[Node; 1]>::try_from(arguments)) {
                ("!_", Ok([operand])) => Ok(NodeKind::Not(Box::new(operand))),
                ("hasValue", Ok([operand])) => Ok(NodeKind::HasValue(Box::new(operand))),
                ("findAll", Err(arguments)) => self.pattern(id, function, overloads, arguments, charge),
                (_, Ok(arguments)) => self.general(id, function, overloads, arguments.into(), charge),
                (_, Err(arguments)) => self.general(id, function, overloads, arguments, charge),
            },
        }
    }

    /// `matches`, `find`, `findAll`: a pattern that is constant is compiled now, and refused now.
    #[inline(never)]
    fn pattern(
        &mut self,
        id: ExprId,
        function: &str,
        overloads: &[&'static Overload],
        arguments: Vec<Node>,
        charge: Charge,
    ) -> Lowers<NodeKind> {
        let Some(Constant::String(pattern)) = arguments.get(1).and_then(Node::constant) else {
            return self.general(id, function, overloads, arguments, charge);
        };
        let pattern = pattern.clone();
        let regex = Regex::new(&pattern).map_err(|message| self.problem(id, message))?;
        if self.folding != Folding::Done {
            let mut kind = self.general(id, function, overloads, arguments, charge)?;
            if let NodeKind::Call(call) = &mut kind {
                call.stops_at_error = true;
            }
            return Ok(kind);
        }
        let function = match function {
            "matches" => PatternFunction::Matches,
            "find" => PatternFunction::Find,
            _ => PatternFunction::FindAll,
        };
        let mut arguments = arguments.into_iter();
        let Some(text) = arguments.next() else { return Err(self.problem(id, "a pattern has a text".to_owned())) };
        let limit = arguments.nth(1);
        Ok(NodeKind::Pattern(Box::new(PatternCall { text, pattern, regex, function, limit, charge })))
    }

    #[inline(never)]
    fn general(
        &mut self,
        id: ExprId,
        function: &str,
        overloads: &[&'static Overload],
        arguments: Vec<Node>,
        charge: Charge,
    ) -> Lowers<NodeKind> {
        let constants: Option<Vec<&Constant>> = arguments.iter().map(Node::constant).collect();
        let (mut known, mut converted) = (None, None);
        let mut charge = charge;
        if let Some(constants) = constants {
            if let [argument] = constants.as_slice()
                && is_conversion(function)
            {
                converted = self.converted(id, overloads, argument)?;
            } else if let [overload] = overloads
                && is_known(function)
                && self.folding == Folding::Done
            {
                known = constant::known(overload, &constants);
                if known.is_some() {
                    charge = charge_of_constants(charge, &arguments);
                }
            }
        }
        let is_operator = function.starts_with(['_', '@', '!', '-']);
        let stops_at_error = match arguments.len() {
            0 | 1 => false,
            2 => {
                let is_dispatched = overloads.len() > 1 && !is_operator;
                is_dispatched || overloads.first().is_some_and(|overload| VARIADIC.contains(&overload.id))
            }
            _ => true,
        };
        let call = || {
            let candidates = overloads.iter().map(|overload| Candidate::new(overload)).collect();
            NodeKind::Call(Box::new(Call { arguments: arguments.into(), candidates, charge, stops_at_error, known }))
        };
        Ok(match converted {
            Some(constant) => self.folded(id, constant, call),
            None => call(),
        })
    }

    #[inline(never)]
    fn is_in(&self, operands: [Node; 2], resolved: &str, charge: Charge) -> NodeKind {
        let mut charge = charge;
        if resolved == "in_list"
            && let Some(Constant::List(constants)) = operands[1].constant()
        {
            // Upstream forgets the operand then, with what it costs and its errors.
            if constants.is_empty() {
                return NodeKind::Constant(Constant::Bool(false));
            }
            if let Some(members) = Membership::of(constants) {
                if self.folding == Folding::Done {
                    let [operand, _] = operands;
                    return NodeKind::Member(Box::new(MemberTest { operand, members }));
                }
                charge = Charge::Flat(0);
            }
        }
        NodeKind::In(Box::new(InTest { operands, charge }))
    }
}

fn order(operands: [Node; 2], wanted: Wanted, charge: Charge) -> NodeKind {
    NodeKind::Order(Box::new(OrderTest { operands, wanted, charge }))
}
