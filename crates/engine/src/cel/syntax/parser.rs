//! From words to tree, by precedence climbing.

use super::super::error::{Phase, Problem};
use super::ast::{Ast, ExprId, ExprKind, Literal, Span};
use super::token::{Token, TokenKind};
use super::tree::{Full, MAX_DEPTH, MAX_EXPRESSIONS, Tree};
use super::{lexer, macros};

mod primary;

/// How long an expression may be, in bytes. cel-go's bound is 100,000 characters.
pub const MAX_BYTES: usize = 64 * 1024;

/// How many levels cel-go's parser descends (`MaxRecursionDepth`), counted as it counts: once while reading, for each kind of
/// its grammar's rules (brackets, `? :` in the last branch, right operands), and once on the tree, for conditionals,
/// comparisons, arithmetic, fields, indices and calls with a target. Chains of `&&` and `||` are one level.
pub const MAX_LEVELS: usize = 250;

/// How many problems are reported (cel-go's `ErrorReportingLimit`).
const MAX_PROBLEMS: usize = 100;

/// What of the language is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseOptions {
    /// `.?`, `[?]`, `{?}`, `optMap` and `optFlatMap`: since Kubernetes 1.28.
    pub optional_syntax: bool,
    /// The macros with two variables: since Kubernetes 1.32.
    pub two_variable_comprehensions: bool,
    /// The macro `sortBy`: since Kubernetes 1.34.
    pub sort_by: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { optional_syntax: true, two_variable_comprehensions: true, sort_by: true }
    }
}

/// Reads an expression and expands its macros.
///
/// # Errors
/// What is wrong with it, in the order of its places, all of [`Phase::Parse`].
pub fn parse(text: &str, options: &ParseOptions) -> Result<Ast, Vec<Problem>> {
    if text.len() > MAX_BYTES {
        let message = format!("the expression has {} bytes, at most {MAX_BYTES} are accepted", text.len());
        return Err(vec![Problem { span: Span::default(), message, phase: Phase::Parse }]);
    }
    let (tokens, problems) = lexer::words(text);
    let mut parser =
        Parser { text, tokens, next: 0, levels: Levels::default(), tree: Tree::default(), problems, options: *options };
    match parser.whole() {
        Ok(root) if parser.problems.is_empty() => return Ok(parser.tree.finish(root)),
        Ok(_) | Err(Stop::Syntax) => {}
        Err(Stop::Full(full)) => parser.report_full(full),
    }
    let mut problems = parser.problems;
    problems.sort_by_key(|problem| problem.span.start);
    problems.truncate(MAX_PROBLEMS);
    Err(problems)
}

/// Why parsing stops here.
enum Stop {
    /// Something is wrong, and has been reported; it may go on after the next comma or bracket.
    Syntax,
    /// The expression is too large.
    Full(Full),
}

impl From<Full> for Stop {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

type Parsed<T = Part> = Result<T, Stop>;

/// An expression, and its place with its parentheses.
#[derive(Clone, Copy)]
struct Part {
    id: ExprId,
    span: Span,
}

/// How many of the grammar's rules are open. The other rules are never open more often than these.
#[derive(Clone, Copy, Default)]
struct Levels {
    expression: usize,
    relation: usize,
    arithmetic: usize,
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// The index of the next word.
    next: usize,
    levels: Levels,
    tree: Tree,
    problems: Vec<Problem>,
    options: ParseOptions,
}

impl<'t> Parser<'t> {
    fn whole(&mut self) -> Parsed<ExprId> {
        let whole = self.expression()?;
        match self.peek().kind {
            TokenKind::End => Ok(whole.id),
            _ => Err(self.unexpected("an operator or the end of the expression")),
        }
    }

    /// `a ? b : c`, where only `c` may be a conditional again without parentheses.
    fn expression(&mut self) -> Parsed {
        self.enter(|levels| &mut levels.expression)?;
        let mut part = self.logical_or()?;
        if self.eat(TokenKind::Question).is_some() {
            let then = self.logical_or()?;
            if self.eat(TokenKind::Colon).is_none() {
                return Err(self.unexpected("`:` and what the condition gives otherwise"));
            }
            let otherwise = self.expression()?;
            let span = part.span.to(otherwise.span);
            part = self.operation("_?_:_", vec![part.id, then.id, otherwise.id], span)?;
        }
        self.levels.expression -= 1;
        Ok(part)
    }

    fn logical_or(&mut self) -> Parsed {
        self.chain(TokenKind::Or, "_||_", Self::logical_and)
    }

