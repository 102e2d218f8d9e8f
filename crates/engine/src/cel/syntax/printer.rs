//! From tree to text: macros as macros, and no parentheses but those that are needed.

use std::fmt::Write as _;

use super::ast::{Ast, Comprehension, ExprId, ExprKind, Literal, Macro};
use super::token::TokenKind;

/// Writes an expression on one line. `parse` makes the same tree of it, places aside.
pub fn print(ast: &Ast) -> String {
    let mut printer = Printer { ast, text: String::new() };
    printer.write(ast.root(), Level::Conditional);
    printer.text
}

/// How tightly an expression holds together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Conditional,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    Member,
}

struct Printer<'e> {
    ast: &'e Ast,
    text: String,
}

impl<'e> Printer<'e> {
    /// Recurses as deep as the tree is, at most [`super::MAX_DEPTH`].
    fn write(&mut self, id: ExprId, least: Level) {
        let Some(expression) = self.ast.get(id) else { return };
        let kind = &expression.kind;
        if level(kind) < least && !self.is_optional_macro(kind) {
            self.text.push('(');
            self.write_kind(kind);
            self.text.push(')');
        } else {
            self.write_kind(kind);
        }
    }

    fn write_kind(&mut self, kind: &'e ExprKind) {
        match kind {
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Ident(name) => self.text.push_str(name),
            ExprKind::Select { operand, field, test_only } => {
                self.text.push_str(if *test_only { "has(" } else { "" });
                self.write(*operand, Level::Member);
                self.text.push('.');
                self.text.push_str(field);
                self.text.push_str(if *test_only { ")" } else { "" });
            }
            ExprKind::Call { target: Some(target), function, args } => {
                self.write(*target, Level::Member);
                self.text.push('.');
                self.function(function, args);
            }
            ExprKind::Call { target: None, function, args } => self.operator_or_function(function, args),
            ExprKind::List { elements, optional } => {
                self.text.push('[');
                for (index, element) in elements.iter().enumerate() {
                    let marked = optional.iter().any(|marked| usize::try_from(*marked) == Ok(index));
                    self.separate(index);
                    self.mark(marked);
                    self.write(*element, Level::Conditional);
                }
                self.text.push(']');
            }
            ExprKind::Map(entries) => {
                self.text.push('{');
                for (index, entry) in entries.iter().enumerate() {
                    self.separate(index);
                    self.mark(entry.optional);
                    self.write(entry.key, Level::Conditional);
                    self.text.push_str(": ");
                    self.write(entry.value, Level::Conditional);
                }
                self.text.push('}');
            }
            ExprKind::Struct { name, fields } => {
                self.text.push_str(name);
                self.text.push('{');
                for (index, field) in fields.iter().enumerate() {
                    self.separate(index);
                    self.mark(field.optional);
                    self.text.push_str(&field.name);
                    self.text.push_str(": ");
                    self.write(field.value, Level::Conditional);
                }
                self.text.push('}');
            }
            ExprKind::Comprehension(fold) => match self.sorted(fold) {
                Some(keys) => self.written(fold.init, "sortBy", keys),
                None => self.fold(fold.range, fold),
            },
        }
    }

    fn operator_or_function(&mut self, function: &str, args: &[ExprId]) {
        match (function, args) {
            ("_?_:_", [condition, then, otherwise]) => match self.optional_macro(*condition, *then) {
                Some((target, fold)) => self.fold(target, fold),
                None => {
                    self.write(*condition, Level::Or);
                    self.text.push_str(" ? ");
                    self.write(*then, Level::Or);
                    self.text.push_str(" : ");
                    self.write(*otherwise, Level::Conditional);
                }
            },
            ("_||_", _) => self.chain(" || ", args, Level::And),
            ("_&&_", _) => self.chain(" && ", args, Level::Relation),
            ("!_", [operand]) => {
                self.text.push('!');
                self.write(*operand, Level::Member);
            }
            ("-_", [operand]) => self.negation(*operand),
            ("_[_]" | "_[?_]", [operand, index]) => {
                self.write(*operand, Level::Member);
                self.text.push_str(if function == "_[?_]" { "[?" } else { "[" });
                self.write(*index, Level::Conditional);
                self.text.push(']');
            }
            ("_?._", [operand, field]) => {
                self.write(*operand, Level::Member);
                self.text.push_str(".?");
                if let Some(ExprKind::Literal(Literal::String(field))) = self.kind(*field) {
                    self.text.push_str(field);
                }
            }
            (_, [left, right]) => match binary(function) {
                Some((sign, own, right_least)) => {
                    self.write(*left, own);
                    self.text.push(' ');
                    self.text.push_str(sign);
                    self.text.push(' ');
                    self.write(*right, right_least);
                }
                None => self.function(function, args),
            },
            _ => self.function(function, args),
        }
    }

