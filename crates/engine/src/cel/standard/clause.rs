//! The format strings of `format` (cel-go, ext/formatting.go `parseFormatString`): text, `%%`, and clauses.

use std::fmt;

/// What one argument is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// `%s`
    String,
    /// `%d`
    Decimal,
    /// `%f`, `%.2f`: how many digits behind the point
    Fixed(u64),
    /// `%e`, `%.2e`: how wide at least; the digits behind the point are always six, as upstream
    Scientific(u64),
    /// `%b`
    Binary,
    /// `%x`
    LowerHex,
    /// `%X`
    UpperHex,
    /// `%o`
    Octal,
}

/// What `%f` and `%e` mean without a number.
const DEFAULT_PRECISION: u64 = 6;

impl Clause {
    /// The types that it prints, by their names at run time; lists and maps must hold such types too.
    pub const fn accepts(self) -> &'static [&'static str] {
        match self {
            Self::String => &[
                "list",
                "map",
                "int",
                "uint",
                "double",
                "bool",
                "string",
                "google.protobuf.Timestamp",
                "bytes",
                "google.protobuf.Duration",
                "type",
                "null_type",
            ],
            Self::Decimal | Self::Octal => &["int", "uint"],
            // Of texts "NaN", "Infinity" and "-Infinity" alone.
            Self::Fixed(_) | Self::Scientific(_) => &["double", "string"],
            Self::Binary => &["int", "uint", "bool"],
            Self::LowerHex | Self::UpperHex => &["int", "uint", "string", "bytes"],
        }
    }

    /// Why a value of that type is not printed.
    pub fn refusal(self, type_name: &str) -> String {
        let what = match self {
            Self::String => {
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and \
                 timestamps"
            }
            Self::Decimal => "decimal clause can only be used on integers",
            Self::Fixed(_) => "fixed-point clause can only be used on doubles",
            Self::Scientific(_) => "scientific clause can only be used on doubles",
            Self::Binary => "only integers and bools can be formatted as binary",
            Self::LowerHex | Self::UpperHex => "only integers, byte buffers, and strings can be formatted as hex",
            Self::Octal => "octal clause can only be used on integers",
        };
        format!("error during formatting: {what}, was given {type_name}")
    }
}

/// A part of a format string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Printed as it is.
    Text(&'t str),
    /// Takes the next argument.
    Clause(Clause),
}

/// What is wrong with a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClauseError {
    /// A `%` at the end.
    UnexpectedEnd,
    /// `%.2`
    EndlessPrecision,
    /// `%.f`, `%.99999999999999999999f`
    Precision(String),
    /// `%y`
    Unrecognized(char),
}

impl fmt::Display for ClauseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEAD: &str = "could not parse formatting clause: ";
        const PRECISION: &str = "error while parsing precision: ";
        match self {
            Self::UnexpectedEnd => formatter.write_str("unexpected end of string"),
            Self::EndlessPrecision => write!(formatter, "{HEAD}{PRECISION}could not find end of precision specifier"),
            Self::Precision(digits) => write!(
                formatter,
                "{HEAD}{PRECISION}error while converting precision to integer: strconv.Atoi: parsing {digits:?}: {}",
                if digits.is_empty() { "invalid syntax" } else { "value out of range" }
            ),
            Self::Unrecognized(clause) => write!(formatter, "{HEAD}unrecognized formatting clause \"{clause}\""),
        }
    }
}

/// The parts of a format string, in order. After an error there are no more.
#[derive(Clone, Debug)]
pub struct Pieces<'t> {
    rest: &'t str,
}

impl<'t> Pieces<'t> {
    /// The parts of `format`.
    pub const fn new(format: &'t str) -> Self {
        Self { rest: format }
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Result<Piece<'t>, ClauseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(clause) = self.rest.strip_prefix('%') else {
            let (text, rest) = self.rest.split_at(self.rest.find('%').unwrap_or(self.rest.len()));
            self.rest = rest;
            return Some(Ok(Piece::Text(text)));
        };
        if let Some(rest) = clause.strip_prefix('%') {
            self.rest = rest;
            return Some(Ok(Piece::Text("%")));
        }
        Some(match parse_clause(clause) {
            Ok((clause, rest)) => {
                self.rest = rest;
                Ok(Piece::Clause(clause))
            }
            Err(error) => {
                self.rest = "";
                Err(error)
            }
        })
    }
}

/// What stands behind `%`, and what stands behind that.
fn parse_clause(text: &str) -> Result<(Clause, &str), ClauseError> {
    if text.is_empty() {
        return Err(ClauseError::UnexpectedEnd);
    }
    let (precision, text) = match text.strip_prefix('.') {
        Some(text) => {
            let end = text.find(|character: char| !character.is_ascii_digit());
            let (digits, rest) = text.split_at(end.ok_or(ClauseError::EndlessPrecision)?);
            // A Go int.
            let precision: i64 = digits.parse().map_err(|_| ClauseError::Precision(digits.to_owned()))?;
            (precision.unsigned_abs(), rest)
        }
        None => (DEFAULT_PRECISION, text),
    };
    let mut characters = text.chars();
    let clause = match characters.next() {
        Some('s') => Clause::String,
        Some('d') => Clause::Decimal,
        Some('f') => Clause::Fixed(precision),
        Some('e') => Clause::Scientific(precision),
        Some('b') => Clause::Binary,
        Some('x') => Clause::LowerHex,
        Some('X') => Clause::UpperHex,
        Some('o') => Clause::Octal,
        Some(other) => return Err(ClauseError::Unrecognized(other)),
        None => return Err(ClauseError::EndlessPrecision),
    };
    Ok((clause, characters.as_str()))
}
