//! The tables of Go's package unicode that patterns refer to (hack/generate/unicode).

include!("../../../data/unicode.in");