    /// The sign would belong to a number that follows it, and two signs would cancel each other.
    fn negation(&mut self, operand: ExprId) {
        self.text.push('-');
        let start = self.text.len();
        self.write(operand, Level::Member);
        if self.text.get(start..).is_some_and(|text| text.starts_with(|c: char| c == '-' || c.is_ascii_digit())) {
            self.text.insert(start, '(');
            self.text.push(')');
        }
    }

    fn chain(&mut self, sign: &str, args: &[ExprId], least: Level) {
        for (index, arg) in args.iter().enumerate() {
            self.text.push_str(if index > 0 { sign } else { "" });
            self.write(*arg, least);
        }
    }

    fn function(&mut self, name: &str, args: &[ExprId]) {
        self.text.push_str(name);
        self.text.push('(');
        for (index, arg) in args.iter().enumerate() {
            self.separate(index);
            self.write(*arg, Level::Conditional);
        }
        self.text.push(')');
    }

    fn fold(&mut self, target: ExprId, fold: &Comprehension) {
        let name = match fold.origin {
            Macro::All { .. } => "all",
            Macro::Exists { .. } => "exists",
            Macro::ExistsOne { .. } if fold.variable2.is_some() => "existsOne",
            Macro::ExistsOne { .. } => "exists_one",
            Macro::Filter { .. } => "filter",
            Macro::Map { .. } => "map",
            Macro::TransformList { .. } => "transformList",
            Macro::TransformMap { .. } => "transformMap",
            Macro::TransformMapEntry { .. } => "transformMapEntry",
            Macro::OptMap { .. } => "optMap",
            Macro::OptFlatMap { .. } => "optFlatMap",
            Macro::SortBy { .. } => "sortBy",
        };
        self.written(target, name, fold);
    }

    /// A macro as it was written, its variables and bodies being those of the fold.
    fn written(&mut self, target: ExprId, name: &str, fold: &Comprehension) {
        let (first, second) = match fold.origin {
            Macro::Map { predicate, transform }
            | Macro::TransformList { predicate, transform }
            | Macro::TransformMap { predicate, transform }
            | Macro::TransformMapEntry { predicate, transform } => (predicate, transform),
            Macro::All { predicate: only }
            | Macro::Exists { predicate: only }
            | Macro::ExistsOne { predicate: only }
            | Macro::Filter { predicate: only }
            | Macro::OptMap { transform: only }
            | Macro::OptFlatMap { transform: only }
            | Macro::SortBy { transform: only } => (None, only),
        };
        let variable = match fold.origin {
            Macro::OptMap { .. } | Macro::OptFlatMap { .. } => &fold.accumulator,
            _ => &fold.variable,
        };
        self.write(target, Level::Member);
        let _ = write!(self.text, ".{name}({variable}");
        if let Some(second) = &fold.variable2 {
            let _ = write!(self.text, ", {second}");
        }
        for body in first.into_iter().chain([second]) {
            self.text.push_str(", ");
            self.write(body, Level::Conditional);
        }
        self.text.push(')');
    }

