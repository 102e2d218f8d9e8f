mod accepts;
mod limits;
mod macros;
mod properties;
mod show;

use super::{Ast, ParseOptions, Span, parse};
use show::show;

/// The tree of an expression with every option on, as [`show()`] writes it.
fn tree(text: &str) -> String {
    match parse(text, &ParseOptions::default()) {
        Ok(ast) => show(&ast),
        Err(problems) => panic!("{text} is refused: {problems:?}"),
    }
}

/// Where and why it is refused: the text of each place, and the message.
fn problems(text: &str) -> Vec<(String, String)> {
    let refused = match parse(text, &ParseOptions::default()) {
        Ok(ast) => panic!("{text} is accepted as {}", show(&ast)),
        Err(problems) => problems,
    };
    refused.into_iter().map(|problem| (part(text, problem.span).to_owned(), problem.message)).collect()
}

fn part(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

fn parsed(text: &str) -> Ast {
    parse(text, &ParseOptions::default()).unwrap()
}
