//! Values as JSON without loss, for programs that compare evaluations: `admittance cel --jsonl` and the collections of cases.
//!
//! At the top a value is an object with one key, its tag:
//!
//! | tag | payload |
//! |---|---|
//! | `null`, `bool`, `string` | JSON |
//! | `int`, `uint` | a whole number of 64 bits |
//! | `double` | a number, or `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `bytes` | base64 |
//! | `duration` | seconds: `"-1.5s"` |
//! | `timestamp` | RFC 3339 in UTC |
//! | `type` | its name at run time: `int`, `google.protobuf.Timestamp`, `net.IP` |
//! | `optional` | null for none, else a nested value; `{"null":null}` for one that holds null |
//! | `list` | an array of nested values |
//! | `map` | an object of nested values; or `[[key, value], ...]`, sorted by the text of the key, where a key is no string or the only key is a tag |
//! | `opaque` | `{"type": ..., "value": ...}` |
//!
//! Nested values are plain JSON where that loses nothing: null, booleans, strings, whole numbers for int, numbers with a point
//! or an exponent for double, arrays, objects. All others are tagged as at the top.

mod brief;
mod decode;
mod encode;
mod literal;
mod native;
mod type_name;

pub use brief::brief;
pub use decode::{DecodeError, decode};
pub use encode::{TooLarge, encode};
pub use literal::literal;
pub use type_name::parse_type;

/// The tags. A map whose only key is one of them is written as pairs.
const TAGS: [&str; 15] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "null",
    "bytes",
    "duration",
    "timestamp",
    "type",
    "optional",
    "list",
    "map",
    "opaque",
    "error",
];

/// How deep values may be nested: more than text can be (128), less than would endanger the stack.
const DEPTH: usize = 500;

#[cfg(test)]
mod tests;
