//! The names in an expression, where they stand.

use super::ast::Span;
use super::lexer::words;
use super::token::TokenKind;

/// A name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// Where it stands.
    pub span: Span,
    /// Whether it names a field or a method: it stands behind a point.
    pub is_field: bool,
    /// Whether it names a variable of the policy: it stands behind `variables.`.
    pub is_policy_variable: bool,
    /// Whether it may name a variable of a comprehension: it is the first argument of a call with several.
    pub is_declared: bool,
}

/// All names of an expression, in order. What is no word is passed over.
pub fn identifiers(text: &str) -> Vec<Identifier> {
    let (tokens, _) = words(text);
    let kind = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|token| token.kind);
    let is_behind_point = |at: usize| match kind(at.checked_sub(1)) {
        Some(TokenKind::Dot) => true,
        // `a.?b`
        Some(TokenKind::Question) => kind(at.checked_sub(2)) == Some(TokenKind::Dot),
        _ => false,
    };
    let is_variables = |at: usize| {
        tokens.get(at).is_some_and(|token| {
            let (start, end) = (token.span.start as usize, token.span.end as usize);
            token.kind == TokenKind::Ident && text.get(start..end) == Some("variables") && !is_behind_point(at)
        })
    };
    let names = tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Ident);
    let identifier = |(at, token): (usize, &super::token::Token)| Identifier {
        span: token.span,
        is_field: is_behind_point(at),
        is_policy_variable: kind(at.checked_sub(1)) == Some(TokenKind::Dot)
            && at.checked_sub(2).is_some_and(is_variables),
        is_declared: kind(at.checked_sub(1)) == Some(TokenKind::LeftParen)
            && kind(Some(at + 1)) == Some(TokenKind::Comma),
    };
    names.map(identifier).collect()
}
