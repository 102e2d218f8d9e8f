//! Writes a tree so that two trees look the same only if they are, places aside.

use std::fmt::Write as _;

use super::super::{Ast, ExprId, ExprKind, Literal};

pub(super) fn show(ast: &Ast) -> String {
    of(ast, ast.root())
}

fn of(ast: &Ast, id: ExprId) -> String {
    let all = |ids: &[ExprId]| ids.iter().fold(String::new(), |text, id| text + " " + &of(ast, *id));
    let mark = |optional: bool| if optional { "?" } else { "" };
    match &ast.get(id).unwrap().kind {
        ExprKind::Literal(Literal::Null) => "null".to_owned(),
        ExprKind::Literal(Literal::Bool(value)) => value.to_string(),
        ExprKind::Literal(Literal::Int(value)) => value.to_string(),
        ExprKind::Literal(Literal::Uint(value)) => format!("{value}u"),
        ExprKind::Literal(Literal::Double(value)) => format!("d{:016x}", value.to_bits()),
        ExprKind::Literal(Literal::String(text)) => format!("s{}", hexadecimal(text.as_bytes())),
        ExprKind::Literal(Literal::Bytes(bytes)) => format!("b{}", hexadecimal(bytes)),
        ExprKind::Ident(name) => name.to_string(),
        ExprKind::Select { operand, field, test_only } => {
            format!("({} {} {field})", if *test_only { "has" } else { "." }, of(ast, *operand))
        }
        ExprKind::Call { target: Some(target), function, args } => {
            format!("(.{function} {}{})", of(ast, *target), all(args))
        }
        ExprKind::Call { target: None, function, args } => format!("({function}{})", all(args)),
        ExprKind::List { elements, optional } => {
            let element = |(index, id): (usize, &ExprId)| {
                format!("{}{}", mark(optional.iter().any(|marked| *marked as usize == index)), of(ast, *id))
            };
            format!("[{}]", elements.iter().enumerate().map(element).collect::<Vec<_>>().join(" "))
        }
        ExprKind::Map(entries) => {
            let entry = |entry: &super::super::MapEntry| {
                format!("{}{}:{}", mark(entry.optional), of(ast, entry.key), of(ast, entry.value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
        ExprKind::Struct { name, fields } => {
            let field = |field: &super::super::StructField| {
                format!("{}{}:{}", mark(field.optional), field.name, of(ast, field.value))
            };
            format!("{name}{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(" "))
        }
        ExprKind::Comprehension(fold) => {
            let second = fold.variable2.as_ref().map(|name| format!(",{name}")).unwrap_or_default();
            format!(
                "(fold {}{second} {} {}{})",
                fold.variable,
                of(ast, fold.range),
                fold.accumulator,
                all(&[fold.init, fold.condition, fold.step, fold.result])
            )
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
