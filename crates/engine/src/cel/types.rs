//! Static types.

use std::fmt;
use std::sync::Arc;

/// A type as the checker knows it. Printed as cel-go prints it: `list(int)`, `map(string, dyn)`, `kubernetes.Quantity`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Known at run time only.
    Dyn,
    /// `null_type`
    Null,
    /// `bool`
    Bool,
    /// `int`: 64 bits, signed
    Int,
    /// `uint`: 64 bits
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `google.protobuf.Duration`
    Duration,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Any`
    Any,
    /// `wrapper(T)`: T or null, for T one of bool, int, uint, double, string, bytes
    Wrapper(Arc<Type>),
    /// `list(T)`
    List(Arc<Type>),
    /// `map(K, V)`
    Map(Arc<Type>, Arc<Type>),
    /// `optional_type(T)`
    Optional(Arc<Type>),
    /// `type(T)`: the type of a type's name
    Type(Arc<Type>),
    /// A type with declared fields, which the environment knows by this name: `kubernetes.AdmissionRequest`, `Object.spec`.
    Struct(Arc<str>),
    /// A type whose values only functions look into: `kubernetes.Quantity`, `net.IP`.
    Opaque(&'static str),
    /// A parameter: of a signature (`A` is 0, `B` is 1), or an unknown of the checker.
    Parameter(u32),
    /// What has no type because of an error that has been reported.
    Error,
}

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    /// `map(key, value)`
    pub fn map(key: Type, value: Type) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    /// `optional_type(value)`
    pub fn optional(value: Type) -> Self {
        Self::Optional(Arc::new(value))
    }

    /// `type(named)`
    pub fn of_type(named: Type) -> Self {
        Self::Type(Arc::new(named))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => formatter.write_str("dyn"),
            Self::Null => formatter.write_str("null_type"),
            Self::Bool => formatter.write_str("bool"),
            Self::Int => formatter.write_str("int"),
            Self::Uint => formatter.write_str("uint"),
            Self::Double => formatter.write_str("double"),
            Self::String => formatter.write_str("string"),
            Self::Bytes => formatter.write_str("bytes"),
            Self::Duration => formatter.write_str("google.protobuf.Duration"),
            Self::Timestamp => formatter.write_str("google.protobuf.Timestamp"),
            Self::Any => formatter.write_str("google.protobuf.Any"),
            Self::Wrapper(inner) => write!(formatter, "wrapper({inner})"),
            Self::List(element) => write!(formatter, "list({element})"),
            Self::Map(key, value) => write!(formatter, "map({key}, {value})"),
            Self::Optional(value) => write!(formatter, "optional_type({value})"),
            Self::Type(named) => write!(formatter, "type({named})"),
            Self::Struct(name) => formatter.write_str(name),
            Self::Opaque(name) => formatter.write_str(name),
            Self::Parameter(number) => match u8::try_from(*number) {
                Ok(number @ 0..26) => write!(formatter, "{}", char::from(b'A' + number)),
                _ => write!(formatter, "_{number}"),
            },
            Self::Error => formatter.write_str("!error!"),
        }
    }
}
