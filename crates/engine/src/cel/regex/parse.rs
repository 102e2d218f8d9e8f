//! From the text of a pattern to its tree (`parse` of regexp/syntax/parse.go, with the flags of `regexp.Compile`).

use super::stack::Stack;
use super::tree::{Id, Limit, Op, Tree, flags};

/// What is wrong with a pattern: Go's words, and the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure<'p> {
    pub(super) what: &'static str,
    pub(super) place: &'p str,
}

/// The part of `from` in front of `rest`.
pub(super) fn before<'p>(from: &'p str, rest: &str) -> &'p str {
    from.get(..from.len().saturating_sub(rest.len())).unwrap_or_default()
}

/// Without the first `bytes`.
pub(super) fn skip(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

/// The first character, and what follows it.
pub(super) fn next_rune(text: &str) -> Option<(char, &str)> {
    let mut runes = text.chars();
    runes.next().map(|rune| (rune, runes.as_str()))
}

pub(super) struct Parser<'p> {
    pub(super) stack: Stack,
    pattern: &'p str,
    captures: usize,
}

/// The tree of a pattern, and its root.
pub(super) fn parse(pattern: &str) -> Result<(Tree, Id), Failure<'_>> {
    let stack = Stack { flags: flags::ONE_LINE, ..Stack::default() };
    let mut parser = Parser { stack, pattern, captures: 0 };
    let root = parser.parse()?;
    Ok((parser.stack.tree, root))
}