    fn logical_and(&mut self) -> Parsed {
        self.chain(TokenKind::And, "_&&_", Self::relation)
    }

    fn chain(&mut self, operator: TokenKind, function: &str, term: fn(&mut Self) -> Parsed) -> Parsed {
        let first = term(self)?;
        if self.peek().kind != operator {
            return Ok(first);
        }
        let mut args = vec![first.id];
        let mut span = first.span;
        while self.eat(operator).is_some() {
            let next = term(self)?;
            args.push(next.id);
            span = span.to(next.span);
        }
        let id = self.tree.add(ExprKind::Call { target: None, function: function.into(), args }, span)?;
        Ok(Part { id, span })
    }

    fn relation(&mut self) -> Parsed {
        self.enter(|levels| &mut levels.relation)?;
        let mut left = self.arithmetic(0)?;
        while let Some(function) = self.peek().kind.relation() {
            self.next += 1;
            self.enter(|levels| &mut levels.relation)?;
            let right = self.arithmetic(0)?;
            self.levels.relation -= 1;
            left = self.operation(function, vec![left.id, right.id], left.span.to(right.span))?;
        }
        self.levels.relation -= 1;
        Ok(left)
    }

    fn arithmetic(&mut self, minimum: u8) -> Parsed {
        self.enter(|levels| &mut levels.arithmetic)?;
        let mut left = self.unary()?;
        while let Some((function, precedence)) = self.peek().kind.arithmetic().filter(|(_, found)| *found >= minimum) {
            self.next += 1;
            let right = self.arithmetic(precedence + 1)?;
            left = self.operation(function, vec![left.id, right.id], left.span.to(right.span))?;
        }
        self.levels.arithmetic -= 1;
        Ok(left)
    }

    /// `!!x` and `--x` are `x`.
    fn unary(&mut self) -> Parsed {
        let first = self.peek();
        let function = match first.kind {
            TokenKind::Not => "!_",
            // The sign of a number belongs to the number.
            TokenKind::Minus if !self.is_signed_number() => "-_",
            _ => return self.member(),
        };
        let mut count = 0_usize;
        while self.eat(first.kind).is_some() {
            count += 1;
        }
        let operand = self.member()?;
        let span = first.span.to(operand.span);
        if count.is_multiple_of(2) {
            return Ok(Part { id: operand.id, span });
        }
        let call = ExprKind::Call { target: None, function: function.into(), args: vec![operand.id] };
        Ok(Part { id: self.tree.add(call, span)?, span })
    }

    fn is_signed_number(&self) -> bool {
        self.peek().kind == TokenKind::Minus && matches!(self.ahead(1).kind, TokenKind::Int | TokenKind::Float)
    }

    /// What stands before dots and brackets, and what follows them.
    fn member(&mut self) -> Parsed {
        let first = self.tree.len();
        let mut left = self.primary()?;
        loop {
            left = match self.peek().kind {
                TokenKind::Dot => self.after_dot(left, first)?,
                TokenKind::LeftBracket => self.index(left)?,
                _ => return Ok(left),
            };
        }
    }

    fn after_dot(&mut self, left: Part, first: usize) -> Parsed {
        let dot = self.advance();
        let optional = self.eat(TokenKind::Question);
        let (name, place) = self.field_name()?;
        if optional.is_none() && self.peek().kind == TokenKind::LeftParen {
            let target = macros::Target { id: left.id, first };
            return self.call(Some(target), &name, left.span);
        }
        let span = left.span.to(place);
        if optional.is_some() {
            self.require_optional_syntax(dot.span.to(place));
            let field = self.tree.add(ExprKind::Literal(Literal::String(name)), place)?;
            return self.operation("_?._", vec![left.id, field], span);
        }
        let select = ExprKind::Select { operand: left.id, field: name, test_only: false };
        Ok(Part { id: self.tree.add_level(select, span)?, span })
    }

    fn index(&mut self, left: Part) -> Parsed {
        let open = self.advance();
        let optional = self.eat(TokenKind::Question);
        let saved = self.levels;
        let index = match self.expression() {
            Err(Stop::Syntax) => {
                self.levels = saved;
                self.skip_to(TokenKind::RightBracket, false)?;
                left
            }
            index => index?,
        };
        let span = left.span.to(self.close(open, TokenKind::RightBracket)?);
        if let Some(optional) = optional {
            self.require_optional_syntax(open.span.to(optional.span));
        }
        let function = if optional.is_some() { "_[?_]" } else { "_[_]" };
        self.operation(function, vec![left.id, index.id], span)
    }

