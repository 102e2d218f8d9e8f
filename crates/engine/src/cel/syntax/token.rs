//! The words of an expression.

use super::ast::Span;

/// A word, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Equal,
    NotEqual,
    In,
    Less,
    LessEqual,
    GreaterEqual,
    Greater,
    And,
    Or,
    LeftBracket,
    RightBracket,
    LeftBrace,
    RightBrace,
    LeftParen,
    RightParen,
    Dot,
    Comma,
    Minus,
    Not,
    Question,
    Colon,
    Plus,
    Star,
    Slash,
    Percent,
    True,
    False,
    Null,
    Float,
    Int,
    Uint,
    String,
    Bytes,
    Ident,
    /// A name in backticks, which the API server does not enable.
    Escaped,
    /// What is no word, and has been reported.
    Bad,
    /// After the last word.
    End,
}

impl TokenKind {
    /// The operator's function if it compares, as cel-go names it.
    pub(super) const fn relation(self) -> Option<&'static str> {
        Some(match self {
            Self::Equal => "_==_",
            Self::NotEqual => "_!=_",
            Self::Less => "_<_",
            Self::LessEqual => "_<=_",
            Self::Greater => "_>_",
            Self::GreaterEqual => "_>=_",
            Self::In => "@in",
            _ => return None,
        })
    }

    /// The operator's function and precedence if it computes.
    pub(super) const fn arithmetic(self) -> Option<(&'static str, u8)> {
        Some(match self {
            Self::Plus => ("_+_", 1),
            Self::Minus => ("_-_", 1),
            Self::Star => ("_*_", 2),
            Self::Slash => ("_/_", 2),
            Self::Percent => ("_%_", 2),
            _ => return None,
        })
    }

    /// Whether it opens or closes a bracket: +1, -1.
    pub(super) const fn nesting(self) -> i32 {
        match self {
            Self::LeftBracket | Self::LeftBrace | Self::LeftParen => 1,
            Self::RightBracket | Self::RightBrace | Self::RightParen => -1,
            _ => 0,
        }
    }

    /// How a message writes a bracket or a sign that is expected.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::RightBracket => "]",
            Self::RightBrace => "}",
            Self::RightParen => ")",
            Self::Colon => ":",
            _ => "",
        }
    }
}