    /// The fold that makes the keys of `sortBy`.
    fn sorted(&self, fold: &Comprehension) -> Option<&'e Comprehension> {
        let Macro::SortBy { transform } = fold.origin else { return None };
        let ExprKind::Call { args, .. } = self.kind(transform)? else { return None };
        match self.kind(*args.first()?)? {
            ExprKind::Comprehension(keys) => Some(keys),
            _ => None,
        }
    }

    /// These expand to a conditional, and are written as a call.
    fn is_optional_macro(&self, kind: &ExprKind) -> bool {
        match kind {
            ExprKind::Call { target: None, function, args } if &**function == "_?_:_" => match args[..] {
                [condition, then, _] => self.optional_macro(condition, then).is_some(),
                _ => false,
            },
            _ => false,
        }
    }

    /// The target and the fold of `optMap` and `optFlatMap`, which stand inside a conditional.
    fn optional_macro(&self, condition: ExprId, then: ExprId) -> Option<(ExprId, &'e Comprehension)> {
        let fold = match self.kind(then)? {
            ExprKind::Call { target: None, function, args } if &**function == "optional.of" => {
                self.kind(*args.first()?)?
            }
            kind => kind,
        };
        match (self.kind(condition)?, fold) {
            (ExprKind::Call { target: Some(target), .. }, ExprKind::Comprehension(fold))
                if matches!(fold.origin, Macro::OptMap { .. } | Macro::OptFlatMap { .. }) =>
            {
                Some((*target, fold))
            }
            _ => None,
        }
    }

    fn literal(&mut self, literal: &Literal) {
        let _ = match literal {
            Literal::Null => self.text.write_str("null"),
            Literal::Bool(value) => write!(self.text, "{value}"),
            Literal::Int(value) => write!(self.text, "{value}"),
            Literal::Uint(value) => write!(self.text, "{value}u"),
            Literal::Double(value) => write!(self.text, "{value:?}"),
            Literal::String(text) => {
                self.text.push('\'');
                text.chars().for_each(|character| self.character(character));
                self.text.write_str("'")
            }
            Literal::Bytes(bytes) => {
                self.text.push_str("b'");
                for byte in bytes {
                    match byte {
                        0x20..=0x7e => self.character(char::from(*byte)),
                        _ => _ = write!(self.text, "\\x{byte:02x}"),
                    }
                }
                self.text.write_str("'")
            }
        };
    }

    fn character(&mut self, character: char) {
        let _ = match character {
            '\\' | '\'' => write!(self.text, "\\{character}"),
            '\n' => self.text.write_str("\\n"),
            '\r' => self.text.write_str("\\r"),
            '\t' => self.text.write_str("\\t"),
            _ if character.is_control() => write!(self.text, "\\u{:04x}", u32::from(character)),
            _ => self.text.write_char(character),
        };
    }

    fn separate(&mut self, index: usize) {
        self.text.push_str(if index > 0 { ", " } else { "" });
    }

    fn mark(&mut self, optional: bool) {
        self.text.push_str(if optional { "?" } else { "" });
    }

    fn kind(&self, id: ExprId) -> Option<&'e ExprKind> {
        self.ast.get(id).map(|expression| &expression.kind)
    }
}

fn level(kind: &ExprKind) -> Level {
    let ExprKind::Call { target: None, function, args } = kind else { return Level::Member };
    match (&**function, args.len()) {
        ("_?_:_", 3) => Level::Conditional,
        ("_||_", _) => Level::Or,
        ("_&&_", _) => Level::And,
        ("!_" | "-_", 1) => Level::Unary,
        (function, 2) => binary(function).map_or(Level::Member, |(_, level, _)| level),
        _ => Level::Member,
    }
}

/// The sign of an operator, its level, and the least level of its right operand.
fn binary(function: &str) -> Option<(&'static str, Level, Level)> {
    const RELATIONS: [(TokenKind, &str); 7] = [
        (TokenKind::Equal, "=="),
        (TokenKind::NotEqual, "!="),
        (TokenKind::Less, "<"),
        (TokenKind::LessEqual, "<="),
        (TokenKind::Greater, ">"),
        (TokenKind::GreaterEqual, ">="),
        (TokenKind::In, "in"),
    ];
    const ARITHMETIC: [(TokenKind, &str); 5] = [
        (TokenKind::Plus, "+"),
        (TokenKind::Minus, "-"),
        (TokenKind::Star, "*"),
        (TokenKind::Slash, "/"),
        (TokenKind::Percent, "%"),
    ];
    let relation = RELATIONS.into_iter().find(|(kind, _)| kind.relation() == Some(function));
    if let Some((_, sign)) = relation {
        return Some((sign, Level::Relation, Level::Sum));
    }
    ARITHMETIC.into_iter().find_map(|(kind, sign)| match kind.arithmetic() {
        Some((name, 1)) if name == function => Some((sign, Level::Sum, Level::Product)),
        Some((name, _)) if name == function => Some((sign, Level::Product, Level::Unary)),
        _ => None,
    })
}
