//! Which overloads of a function take the arguments of a call.

use super::super::environment::Signature;
use super::unify::instantiate;
use super::walk::Walk;
use super::{Reference, messages};
use crate::cel::syntax::{ExprId, ExprKind};
use crate::cel::types::Type;

impl Walk<'_> {
    /// A call whose arguments, and target if it has one that is no part of the name, have been visited.
    pub(super) fn call(&mut self, id: ExprId) {
        let Some(ExprKind::Call { target, function, args }) = self.ast.get(id).map(|expression| &expression.kind)
        else {
            return;
        };
        let namespaced = target.and_then(|target| self.namespaced(id, target));
        let target = if namespaced.is_some() { None } else { *target };
        let Some(name) = namespaced.or_else(|| self.function_named(function)) else {
            let qualified =
                target.and_then(|target| self.written_name(target)).map(|name| format!("{name}.{function}"));
            let message = messages::undeclared_function(function, qualified.as_deref(), self.environment);
            self.report(id, message);
            return self.set_type(id, Type::Error);
        };
        if matches!(name.as_str(), "_&&_" | "_||_") && target.is_none() {
            return self.logical(id, &name, args);
        }
        let types: Vec<Type> = target.iter().chain(args).map(|part| self.type_of(*part)).collect();
        match self.resolve(&name, target.is_some(), &types) {
            Some((result, overloads)) => {
                self.set_type(id, result);
                self.refer(id, Reference::Overloads(overloads));
            }
            None => {
                let types: Vec<Type> = types.iter().map(|ty| self.unknowns.resolve_fully(ty)).collect();
                let (receiver, args) = types.split_at(usize::from(target.is_some()));
                let more = self.advice(&name, target.is_some(), &types);
                self.report(id, messages::no_overload(&name, receiver.first(), args, &more));
                self.set_type(id, Type::Error);
            }
        }
    }

    /// `&&` and `||`, which are one call however long the chain is.
    fn logical(&mut self, id: ExprId, name: &str, args: &[ExprId]) {
        let mut is_wrong = false;
        for arg in args {
            let ty = self.type_of(*arg);
            if !self.unknowns.assignable(&ty, &Type::Bool) {
                self.report_mismatch(*arg, &Type::Bool, &ty);
                is_wrong = true;
            }
        }
        let overloads = self.environment.overloads(name).into_iter().flatten();
        self.refer(id, Reference::Overloads(overloads.map(|signature| signature.overload).take(1).collect()));
        self.set_type(id, if is_wrong { Type::Error } else { Type::Bool });
    }

    /// The type of the result and the overloads that take these types. Each candidate sees what the ones before it found
    /// out about unknowns; that is upstream's way (`resolveOverload`).
    fn resolve(
        &mut self,
        name: &str,
        is_member: bool,
        types: &[Type],
    ) -> Option<(Type, Vec<&'static crate::cel::function::Overload>)> {
        let mut result: Option<Type> = None;
        let mut overloads = Vec::new();
        for signature in self.environment.overloads(name)? {
            if signature.overload.is_member != is_member
                || signature.parameters.len() != types.len()
                || !self.compares_across_types && compares_across_types(signature)
            {
                continue;
            }
            let Some(this) = self.result_of(signature, types) else {
                continue;
            };
            overloads.push(signature.overload);
            match &result {
                None => result = Some(this),
                Some(Type::Dyn | Type::Any) => {}
                Some(first) if self.unknowns.exact(&this, first) => {}
                Some(_) => result = Some(Type::Dyn),
            }
        }
        Some((result?, overloads))
    }

    fn result_of(&mut self, signature: &Signature, types: &[Type]) -> Option<Type> {
        if signature.unknowns == 0 {
            return self
                .unknowns
                .all_assignable(types.iter().zip(&*signature.parameters))
                .then(|| signature.result.clone());
        }
        let first = self.unknowns.fresh(signature.unknowns);
        let parameters: Vec<Type> = signature.parameters.iter().map(|ty| instantiate(ty, first)).collect();
        if !self.unknowns.all_assignable(types.iter().zip(&parameters)) {
            return None;
        }
        let result = instantiate(&signature.result, first);
        Some(self.unknowns.resolve(&result))
    }

    /// What to do about a call that no overload takes.
    fn advice(&self, name: &str, is_member: bool, types: &[Type]) -> String {
        let signatures: Vec<&Signature> = self.environment.overloads(name).into_iter().flatten().collect();
        if signatures.iter().all(|signature| signature.overload.is_member != is_member) {
            let form = if is_member { format!("{name}(…)") } else { format!("receiver.{name}(…)") };
            return format!(", call it as `{form}`");
        }
        let numbers = [Type::Int, Type::Uint, Type::Double];
        match types {
            [one, other] if one != other && numbers.contains(one) && numbers.contains(other) => {
                ", convert one of them with `int()`, `uint()` or `double()`".to_owned()
            }
            _ => String::new(),
        }
    }
}

/// Whether it compares numbers of different types (`crossTypeNumericComparisonOverloads`).
fn compares_across_types(signature: &Signature) -> bool {
    let numbers = [Type::Int, Type::Uint, Type::Double];
    matches!(signature.overload.function, "_<_" | "_<=_" | "_>_" | "_>=_")
        && matches!(&*signature.parameters, [one, other] if one != other && numbers.contains(one) && numbers.contains(other))
}
