//! `format` and `strings.quote` (cel-go, ext/formatting.go and ext/strings.go).

use super::clause::{Clause, Piece, Pieces};
use super::conversions::string_of;
use super::locale_number;
use super::text::Text;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::{List, Map, Value};

/// What version 2 of the strings library adds.
pub(super) const LIBRARY: Library = Library { name: "strings", since: Version(29), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member("string_format", "format", &["string", "list(dyn)"], "string", format),
    global("strings_quote", "strings.quote", &["string"], "string", quote),
];

/// In double quotes, with the escapes of CEL alone.
fn quote<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    context.step(text.len() / 16)?;
    let mut quoted = Text::new(context);
    quoted.push('"')?;
    for character in text.chars() {
        match character {
            '\u{7}' => quoted.push_str("\\a")?,
            '\u{8}' => quoted.push_str("\\b")?,
            '\u{c}' => quoted.push_str("\\f")?,
            '\n' => quoted.push_str("\\n")?,
            '\r' => quoted.push_str("\\r")?,
            '\t' => quoted.push_str("\\t")?,
            '\u{b}' => quoted.push_str("\\v")?,
            '\\' => quoted.push_str("\\\\")?,
            '"' => quoted.push_str("\\\"")?,
            other => quoted.push(other)?,
        }
    }
    quoted.push('"')?;
    Ok(Value::String(quoted.finish()))
}

/// Arguments that are left over are of no account here; the checker refuses them where it sees them.
fn format<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(format), Value::List(list)] = arguments else { return context.no_such_overload() };
    let mut printer = Printer { text: Text::new(context), context };
    let mut position = 0;
    for piece in Pieces::new(format) {
        match piece {
            Ok(Piece::Text(text)) => printer.text.push_str(text)?,
            Ok(Piece::Clause(clause)) => {
                let Some(value) = list.get(position, context)? else {
                    return context.raise_text(format_args!("index {position} out of range"));
                };
                printer.clause(clause, value)?;
                position += 1;
            }
            Err(_) if position >= list.len() => {
                return context.raise_text(format_args!("index {position} out of range"));
            }
            Err(error) => return context.raise_text(format_args!("{error}")),
        }
    }
    Ok(Value::String(printer.text.finish()))
}

struct Printer<'c, 'e, 'a> {
    text: Text<'c, 'e, 'a>,
    context: &'c Context<'e, 'a>,
}

impl<'a> Printer<'_, '_, 'a> {
    fn clause(&mut self, clause: Clause, value: Value<'a>) -> Outcome<'a, ()> {
        match (clause, value) {
            (Clause::String, value) => self.string(value),
            (Clause::Decimal, Value::Int(number)) => self.text.push_str(&number.to_string()),
            (Clause::Decimal, Value::Uint(number)) => self.text.push_str(&number.to_string()),
            (Clause::Binary, Value::Bool(value)) => self.text.push(if value { '1' } else { '0' }),
            (Clause::Binary, Value::Int(number)) => self.signed(number, &format!("{:b}", number.unsigned_abs())),
            (Clause::Binary, Value::Uint(number)) => self.text.push_str(&format!("{number:b}")),
            (Clause::Octal, Value::Int(number)) => self.signed(number, &format!("{:o}", number.unsigned_abs())),
            (Clause::Octal, Value::Uint(number)) => self.text.push_str(&format!("{number:o}")),
            (Clause::LowerHex, Value::Int(number)) => self.signed(number, &format!("{:x}", number.unsigned_abs())),
            (Clause::LowerHex, Value::Uint(number)) => self.text.push_str(&format!("{number:x}")),
            (Clause::UpperHex, Value::Int(number)) => self.signed(number, &format!("{:X}", number.unsigned_abs())),
            (Clause::UpperHex, Value::Uint(number)) => self.text.push_str(&format!("{number:X}")),
            (Clause::LowerHex, Value::String(text)) => self.hex(text.as_bytes(), b"0123456789abcdef"),
            (Clause::LowerHex, Value::Bytes(bytes)) => self.hex(bytes, b"0123456789abcdef"),
            (Clause::UpperHex, Value::String(text)) => self.hex(text.as_bytes(), b"0123456789ABCDEF"),
            (Clause::UpperHex, Value::Bytes(bytes)) => self.hex(bytes, b"0123456789ABCDEF"),
            (Clause::Fixed(_) | Clause::Scientific(_), Value::Double(number)) => self.double(clause, number),
            (Clause::Fixed(_) | Clause::Scientific(_), Value::String("NaN")) => self.double(clause, f64::NAN),
            (Clause::Fixed(_) | Clause::Scientific(_), Value::String("Infinity")) => self.double(clause, f64::INFINITY),
            (Clause::Fixed(_) | Clause::Scientific(_), Value::String("-Infinity")) => {
                self.double(clause, f64::NEG_INFINITY)
            }
            (clause, other) => {
                let refusal = clause.refusal(other.type_name());
                self.context.raise_text(format_args!("{refusal}"))
            }
        }
    }

    /// Go writes the sign before the digits in every base.
    fn signed(&mut self, number: i64, digits: &str) -> Outcome<'a, ()> {
        if number < 0 {
            self.text.push('-')?;
        }
        self.text.push_str(digits)
    }

