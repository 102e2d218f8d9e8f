//! Format strings that are literals, with their arguments written out (cel-go `ext/formatting.go`, `stringFormatValidator`).

use super::Checked;
use crate::cel::standard::clause::{Clause, Piece, Pieces};
use crate::cel::syntax::{ExprId, ExprKind};
use crate::cel::types::Type;

/// Whether the arguments fit the clauses. An error names the argument, or none where it is the whole.
pub(super) fn validate(checked: &Checked, text: &str, args: &[ExprId]) -> Result<(), (Option<ExprId>, String)> {
    let mut used = 0;
    for piece in Pieces::new(text) {
        let clause = match piece {
            Ok(Piece::Text(_)) => continue,
            Ok(Piece::Clause(clause)) => clause,
            Err(error) => return Err((None, error.to_string())),
        };
        let Some(arg) = args.get(used) else {
            return Err((None, format!("index {used} out of range: there is no argument for the clause")));
        };
        accepts(checked, clause, *arg)?;
        used += 1;
    }
    if used < args.len() {
        let count = args.len();
        return Err((None, format!("too many arguments supplied to string.format (expected {used}, got {count})")));
    }
    Ok(())
}

/// Whether a clause prints an argument. `%s` looks also into lists and maps that are written out.
fn accepts(checked: &Checked, clause: Clause, arg: ExprId) -> Result<(), (Option<ExprId>, String)> {
    let mut todo = vec![arg];
    while let Some(id) = todo.pop() {
        let ty = checked.type_of(id);
        let name = name_at_run_time(ty);
        if *ty != Type::Dyn && !clause.accepts().contains(&&*name) {
            return Err((Some(id), clause.refusal(&name)));
        }
        if clause == Clause::String {
            match checked.ast().get(id).map(|expression| &expression.kind) {
                Some(ExprKind::List { elements, .. }) => todo.extend(elements.iter().rev()),
                Some(ExprKind::Map(entries)) => {
                    todo.extend(entries.iter().rev().flat_map(|entry| [entry.value, entry.key]));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The name that values of the type have.
fn name_at_run_time(ty: &Type) -> String {
    match ty {
        Type::List(_) => "list".to_owned(),
        Type::Map(..) => "map".to_owned(),
        Type::Type(_) => "type".to_owned(),
        Type::Optional(_) => "optional_type".to_owned(),
        Type::Wrapper(inner) => inner.to_string(),
        other => other.to_string(),
    }
}