impl<'p> Parser<'p> {
    pub(super) fn limit(&self, limit: Limit) -> Failure<'p> {
        let what = match limit {
            Limit::Height => "expression nests too deeply",
            Limit::Size => "expression too large",
        };
        Failure { what, place: self.pattern }
    }

    fn parse(&mut self) -> Result<Id, Failure<'p>> {
        let mut rest = self.pattern;
        let mut last_repeat = "";
        while let Some((rune, after)) = next_rune(rest) {
            let start = rest;
            let mut repeat = "";
            rest = match rune {
                '(' if after.starts_with('?') => self.group(rest)?,
                '(' => {
                    self.open_capture()?;
                    after
                }
                '|' => {
                    self.bar()?;
                    after
                }
                ')' => {
                    self.close()?;
                    after
                }
                '^' => self.op(self.line(Op::BeginText, Op::BeginLine), after)?,
                '$' => {
                    let of = self.stack.flags;
                    if of & flags::ONE_LINE != 0 {
                        self.stack.flags |= flags::WAS_DOLLAR;
                    }
                    let rest = self.op(self.line(Op::EndText, Op::EndLine), after)?;
                    self.stack.flags = of;
                    rest
                }
                '.' if self.stack.flags & flags::DOT_NEWLINE != 0 => self.op(Op::AnyChar, after)?,
                '.' => self.op(Op::AnyCharNotNewline, after)?,
                '[' => self.class(rest)?,
                '*' | '+' | '?' => {
                    repeat = start;
                    let op = match rune {
                        '*' => Op::Star,
                        '+' => Op::Plus,
                        _ => Op::Quest,
                    };
                    self.repeat(op, (0, Some(0)), start, after, last_repeat)?
                }
                '{' => match counts(after) {
                    None => self.literal(rune, after)?,
                    Some((counts, after)) => {
                        let valid = |(min, max): (u32, Option<u32>)| {
                            min <= 1000 && max.is_none_or(|max| max <= 1000 && min <= max)
                        };
                        let Some(counts) = counts.filter(|counts| valid(*counts)) else {
                            return Err(Failure { what: "invalid repeat count", place: before(start, after) });
                        };
                        repeat = start;
                        self.repeat(Op::Repeat, counts, start, after, last_repeat)?
                    }
                },
                '\\' => self.backslash(rest)?,
                _ => self.literal(rune, after)?,
            };
            last_repeat = repeat;
        }
        self.end_of_alternatives()?;
        match *self.stack.items.as_slice() {
            [root] => Ok(root),
            _ => Err(Failure { what: "missing closing )", place: self.pattern }),
        }
    }

    fn line(&self, one: Op, many: Op) -> Op {
        if self.stack.flags & flags::ONE_LINE != 0 { one } else { many }
    }

    fn op(&mut self, op: Op, after: &'p str) -> Result<&'p str, Failure<'p>> {
        self.stack.op(op).map_err(|limit| self.limit(limit))?;
        Ok(after)
    }

    pub(super) fn literal(&mut self, rune: char, after: &'p str) -> Result<&'p str, Failure<'p>> {
        self.rune(rune.into(), after)
    }

    fn rune(&mut self, rune: u32, after: &'p str) -> Result<&'p str, Failure<'p>> {
        self.stack.literal(rune).map_err(|limit| self.limit(limit))?;
        Ok(after)
    }

    fn open_capture(&mut self) -> Result<(), Failure<'p>> {
        self.captures += 1;
        let id = self.stack.op(Op::LeftParen).map_err(|limit| self.limit(limit))?;
        self.stack.tree.node_mut(id).capture = self.captures;
        Ok(())
    }

    fn bar(&mut self) -> Result<(), Failure<'p>> {
        let result = self
            .stack
            .concat()
            .and_then(|()| if self.stack.swap_bar() { Ok(()) } else { self.stack.op(Op::VerticalBar).map(|_| ()) });
        result.map_err(|limit| self.limit(limit))
    }

    fn end_of_alternatives(&mut self) -> Result<(), Failure<'p>> {
        let result = self.stack.concat().and_then(|()| {
            if self.stack.swap_bar() {
                self.stack.items.pop();
            }
            self.stack.alternate()
        });
        result.map_err(|limit| self.limit(limit))
    }

    fn close(&mut self) -> Result<(), Failure<'p>> {
        self.end_of_alternatives()?;
        let unexpected = Failure { what: "unexpected )", place: self.pattern };
        let (Some(inner), Some(open)) = (self.stack.items.pop(), self.stack.items.pop()) else {
            return Err(unexpected);
        };
        let tree = &mut self.stack.tree;
        if tree.op(open) != Op::LeftParen {
            return Err(unexpected);
        }
        let node = tree.node_mut(open);
        self.stack.flags = node.flags;
        let closed = if node.capture == 0 {
            inner
        } else {
            node.op = Op::Capture;
            node.subs = vec![inner];
            open
        };
        self.stack.push(closed).map_err(|limit| self.limit(limit))
    }

    /// Repeats what is on top of the stack.
    fn repeat(
        &mut self,
        op: Op,
        (min, max): (u32, Option<u32>),
        operator: &'p str,
        mut after: &'p str,
        last_repeat: &'p str,
    ) -> Result<&'p str, Failure<'p>> {
        let mut of = self.stack.flags;
        if let Some(behind) = after.strip_prefix('?') {
            after = behind;
            of ^= flags::NON_GREEDY;
        }
        if !last_repeat.is_empty() {
            return Err(Failure { what: "invalid nested repetition operator", place: before(last_repeat, after) });
        }
        let stack = &mut self.stack;
        let Some(top) = stack.items.last_mut().filter(|top| !stack.tree.op(**top).is_pseudo()) else {
            return Err(Failure { what: "missing argument to repetition operator", place: before(operator, after) });
        };
        let id = stack.tree.make(op);
        let node = stack.tree.node_mut(id);
        (node.min, node.max, node.flags) = (min, max, of);
        node.subs = vec![std::mem::replace(top, id)];
        let checked = stack.tree.check_limits(id, &stack.items);
        checked.map_err(|limit| self.limit(limit))?;
        let is_many = min >= 2 || max.is_some_and(|max| max >= 2);
        if op == Op::Repeat && is_many && !self.stack.tree.repeat_is_valid(id, 1000) {
            return Err(Failure { what: "invalid repeat count", place: before(operator, after) });
        }
        Ok(after)
    }

    /// From `(?`: flags, a group without a number, or one with a name.
    fn group(&mut self, start: &'p str) -> Result<&'p str, Failure<'p>> {
        let name_at = if start.starts_with("(?P<") && start.len() > 4 {
            4
        } else if start.starts_with("(?<") && start.len() > 3 {
            3
        } else {
            return self.group_flags(start);
        };
        let Some(end) = start.find('>') else {
            return Err(Failure { what: "invalid named capture", place: start });
        };
        let name = start.get(name_at..end).unwrap_or_default();
        let after = skip(start, end + 1);
        if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            return Err(Failure { what: "invalid named capture", place: before(start, after) });
        }
        self.open_capture()?;
        Ok(after)
    }

    fn group_flags(&mut self, start: &'p str) -> Result<&'p str, Failure<'p>> {
        let mut rest = skip(start, 2);
        let (mut of, mut is_minus, mut has_flag) = (self.stack.flags, false, false);
        while let Some((rune, after)) = next_rune(rest) {
            rest = after;
            has_flag = match rune {
                'i' => set(&mut of, flags::FOLD_CASE, !is_minus),
                'm' => set(&mut of, flags::ONE_LINE, is_minus),
                's' => set(&mut of, flags::DOT_NEWLINE, !is_minus),
                'U' => set(&mut of, flags::NON_GREEDY, !is_minus),
                '-' if !is_minus => {
                    is_minus = true;
                    false
                }
                ':' | ')' if has_flag || !is_minus => {
                    if rune == ':' {
                        self.op(Op::LeftParen, rest)?;
                    }
                    self.stack.flags = of;
                    return Ok(rest);
                }
                _ => break,
            };
        }
        Err(Failure { what: "invalid or unsupported Perl syntax", place: before(start, rest) })
    }

    fn backslash(&mut self, start: &'p str) -> Result<&'p str, Failure<'p>> {
        let letter = start.as_bytes().get(1).copied().unwrap_or_default();
        let after = skip(start, 2);
        match letter {
            b'A' => return self.op(Op::BeginText, after),
            b'b' => return self.op(Op::WordBoundary, after),
            b'B' => return self.op(Op::NoWordBoundary, after),
            b'z' => return self.op(Op::EndText, after),
            b'C' => return Err(Failure { what: "invalid escape sequence", place: before(start, after) }),
            b'Q' => {
                let (quoted, after) = after.split_once(r"\E").unwrap_or((after, ""));
                for rune in quoted.chars() {
                    self.literal(rune, after)?;
                }
                return Ok(after);
            }
            _ => {}
        }
        let id = self.stack.tree.make(Op::CharClass);
        let mut class = std::mem::take(&mut self.stack.tree.node_mut(id).class);
        let rest = match self.unicode_class(start, &mut class)? {
            Some(rest) => Some(rest),
            None => self.perl_class(start, &mut class),
        };
        if let Some(rest) = rest {
            let node = self.stack.tree.node_mut(id);
            (node.class, node.flags) = (class, self.stack.flags);
            self.stack.push(id).map_err(|limit| self.limit(limit))?;
            return Ok(rest);
        }
        self.stack.tree.reuse(id);
        let (rune, rest) = super::escape::escape(start)?;
        self.rune(rune, rest)
    }
}

/// Sets or clears; the answer is that there was a flag.
fn set(of: &mut u8, flag: u8, on: bool) -> bool {
    *of = if on { *of | flag } else { *of & !flag };
    true
}

type Counts = (u32, Option<u32>);

/// Behind `{`: the counts, None if a number is too large, and what follows `}`. None if it is no repetition: the brace is
/// a character then.
fn counts(text: &str) -> Option<(Option<Counts>, &str)> {
    let (min, text) = number(text)?;
    let (max, text) = match text.strip_prefix(',') {
        None => (min.map(Some), text),
        Some(text) if text.starts_with('}') => (Some(None), text),
        Some(text) => number(text).map(|(max, text)| (max.map(Some), text))?,
    };
    Some((min.zip(max), text.strip_prefix('}')?))
}

/// Decimal digits without a leading zero. A number too large for any count is None.
fn number(text: &str) -> Option<(Option<u32>, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = text.get(..end).unwrap_or_default();
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().ok(), skip(text, end)))
}
