//! Names of types that every environment knows.

use crate::cel::function::Version;
use crate::cel::types::Type;

/// A type's name.
#[derive(Debug)]
pub(super) struct TypeName {
    name: &'static str,
    /// Since when new expressions may use it.
    pub since: Version,
    /// Whether it is a value. Others are accepted by the checker and refused when the program is made: they are known to
    /// the declarations of policies alone (k8s.io/apiserver `pkg/cel/types.go`, `findScalar`).
    pub is_value: bool,
}

impl TypeName {
    /// The type's name that is written so.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        NAMES.iter().find(|known| known.name == name)
    }

    /// The type that it names.
    pub(super) fn named(&self) -> Type {
        match self.name {
            "bool" => Type::Bool,
            "bytes" => Type::Bytes,
            "double" => Type::Double,
            "int" => Type::Int,
            "null_type" => Type::Null,
            "string" => Type::String,
            "uint" => Type::Uint,
            "duration" | "google.protobuf.Duration" => Type::Duration,
            "timestamp" | "google.protobuf.Timestamp" => Type::Timestamp,
            "list" => Type::list(Type::Dyn),
            "map" => Type::map(Type::Dyn, Type::Dyn),
            // `type` and `optional_type` are named without their parameter.
            name => Type::Opaque(name),
        }
    }
}

const fn value(name: &'static str, since: u32) -> TypeName {
    TypeName { name, since: Version(since), is_value: true }
}

const NAMES: [TypeName; 17] = [
    value("bool", 0),
    value("bytes", 0),
    value("double", 0),
    value("google.protobuf.Duration", 0),
    value("google.protobuf.Timestamp", 0),
    value("int", 0),
    value("list", 0),
    value("map", 0),
    value("null_type", 0),
    value("string", 0),
    value("type", 0),
    value("uint", 0),
    value("optional_type", 28),
    value("net.IP", 30),
    value("net.CIDR", 30),
    TypeName { name: "duration", since: Version(0), is_value: false },
    TypeName { name: "timestamp", since: Version(0), is_value: false },
];
