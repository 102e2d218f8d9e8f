//! Classes in brackets, and escapes (regexp/syntax/parse.go).

use super::classes::{perl, posix, unicode};
use super::parse::{Failure, Parser, before, next_rune, skip};
use super::runes::{MAX, Runes};
use super::tree::{Op, flags};

/// From `\`: the character that it means.
pub(super) fn escape(start: &str) -> Result<(u32, &str), Failure<'_>> {
    let Some((rune, mut rest)) = next_rune(skip(start, 1)) else {
        return Err(Failure { what: "trailing backslash at end of expression", place: "" });
    };
    let is_octal = |text: &str| text.starts_with(|digit: char| ('0'..='7').contains(&digit));
    let plain = match rune {
        '1'..='7' if !is_octal(rest) => None,
        '0'..='7' => {
            let mut value = rune.to_digit(8).unwrap_or_default();
            for _ in 0..2 {
                let Some((digit, after)) = next_rune(rest).filter(|_| is_octal(rest)) else { break };
                value = value * 8 + digit.to_digit(8).unwrap_or_default();
                rest = after;
            }
            Some(value)
        }
        'x' => hexadecimal(&mut rest),
        'a' => Some(0x07),
        'f' => Some(0x0c),
        'n' => Some(0x0a),
        'r' => Some(0x0d),
        't' => Some(0x09),
        'v' => Some(0x0b),
        _ if rune.is_ascii() && !rune.is_ascii_alphanumeric() => Some(rune.into()),
        _ => None,
    };
    match plain {
        Some(rune) => Ok((rune, rest)),
        None => Err(Failure { what: "invalid escape sequence", place: before(start, rest) }),
    }
}

/// Behind `\x`: two digits, or any number of them in braces. `rest` is moved behind what was read, also where it is wrong.
fn hexadecimal(rest: &mut &str) -> Option<u32> {
    let mut next = || {
        let (rune, after) = next_rune(rest)?;
        *rest = after;
        Some(rune)
    };
    let first = next()?;
    if first != '{' {
        let second = next();
        return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
    }
    let (mut value, mut has_digit) = (0, false);
    loop {
        let rune = next()?;
        if rune == '}' {
            return Some(value).filter(|_| has_digit);
        }
        value = value * 16 + rune.to_digit(16)?;
        if value > MAX {
            return None;
        }
        has_digit = true;
    }
}

impl<'p> Parser<'p> {
    fn folds(&self) -> bool {
        self.stack.flags & flags::FOLD_CASE != 0
    }

    /// Adds a class of ASCII characters.
    fn add_group(&self, class: &mut Runes, is_negated: bool, group: Runes) {
        let group = if self.folds() {
            let mut folded = Runes::default();
            group.0.iter().for_each(|&(low, high)| folded.add_folded(low, high));
            folded.clean();
            folded
        } else {
            group
        };
        class.add_signed(is_negated, &group);
    }

    /// `\d` and the like, if it is one.
    pub(super) fn perl_class(&self, text: &'p str, class: &mut Runes) -> Option<&'p str> {
        let [b'\\', letter, ..] = text.as_bytes() else { return None };
        let (is_negated, group) = perl(*letter)?;
        self.add_group(class, is_negated, group);
        Some(skip(text, 2))
    }

    /// `[:alpha:]` and the like, if it is one.
    fn named_class(&self, text: &'p str, class: &mut Runes) -> Result<Option<&'p str>, Failure<'p>> {
        let Some((name, rest)) = text.strip_prefix("[:").and_then(|inner| inner.split_once(":]")) else {
            return Ok(None);
        };
        let (is_negated, positive) = match name.strip_prefix('^') {
            Some(positive) => (true, positive),
            None => (false, name),
        };
        let Some(group) = posix(positive) else {
            return Err(Failure { what: "invalid character class range", place: before(text, rest) });
        };
        self.add_group(class, is_negated, group);
        Ok(Some(rest))
    }

    /// `\pL`, `\p{Greek}` and the like, if it is one.
    pub(super) fn unicode_class(&self, text: &'p str, class: &mut Runes) -> Result<Option<&'p str>, Failure<'p>> {
        let mut is_negated = match text.as_bytes() {
            [b'\\', b'p', ..] => false,
            [b'\\', b'P', ..] => true,
            _ => return Ok(None),
        };
        let wrong = |place| Err(Failure { what: "invalid character class range", place });
        let inner = skip(text, 2);
        let (mut name, rest) = match inner.strip_prefix('{') {
            Some(inner) => match inner.split_once('}') {
                Some(parts) => parts,
                None => return wrong(text),
            },
            None => {
                let rest = next_rune(inner).map_or("", |(_, rest)| rest);
                (before(inner, rest), rest)
            }
        };
        if let Some(negated) = name.strip_prefix('^') {
            is_negated = !is_negated;
            name = negated;
        }
        let Some(found) = unicode(name) else { return wrong(before(text, rest)) };
        let is_negated = is_negated != found.is_negated;
        let mut group = Runes::default();
        group.add_table(found.table);
        if let Some(fold) = found.fold.filter(|_| self.folds()) {
            group.add_table(fold);
            group.clean();
        }
        class.add_signed(is_negated, &group);
        Ok(Some(rest))
    }

    /// From `[`: pushes the class.
    pub(super) fn class(&mut self, start: &'p str) -> Result<&'p str, Failure<'p>> {
        let id = self.stack.tree.make(Op::CharClass);
        let mut class = Runes::default();
        let mut rest = skip(start, 1);
        let is_negated = rest.starts_with('^');
        rest = rest.strip_prefix('^').unwrap_or(rest);
        let mut is_first = true;
        while is_first || !rest.starts_with(']') {
            is_first = false;
            if let Some(after) = self.named_class(rest, &mut class)? {
                rest = after;
                continue;
            }
            if let Some(after) = self.unicode_class(rest, &mut class)? {
                rest = after;
                continue;
            }
            if let Some(after) = self.perl_class(rest, &mut class) {
                rest = after;
                continue;
            }
            let range = rest;
            let (low, after) = character(rest, start)?;
            let mut high = low;
            rest = after;
            if let Some(after) = rest.strip_prefix('-').filter(|after| !after.is_empty() && !after.starts_with(']')) {
                (high, rest) = character(after, start)?;
                if high < low {
                    return Err(Failure { what: "invalid character class range", place: before(range, rest) });
                }
            }
            if self.folds() { class.add_folded(low, high) } else { class.add(low, high) }
        }
        class.clean();
        let node = self.stack.tree.node_mut(id);
        node.class = if is_negated { class.negated() } else { class };
        node.flags = self.stack.flags;
        self.stack.push(id).map_err(|limit| self.limit(limit))?;
        Ok(skip(rest, 1))
    }
}

/// A character in brackets.
fn character<'p>(text: &'p str, class: &'p str) -> Result<(u32, &'p str), Failure<'p>> {
    if text.starts_with('\\') {
        return escape(text);
    }
    match next_rune(text) {
        Some((rune, rest)) => Ok((rune.into(), rest)),
        None => Err(Failure { what: "missing closing ]", place: class }),
    }
}
