//! Whatever the text, parsing ends with a tree within its bounds or with problems that lie in the text. A tree prints as text
//! that is read as the same tree, and that has the same type, or the same problems, in the environment of a policy. What has
//! a type becomes a program, or has problems that lie in the text.

#![no_main]

mod policy;

use admittance_engine::cel::check::check;
use admittance_engine::cel::environment::Environment;
use admittance_engine::cel::error::Problem;
use admittance_engine::cel::estimate::estimate;
use admittance_engine::cel::program::program;
use admittance_engine::cel::syntax::{Ast, ExprKind, MAX_BYTES, MAX_EXPRESSIONS, ParseOptions, Span, parse, print};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let options = ParseOptions::default();
    let ast = match parse(text, &options) {
        Ok(ast) => ast,
        Err(problems) => {
            assert!(!problems.is_empty());
            if text.len() <= MAX_BYTES {
                lie_in(text, &problems);
            }
            return;
        }
    };
    assert!(!ast.is_empty() && ast.len() <= MAX_EXPRESSIONS);
    let printed = print(&ast);
    // An expression may be printed longer than it was written, or deeper in parentheses than it may be read.
    let again = if printed.len() <= MAX_BYTES { parse(&printed, &options).ok() } else { None };
    if let Some(again) = &again {
        assert_eq!(kinds(again), kinds(&ast), "{printed}");
        assert_eq!(print(again), printed);
    } else {
        assert!(printed.len() > text.len(), "{printed}");
    }
    for mutation in [false, true] {
        let environment = &policy::environment(mutation).0;
        let found = checked(text, &ast, environment);
        if let Some(again) = &again {
            assert_eq!(checked(&printed, again, environment), found, "{printed}");
        }
    }
});

/// The type and whether there is a program, or the problems.
fn checked(text: &str, ast: &Ast, environment: &Environment) -> Result<String, Vec<String>> {
    let messages = |problems: Vec<Problem>| {
        lie_in(text, &problems);
        let mut messages: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
        assert!(!messages.is_empty());
        messages.sort();
        messages.dedup();
        messages
    };
    let checked = check(ast.clone(), environment).map_err(messages)?;
    assert_eq!(checked.ast().len(), ast.len());
    let range = estimate(&checked);
    assert!(range.min <= range.max, "{range:?}");
    let ty = checked.result_type().to_string();
    program(text, checked).map_err(messages)?;
    Ok(ty)
}

fn lie_in(text: &str, problems: &[Problem]) {
    for problem in problems {
        let (start, end) = (problem.span.start as usize, problem.span.end as usize);
        assert!(text.get(start..end).is_some(), "{start}..{end}: {}", problem.message);
    }
}

/// The tree without its places.
fn kinds(ast: &Ast) -> Vec<ExprKind> {
    let without_places = |kind: &ExprKind| {
        let mut kind = kind.clone();
        if let ExprKind::Struct { fields, .. } = &mut kind {
            fields.iter_mut().for_each(|field| field.span = Span::default());
        }
        kind
    };
    ast.iter().map(|expr| without_places(&expr.kind)).collect()
}
