//! From text to words.

use super::super::error::{Phase, Problem};
use super::ast::Span;
use super::token::{Token, TokenKind};

/// The words of a text of less than 4 GiB, closed by [`TokenKind::End`], and what is no word.
pub(super) fn words(text: &str) -> (Vec<Token>, Vec<Problem>) {
    let mut lexer = Lexer { text, at: 0, problems: Vec::new() };
    let mut tokens = Vec::with_capacity(text.len() / 3);
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    tokens.push(Token { kind: TokenKind::End, span: lexer.span(lexer.at) });
    (tokens, lexer.problems)
}

struct Lexer<'t> {
    text: &'t str,
    /// The next byte.
    at: usize,
    problems: Vec<Problem>,
}

impl<'t> Lexer<'t> {
    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let start = self.at;
        let first = self.rest().chars().next()?;
        let kind = match first {
            '0'..='9' => self.number(),
            '.' if self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            'a'..='z' | 'A'..='Z' | '_' | '"' | '\'' => self.string().unwrap_or_else(|| self.name()),
            '`' => self.escaped(),
            _ => self.sign(first),
        };
        Some(Token { kind, span: self.span(start) })
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let text = rest.trim_start_matches(['\t', ' ', '\r', '\n', '\u{c}']);
            self.at += rest.len() - text.len();
            if !text.starts_with("//") {
                return;
            }
            self.at += text.find('\n').unwrap_or(text.len());
        }
    }

    /// A digit, or a point before a digit, comes next.
    fn number(&mut self) -> TokenKind {
        if self.rest().starts_with("0x") && self.byte(2).is_some_and(|byte| byte.is_ascii_hexdigit()) {
            self.at += 2;
            self.skip_while(|byte| byte.is_ascii_hexdigit());
            return self.integer();
        }
        self.skip_while(|byte| byte.is_ascii_digit());
        let mut is_double = false;
        if self.byte(0) == Some(b'.') && self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
            is_double = true;
        }
        if matches!(self.byte(0), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(self.byte(1), Some(b'+' | b'-')));
            if self.byte(1 + signed).is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1 + signed;
                self.skip_while(|byte| byte.is_ascii_digit());
                is_double = true;
            }
        }
        if is_double { TokenKind::Float } else { self.integer() }
    }

    fn integer(&mut self) -> TokenKind {
        if matches!(self.byte(0), Some(b'u' | b'U')) {
            self.at += 1;
            TokenKind::Uint
        } else {
            TokenKind::Int
        }
    }

    fn name(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match self.text.get(start..self.at) {
            Some("in") => TokenKind::In,
            Some("true") => TokenKind::True,
            Some("false") => TokenKind::False,
            Some("null") => TokenKind::Null,
            _ => TokenKind::Ident,
        }
    }

    /// A string or bytes with their prefixes; None where a name comes next.
    fn string(&mut self) -> Option<TokenKind> {
        let start = self.at;
        let bytes = usize::from(matches!(self.byte(0), Some(b'b' | b'B')));
        let raw = usize::from(matches!(self.byte(bytes), Some(b'r' | b'R')));
        let quote = self.byte(bytes + raw).filter(|byte| matches!(byte, b'"' | b'\''))?;
        let open = bytes + raw;
        let triple = self.byte(open + 1) == Some(quote) && self.byte(open + 2) == Some(quote);
        let width = if triple { 3 } else { 1 };
        self.at += open + width;
        let mut kind = if bytes == 1 { TokenKind::Bytes } else { TokenKind::String };
        loop {
            match self.byte(0) {
                Some(byte) if byte == quote && (0..width).all(|ahead| self.byte(ahead) == Some(quote)) => {
                    self.at += width;
                    return Some(kind);
                }
                Some(b'\\') if raw == 0 => {
                    if !self.escape() {
                        kind = TokenKind::Bad;
                    }
                }
                Some(b'\n' | b'\r') if !triple => break,
                Some(_) => self.at += 1,
                None => break,
            }
        }
        let closing = char::from(quote).to_string().repeat(width);
        let how = if triple { "" } else { " on its line" };
        self.report(start, format!("the text that begins here does not end{how}, close it with `{closing}`"));
        Some(TokenKind::Bad)
    }

    /// A backslash comes next. False for what is no escape, which is reported.
    fn escape(&mut self) -> bool {
        let start = self.at;
        let (digits, is_digit): (usize, fn(&u8) -> bool) = match self.byte(1) {
            Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`') => {
                (0, u8::is_ascii_hexdigit)
            }
            Some(b'x' | b'X') => (2, u8::is_ascii_hexdigit),
            Some(b'u') => (4, u8::is_ascii_hexdigit),
            Some(b'U') => (8, u8::is_ascii_hexdigit),
            Some(b'0'..=b'3') => (2, |byte| matches!(byte, b'0'..=b'7')),
            _ => {
                self.at += 1;
                let written = self.rest().chars().next().map(String::from).unwrap_or_default();
                self.report(
                    start,
                    format!("`\\{written}` is no escape, write `\\\\` for a backslash or a raw text r'…'"),
                );
                return false;
            }
        };
        self.at += 2;
        if (0..digits).all(|ahead| self.byte(ahead).as_ref().is_some_and(is_digit)) {
            self.at += digits;
            return true;
        }
        let written = self.text.get(start..self.at).unwrap_or_default().to_owned();
        self.report(start, format!("the escape `{written}` needs {digits} more digits"));
        false
    }

    /// A backtick comes next.
    fn escaped(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b' '));
        if self.at > start + 1 && self.byte(0) == Some(b'`') {
            self.at += 1;
            return TokenKind::Escaped;
        }
        self.report(start, "names in backticks are not part of the language here, write `x['name']`".to_owned());
        TokenKind::Bad
    }

    fn sign(&mut self, first: char) -> TokenKind {
        let start = self.at;
        self.at += first.len_utf8();
        let doubled = self.byte(0) == u8::try_from(first).ok();
        let then_equal = self.byte(0) == Some(b'=');
        let (kind, width) = match first {
            '=' if doubled => (TokenKind::Equal, 1),
            '!' if then_equal => (TokenKind::NotEqual, 1),
            '<' if then_equal => (TokenKind::LessEqual, 1),
            '>' if then_equal => (TokenKind::GreaterEqual, 1),
            '&' if doubled => (TokenKind::And, 1),
            '|' if doubled => (TokenKind::Or, 1),
            '<' => (TokenKind::Less, 0),
            '>' => (TokenKind::Greater, 0),
            '[' => (TokenKind::LeftBracket, 0),
            ']' => (TokenKind::RightBracket, 0),
            '{' => (TokenKind::LeftBrace, 0),
            '}' => (TokenKind::RightBrace, 0),
            '(' => (TokenKind::LeftParen, 0),
            ')' => (TokenKind::RightParen, 0),
            '.' => (TokenKind::Dot, 0),
            ',' => (TokenKind::Comma, 0),
            '-' => (TokenKind::Minus, 0),
            '!' => (TokenKind::Not, 0),
            '?' => (TokenKind::Question, 0),
            ':' => (TokenKind::Colon, 0),
            '+' => (TokenKind::Plus, 0),
            '*' => (TokenKind::Star, 0),
            '/' => (TokenKind::Slash, 0),
            '%' => (TokenKind::Percent, 0),
            // What was meant is plain: the rest is read with it.
            '=' => (TokenKind::Equal, 0),
            '&' => (TokenKind::And, 0),
            '|' => (TokenKind::Or, 0),
            _ => (TokenKind::Bad, 0),
        };
        if width == 0 && matches!(first, '=' | '&' | '|') {
            self.report(start, format!("`{first}` is no operator, did you mean `{first}{first}`?"));
        }
        if kind == TokenKind::Bad {
            self.report(start, format!("`{}` has no meaning outside of a text", first.escape_debug()));
        }
        self.at += width;
        kind
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&belongs) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize) -> Span {
        let place = |byte| u32::try_from(byte).unwrap_or(u32::MAX);
        Span { start: place(start), end: place(self.at) }
    }

    fn report(&mut self, start: usize, message: String) {
        self.problems.push(Problem { span: self.span(start), message, phase: Phase::Parse });
    }
}
