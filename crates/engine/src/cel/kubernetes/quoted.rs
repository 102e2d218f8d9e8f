//! Text in quotes as Go prints it with `%q` (strconv.Quote).

use std::fmt::{self, Write};

use crate::cel::regex::is_printable;

/// Prints the text in double quotes.
pub(crate) struct Quoted<'t>(pub(crate) &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(formatter, "\\{character}")?,
                '\x07' => formatter.write_str("\\a")?,
                '\x08' => formatter.write_str("\\b")?,
                '\x0c' => formatter.write_str("\\f")?,
                '\n' => formatter.write_str("\\n")?,
                '\r' => formatter.write_str("\\r")?,
                '\t' => formatter.write_str("\\t")?,
                '\x0b' => formatter.write_str("\\v")?,
                _ if is_printable(character) => formatter.write_char(character)?,
                '\0'..='\x7f' => write!(formatter, "\\x{:02x}", u32::from(character))?,
                '\u{80}'..='\u{ffff}' => write!(formatter, "\\u{:04x}", u32::from(character))?,
                _ => write!(formatter, "\\U{:08x}", u32::from(character))?,
            }
        }
        formatter.write_char('"')
    }
}