    fn hex(&mut self, bytes: &[u8], digits: &[u8; 16]) -> Outcome<'a, ()> {
        let digit = |value: u8| digits.get(usize::from(value)).map_or('0', |digit| char::from(*digit));
        self.context.step(bytes.len() / 16)?;
        for byte in bytes {
            self.text.push(digit(byte >> 4))?;
            self.text.push(digit(byte & 15))?;
        }
        Ok(())
    }

    /// A thousand digits at most, and at most 65,535 spaces before them.
    fn double(&mut self, clause: Clause, number: f64) -> Outcome<'a, ()> {
        self.context.step(16)?;
        match clause {
            Clause::Scientific(width) => {
                let digits = locale_number::scientific(number, width);
                self.text.push_spaces(locale_number::padding(&digits, width))?;
                self.text.push_str(&digits)
            }
            Clause::Fixed(precision) => self.text.push_str(&locale_number::fixed(number, precision)),
            _ => Ok(()),
        }
    }

    /// `%s` (`FormatString`)
    fn string(&mut self, value: Value<'a>) -> Outcome<'a, ()> {
        match value {
            Value::Null => self.text.push_str("null"),
            Value::List(list) => self.list(list),
            Value::Map(map) => self.map(map),
            Value::Type(_) => self.type_name(value),
            Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::Duration(_)
            | Value::Timestamp(_) => {
                let text = string_of(value, self.context)?;
                self.text.push_str(text)
            }
            Value::Optional(_) | Value::Struct(_) | Value::Opaque(_) => {
                let refusal = Clause::String.refusal(value.type_name());
                self.context.raise_text(format_args!("{refusal}"))
            }
        }
    }

    fn type_name(&mut self, value: Value<'a>) -> Outcome<'a, ()> {
        let name = value.named_type().unwrap_or_default();
        self.text.push_str(&name)
    }

    /// An element of a list or a value of a map, as CEL writes it (`clauseForType`, `quoteForCEL`).
    fn nested(&mut self, value: Value<'a>) -> Outcome<'a, ()> {
        self.context.step(1)?;
        match value {
            Value::String(text) => self.text.push_quoted(text),
            Value::Bytes(_) => {
                let text = string_of(value, self.context)?;
                self.text.push('b')?;
                self.text.push_quoted(text)
            }
            Value::Double(number) if number.is_nan() => self.text.push_str("\"NaN\""),
            Value::Double(number) if number.is_infinite() => {
                self.text.push_str(if number > 0.0 { "\"+Inf\"" } else { "\"-Inf\"" })
            }
            Value::Double(number) => self.text.push_str(&format!("{number:.6}")),
            Value::Timestamp(timestamp) => self.text.push_str(&format!("timestamp(\"{}\")", timestamp.print())),
            Value::Duration(duration) => self.text.push_str(&format!("duration(\"{}\")", duration.print())),
            Value::Optional(_) | Value::Struct(_) | Value::Opaque(_) => self
                .context
                .raise_text(format_args!("error during formatting: no formatting function for {}", value.type_name())),
            other => self.string(other),
        }
    }

    fn list(&mut self, list: List<'a>) -> Outcome<'a, ()> {
        let context = self.context;
        context.nested(|| {
            self.text.push('[')?;
            for (position, element) in list.iter().enumerate() {
                if position > 0 {
                    self.text.push_str(", ")?;
                }
                self.nested(element)?;
            }
            self.text.push(']')
        })
    }

    /// In the order of the keys as they are written.
    fn map(&mut self, map: Map<'a>) -> Outcome<'a, ()> {
        let context = self.context;
        let mut entries: Vec<(&'a str, Value<'a>)> = vec![];
        for (key, value) in map.iter() {
            context.take(size_of::<(&str, Value<'_>)>())?;
            let mut text = Text::new(context);
            match key {
                Value::String(key) => text.push_quoted(key)?,
                other => text.push_str(string_of(other, context)?)?,
            }
            entries.push((text.finish(), value));
        }
        entries.sort_by_key(|entry| entry.0);
        context.nested(|| {
            self.text.push('{')?;
            for (position, (key, value)) in entries.into_iter().enumerate() {
                if position > 0 {
                    self.text.push_str(", ")?;
                }
                self.text.push_str(key)?;
                self.text.push(':')?;
                self.nested(value)?;
            }
            self.text.push('}')
        })
    }
}
