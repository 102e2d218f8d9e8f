//! Changes of an expression, in its text.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::cel::syntax::{Ast, ExprId, ExprKind, Literal, ParseOptions, Span, parse, print};

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// The bytes that are replaced.
    pub span: Range<usize>,
    /// By what.
    pub text: String,
    /// For people.
    pub what: String,
}

/// Operators, and what becomes of them: one that says nearly the same.
const OPERATORS: [(&str, &str, &[&str]); 8] = [
    ("_&&_", "&&", &["||"]),
    ("_||_", "||", &["&&"]),
    ("_==_", "==", &["!="]),
    ("_!=_", "!=", &["=="]),
    ("_<=_", "<=", &["<", ">"]),
    ("_>=_", ">=", &[">", "<"]),
    ("_<_", "<", &["<=", ">="]),
    ("_>_", ">", &[">=", "<="]),
];

/// Macros that answer the same for one element.
const MACROS: [(&str, &str); 3] = [("all", "exists"), ("exists", "all"), ("exists_one", "exists")];

impl Edit {
    /// The text with the change.
    pub(super) fn applied(&self, text: &str) -> Option<String> {
        Some(format!("{}{}{}", text.get(..self.span.start)?, self.text, text.get(self.span.end..)?))
    }
}

/// All changes that parse, and parse to something else; in the order of the text, each once.
pub(super) fn edits(text: &str) -> Vec<Edit> {
    let Ok(ast) = parse(text, &ParseOptions::default()) else { return vec![] };
    let original = print(&ast);
    let mut found = vec![];
    for expression in ast.iter() {
        let span = range(expression.span);
        match &expression.kind {
            ExprKind::Literal(literal) => literals(literal, text, span, &mut found),
            ExprKind::Call { function, args, target: None } => {
                operators(&ast, text, function, args, &mut found);
                operands(&ast, text, function, args, &mut found);
                if function.as_ref() == "!_" && text.get(span.clone()).is_some_and(|text| text.starts_with('!')) {
                    let span = span.start..span.start + 1;
                    found.push(Edit { span, text: String::new(), what: "`!` is removed".to_owned() });
                }
                if let ("_?_:_", [condition, ..]) = (function.as_ref(), args.as_slice()) {
                    negated(text, range(ast.span(*condition)), &mut found);
                }
            }
            ExprKind::Select { test_only: true, .. } => negated(text, span, &mut found),
            ExprKind::List { elements, .. } => entries(&ast, text, elements, &mut found),
            ExprKind::Comprehension(fold) => macros(text, range(ast.span(fold.range)).end, span, &mut found),
            _ => {}
        }
    }
    found.sort_by(|left, right| {
        (left.span.start, left.span.end, &left.text).cmp(&(right.span.start, right.span.end, &right.text))
    });
    let mut seen = BTreeSet::from([original]);
    found.retain(|edit| {
        let changed = edit.applied(text).and_then(|text| parse(&text, &ParseOptions::default()).ok());
        changed.is_some_and(|ast| seen.insert(print(&ast)))
    });
    found
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

fn literals(literal: &Literal, text: &str, span: Range<usize>, found: &mut Vec<Edit>) {
    let Some(written) = text.get(span.clone()) else { return };
    let mut change = |other: String| {
        let what = format!("`{written}` to `{other}`");
        found.push(Edit { span: span.clone(), text: other, what });
    };
    match literal {
        // What a macro brought along stands where the macro does.
        Literal::Bool(value) if written == value.to_string() => change((!value).to_string()),
        Literal::Int(value) if written.trim_start_matches('-').starts_with(|char: char| char.is_ascii_digit()) => {
            [value.checked_add(1), value.checked_sub(1)]
                .into_iter()
                .flatten()
                .for_each(|other| change(other.to_string()));
        }
        _ => {}
    }
}

/// One operator of a chain.
fn operators(ast: &Ast, text: &str, function: &str, args: &[ExprId], found: &mut Vec<Edit>) {
    let Some((_, operator, others)) = OPERATORS.iter().find(|(name, ..)| *name == function) else { return };
    for pair in args.windows(2) {
        let [left, right] = pair else { continue };
        let (start, end) = (range(ast.span(*left)).end, range(ast.span(*right)).start);
        let Some(place) = text.get(start..end).and_then(|between| between.find(operator)) else { continue };
        let span = start + place..start + place + operator.len();
        for other in *others {
            let what = format!("`{operator}` to `{other}`");
            found.push(Edit { span: span.clone(), text: (*other).to_owned(), what });
        }
    }
}

/// One operand of a chain, as if it were not there.
fn operands(ast: &Ast, text: &str, function: &str, args: &[ExprId], found: &mut Vec<Edit>) {
    let neutral = match function {
        "_&&_" => "true",
        "_||_" => "false",
        _ => return,
    };
    // What a macro makes of it is written nowhere.
    let spans: Vec<Range<usize>> = args.iter().map(|arg| range(ast.span(*arg))).collect();
    if !spans.is_sorted_by(|left, right| left.end <= right.start) {
        return;
    }
    for arg in args {
        let span = range(ast.span(*arg));
        let Some(written) = text.get(span.clone()) else { continue };
        let what = format!("`{}` is left out", short(written));
        found.push(Edit { span, text: neutral.to_owned(), what });
    }
}

fn negated(text: &str, span: Range<usize>, found: &mut Vec<Edit>) {
    let Some(written) = text.get(span.clone()) else { return };
    found.push(Edit { span, text: format!("!({written})"), what: format!("`{}` is negated", short(written)) });
}

/// One entry of a list of at least two.
fn entries(ast: &Ast, text: &str, elements: &[ExprId], found: &mut Vec<Edit>) {
    if elements.len() < 2 {
        return;
    }
    let spans: Vec<Range<usize>> = elements.iter().map(|element| range(ast.span(*element))).collect();
    if !spans.is_sorted_by(|left, right| left.end <= right.start) {
        return;
    }
    for (position, span) in spans.iter().enumerate() {
        let Some(written) = text.get(span.clone()) else { continue };
        let cut = match (spans.get(position + 1), position.checked_sub(1).and_then(|before| spans.get(before))) {
            (Some(next), _) => span.start..next.start,
            (None, Some(before)) => before.end..span.end,
            (None, None) => continue,
        };
        let what = format!("`{}` is removed from the list", short(written));
        found.push(Edit { span: cut, text: String::new(), what });
    }
}

/// The name of a macro after what it walks over.
fn macros(text: &str, start: usize, whole: Range<usize>, found: &mut Vec<Edit>) {
    let Some(after) = text.get(start..whole.end) else { return };
    // Parentheses around the range, then the dot.
    let dot = after.find(|char: char| !char.is_whitespace() && char != ')').unwrap_or_default();
    let Some(call) = after.get(dot..).and_then(|call| call.strip_prefix('.')) else { return };
    let blanks = call.len() - call.trim_start().len();
    let call = call.trim_start();
    for (name, other) in MACROS {
        if call.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('(')) {
            let at = start + dot + 1 + blanks;
            let what = format!("`{name}` to `{other}`");
            found.push(Edit { span: at..at + name.len(), text: other.to_owned(), what });
        }
    }
}

/// On one line, and not too long.
fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