    /// An operator that cel-go's parser counts as a level.
    fn operation(&mut self, function: &str, args: Vec<ExprId>, span: Span) -> Parsed {
        let id = self.tree.add_level(ExprKind::Call { target: None, function: function.into(), args }, span)?;
        Ok(Part { id, span })
    }

    fn enter(&mut self, rule: fn(&mut Levels) -> &mut usize) -> Parsed<()> {
        let open = rule(&mut self.levels);
        *open += 1;
        if *open > MAX_LEVELS { Err(Stop::Full(Full::Levels)) } else { Ok(()) }
    }

    fn peek(&self) -> Token {
        self.ahead(0)
    }

    /// One of the next words; the last one is the end.
    fn ahead(&self, count: usize) -> Token {
        let token = self.tokens.get(self.next + count).or(self.tokens.last());
        token.copied().unwrap_or(Token { kind: TokenKind::End, span: Span::default() })
    }

    fn advance(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn eat(&mut self, kind: TokenKind) -> Option<Token> {
        (self.peek().kind == kind).then(|| self.advance())
    }

    /// The closing bracket, or a report of what stands there instead.
    fn close(&mut self, open: Token, kind: TokenKind) -> Parsed<Span> {
        match self.eat(kind) {
            Some(token) => Ok(token.span),
            None if self.peek().kind == TokenKind::End => {
                let message = format!("`{}` is not closed, add `{}`", self.text_of(open.span), kind.text());
                Err(self.report(open.span, message))
            }
            None => {
                self.unexpected(&format!("an operator or `{}`", kind.text()));
                self.skip_to(kind, false)?;
                Ok(self.advance().span)
            }
        }
    }

    /// Skips what cannot be read up to a closing bracket, or to a comma before it.
    fn skip_to(&mut self, close: TokenKind, commas: bool) -> Parsed<()> {
        let mut nested = 0;
        loop {
            let kind = self.peek().kind;
            if nested == 0 && (kind == close || commas && kind == TokenKind::Comma) {
                return Ok(());
            }
            nested += kind.nesting();
            if nested < 0 || kind == TokenKind::End {
                return Err(Stop::Syntax);
            }
            self.next += 1;
        }
    }

    fn text_of(&self, span: Span) -> &'t str {
        let byte = |place| usize::try_from(place).unwrap_or_default();
        self.text.get(byte(span.start)..byte(span.end)).unwrap_or_default()
    }

    fn require_optional_syntax(&mut self, span: Span) {
        if !self.options.optional_syntax {
            let message = format!("`{}`: optional fields and elements need Kubernetes 1.28", self.text_of(span));
            self.report(span, message);
        }
    }

    /// Reports a problem with the meaning of a part; parsing may go on.
    fn report(&mut self, span: Span, message: String) -> Stop {
        self.problems.push(Problem { span, message, phase: Phase::Parse });
        Stop::Syntax
    }

    /// Reports that the next word stands where something else is expected.
    fn unexpected(&mut self, expected: &str) -> Stop {
        let token = self.peek();
        let before = self.next.checked_sub(1).and_then(|index| self.tokens.get(index)).map(|token| token.kind);
        if token.kind == TokenKind::Bad || before == Some(TokenKind::Bad) {
            return Stop::Syntax;
        }
        let word = self.text_of(token.span);
        let message = match (token.kind, word) {
            (TokenKind::End, _) => format!("the expression ends where {expected} is expected"),
            (TokenKind::Ident, "and" | "AND") => format!("`{word}` is no operator, did you mean `&&`?"),
            (TokenKind::Ident, "or" | "OR") => format!("`{word}` is no operator, did you mean `||`?"),
            _ => format!("`{}` stands where {expected} is expected", shorten(word)),
        };
        self.report(token.span, message)
    }

    fn report_full(&mut self, full: Full) {
        let span = self.peek().span;
        let message = match full {
            Full::Levels => format!("the expression is nested too deeply, at most {MAX_LEVELS} levels are accepted"),
            Full::Depth => {
                format!("the expression is nested too deeply with its macros, at most {MAX_DEPTH} levels are accepted")
            }
            Full::Size => {
                format!("the expression is too large with its macros, at most {MAX_EXPRESSIONS} parts are accepted")
            }
        };
        self.report(span, message);
    }
}

/// The beginning of a long word.
fn shorten(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", word.get(..end).unwrap_or_default()),
        None => word.to_owned(),
    }
}
