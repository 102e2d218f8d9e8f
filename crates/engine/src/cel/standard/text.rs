//! Text in the making, within the bounds of an evaluation.

use std::sync::LazyLock;

use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::regex::Regex;

/// A text that grows. Its bytes are taken from the context before they are written.
pub(super) struct Text<'c, 'e, 'a> {
    context: &'c Context<'e, 'a>,
    buffer: String,
}

impl<'c, 'e, 'a> Text<'c, 'e, 'a> {
    /// Nothing yet.
    pub(super) const fn new(context: &'c Context<'e, 'a>) -> Self {
        Self { context, buffer: String::new() }
    }

    /// Adds a text.
    pub(super) fn push_str(&mut self, text: &str) -> Outcome<'a, ()> {
        self.context.take(text.len())?;
        self.buffer.push_str(text);
        Ok(())
    }

    /// Adds so many spaces.
    pub(super) fn push_spaces(&mut self, count: usize) -> Outcome<'a, ()> {
        self.context.take(count)?;
        self.buffer.extend(std::iter::repeat_n(' ', count));
        Ok(())
    }

    /// Adds a character.
    pub(super) fn push(&mut self, character: char) -> Outcome<'a, ()> {
        self.context.take(character.len_utf8())?;
        self.buffer.push(character);
        Ok(())
    }

    /// Adds a text in double quotes, as Go's `%q` does (strconv.Quote).
    pub(super) fn push_quoted(&mut self, text: &str) -> Outcome<'a, ()> {
        // Some nanoseconds a character, and more for those beyond ASCII.
        self.context.step(text.len())?;
        self.push('"')?;
        for character in text.chars() {
            self.push_escaped(character)?;
        }
        self.push('"')
    }

    fn push_escaped(&mut self, character: char) -> Outcome<'a, ()> {
        match character {
            '"' => self.push_str("\\\""),
            '\\' => self.push_str("\\\\"),
            '\u{7}' => self.push_str("\\a"),
            '\u{8}' => self.push_str("\\b"),
            '\u{c}' => self.push_str("\\f"),
            '\n' => self.push_str("\\n"),
            '\r' => self.push_str("\\r"),
            '\t' => self.push_str("\\t"),
            '\u{b}' => self.push_str("\\v"),
            _ if is_printable(character) => self.push(character),
            '\0'..=' ' | '\u{7f}' => self.push_str(&format!("\\x{:02x}", u32::from(character))),
            '\0'..='\u{ffff}' => self.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => self.push_str(&format!("\\U{:08x}", u32::from(character))),
        }
    }

    /// The text, where values live.
    pub(super) fn finish(self) -> &'a str {
        self.context.arena().text(&self.buffer)
    }
}

/// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols, and the space of ASCII.
fn is_printable(character: char) -> bool {
    static PRINTABLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\pL\pM\pN\pP\pS]$").ok());
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    PRINTABLE.as_ref().is_some_and(|printable| printable.is_match(character.encode_utf8(&mut [0; 4])))
}
