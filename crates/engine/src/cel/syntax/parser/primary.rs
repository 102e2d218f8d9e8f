//! What stands alone: names, constants, calls, lists, maps, structs, parentheses.

use super::super::ast::{ExprKind, Literal, MapEntry, Span, StructField};
use super::super::token::{Token, TokenKind};
use super::super::{literal, macros};
use super::{Parsed, Parser, Part, Stop};

/// Names that no variable and no function may have (cel-spec, langdef.md, RESERVED). They are fine after a dot.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed {
        let token = self.peek();
        match token.kind {
            TokenKind::LeftParen => {
                self.next += 1;
                self.parenthesized(token)
            }
            TokenKind::LeftBracket => {
                self.next += 1;
                self.list(token)
            }
            TokenKind::LeftBrace => {
                self.next += 1;
                self.map(token)
            }
            TokenKind::Dot if self.ahead(1).kind == TokenKind::Ident => self.named(),
            TokenKind::Ident => self.named(),
            TokenKind::Bad => {
                self.next += 1;
                self.placeholder(token.span)
            }
            _ => self.constant(),
        }
    }

    fn parenthesized(&mut self, open: Token) -> Parsed {
        let saved = self.levels;
        let inner = match self.expression() {
            Err(Stop::Syntax) => {
                self.levels = saved;
                self.skip_to(TokenKind::RightParen, false)?;
                self.placeholder(open.span)?
            }
            inner => inner?,
        };
        let end = self.close(open, TokenKind::RightParen)?;
        Ok(Part { id: inner.id, span: open.span.to(end) })
    }

    /// A name, a call of a function, or a struct: names before a brace can be nothing else.
    fn named(&mut self) -> Parsed {
        let start = self.peek().span;
        let dot = self.eat(TokenKind::Dot).is_some();
        let mut names = 1;
        while self.ahead(2 * names - 1).kind == TokenKind::Dot && self.ahead(2 * names).kind == TokenKind::Ident {
            names += 1;
        }
        if self.ahead(2 * names - 1).kind == TokenKind::LeftBrace {
            return self.structure(start, dot, names);
        }
        let token = self.advance();
        let word = self.text_of(token.span);
        if RESERVED.contains(&word) {
            self.report(token.span, format!("`{word}` is a reserved word and names neither a variable nor a function"));
        }
        let name: Box<str> = if dot { format!(".{word}").into() } else { word.into() };
        if self.peek().kind == TokenKind::LeftParen {
            return self.call(None, &name, start);
        }
        let span = start.to(token.span);
        Ok(Part { id: self.tree.add(ExprKind::Ident(name), span)?, span })
    }

    /// The arguments of a call; the parenthesis comes next.
    pub(super) fn call(&mut self, target: Option<macros::Target>, function: &str, start: Span) -> Parsed {
        let before = self.problems.len();
        let open = self.advance();
        let mut args = Vec::new();
        let end = self.items(open, TokenKind::RightParen, |parser| {
            let part = parser.expression()?;
            args.push((part.id, part.span));
            Ok(())
        })?;
        let span = start.to(end);
        if self.problems.len() > before {
            // Arguments may be missing: what would be said of the call could be wrong.
            return self.placeholder(span);
        }
        let call = macros::Call { function, target, args: &args, span };
        let id = match macros::expand(&mut self.tree, self.options, &call)? {
            macros::Expanded::To(id) => id,
            macros::Expanded::Refused(place, message) => {
                self.report(place, message);
                return self.placeholder(span);
            }
            macros::Expanded::Not => {
                let args = args.into_iter().map(|(id, _)| id).collect();
                let call = ExprKind::Call { target: target.map(|target| target.id), function: function.into(), args };
                if target.is_some() { self.tree.add_level(call, span)? } else { self.tree.add(call, span)? }
            }
        };
        Ok(Part { id, span })
    }

    fn list(&mut self, open: Token) -> Parsed {
        let (mut elements, mut optional) = (Vec::new(), Vec::new());
        let end = self.items(open, TokenKind::RightBracket, |parser| {
            if parser.optional_mark() {
                optional.push(u32::try_from(elements.len()).unwrap_or(u32::MAX));
            }
            elements.push(parser.expression()?.id);
            Ok(())
        })?;
        let span = open.span.to(end);
        Ok(Part { id: self.tree.add(ExprKind::List { elements, optional }, span)?, span })
    }

    fn map(&mut self, open: Token) -> Parsed {
        let mut entries = Vec::new();
        let end = self.items(open, TokenKind::RightBrace, |parser| {
            let optional = parser.optional_mark();
            let key = parser.expression()?.id;
            parser.colon("the value of the key")?;
            let value = parser.expression()?.id;
            entries.push(MapEntry { key, value, optional });
            Ok(())
        })?;
        let span = open.span.to(end);
        Ok(Part { id: self.tree.add(ExprKind::Map(entries), span)?, span })
    }

    fn structure(&mut self, start: Span, dot: bool, names: usize) -> Parsed {
        let mut name = String::new();
        for index in 0..names {
            if dot || index > 0 {
                name.push('.');
            }
            let token = self.advance();
            name.push_str(self.text_of(token.span));
            self.eat(TokenKind::Dot);
        }
        let open = self.advance();
        let mut fields = Vec::new();
        let end = self.items(open, TokenKind::RightBrace, |parser| {
            let optional = parser.optional_mark();
            let (name, span) = parser.field_name()?;
            parser.colon("the value of the field")?;
            let value = parser.expression()?.id;
            fields.push(StructField { name, span, value, optional });
            Ok(())
        })?;
        let span = start.to(end);
        Ok(Part { id: self.tree.add(ExprKind::Struct { name: name.into(), fields }, span)?, span })
    }

    /// What stands between brackets, separated by commas. A last comma is accepted everywhere but in calls, even on its own.
    fn items(&mut self, open: Token, close: TokenKind, mut item: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<Span> {
        let trailing = close != TokenKind::RightParen;
        if trailing && self.peek().kind == TokenKind::Comma && self.ahead(1).kind == close {
            self.next += 1;
        }
        while self.peek().kind != close {
            let saved = self.levels;
            let mut read = item(self);
            if read.is_ok()
                && !matches!(self.peek().kind, TokenKind::Comma | TokenKind::End)
                && self.peek().kind != close
            {
                read = Err(self.unexpected(&format!("`,` or `{}`", close.text())));
            }
            if let Err(Stop::Syntax) = read {
                self.levels = saved;
                self.skip_to(close, true)?;
            } else {
                read?;
            }
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
            if !trailing && self.peek().kind == close {
                self.unexpected("an argument");
            }
        }
        self.close(open, close)
    }

    fn optional_mark(&mut self) -> bool {
        let Some(mark) = self.eat(TokenKind::Question) else { return false };
        self.require_optional_syntax(mark.span);
        true
    }

    fn colon(&mut self, of: &str) -> Parsed<()> {
        match self.eat(TokenKind::Colon) {
            Some(_) => Ok(()),
            None => Err(self.unexpected(&format!("`:` and {of}"))),
        }
    }

    pub(super) fn field_name(&mut self) -> Parsed<(Box<str>, Span)> {
        let token = self.peek();
        let word = self.text_of(token.span);
        match token.kind {
            TokenKind::Ident => {}
            TokenKind::Escaped => {
                let name = word.trim_matches('`');
                let message = format!("names in backticks are not part of the language here, write `['{name}']`");
                self.report(token.span, message);
            }
            TokenKind::In | TokenKind::True | TokenKind::False | TokenKind::Null => {
                let message = format!("`{word}` is a reserved word, write `['{word}']` for a field of that name");
                return Err(self.report(token.span, message));
            }
            _ => return Err(self.unexpected("the name of a field")),
        }
        self.next += 1;
        Ok((word.into(), token.span))
    }

    fn constant(&mut self) -> Parsed {
        let sign = self.is_signed_number().then(|| self.advance());
        let token = self.peek();
        let word = self.text_of(token.span);
        let negative = sign.is_some();
        let span = sign.map_or(token.span, |sign| sign.span.to(token.span));
        let literal = match token.kind {
            TokenKind::Int => {
                literal::int(word, negative).map(Literal::Int).ok_or("the number is outside of int's 64 bits")
            }
            TokenKind::Uint => literal::uint(word).map(Literal::Uint).ok_or("the number is outside of uint's 64 bits"),
            TokenKind::Float => {
                literal::double(word, negative).map(Literal::Double).ok_or("the number is too large for a double")
            }
            TokenKind::String => literal::string(word).map(|text| Literal::String(text.into())),
            TokenKind::Bytes => literal::bytes(word).map(|bytes| Literal::Bytes(bytes.into())),
            TokenKind::True => Ok(Literal::Bool(true)),
            TokenKind::False => Ok(Literal::Bool(false)),
            TokenKind::Null => Ok(Literal::Null),
            _ => return Err(self.unexpected("a value")),
        };
        self.next += 1;
        match literal {
            Ok(literal) => Ok(Part { id: self.tree.add(ExprKind::Literal(literal), span)?, span }),
            Err(message) => {
                self.report(span, message.to_owned());
                self.placeholder(span)
            }
        }
    }

    /// Stands for what was reported, so that the rest can be read.
    fn placeholder(&mut self, span: Span) -> Parsed {
        let name = ExprKind::Ident(self.text_of(span).into());
        Ok(Part { id: self.tree.add(name, span)?, span })
    }
}
