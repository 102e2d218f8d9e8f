//! How functions are declared.

use std::fmt;

use super::context::Context;
use super::error::Outcome;
use super::value::Value;

/// A minor version of Kubernetes 1: `Version(36)` is 1.36.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "1.{}", self.0)
    }
}

/// Functions that came to Kubernetes together.
#[derive(Debug)]
pub struct Library {
    /// For messages: `strings`, `quantity`.
    pub name: &'static str,
    /// The first version of Kubernetes that lets new expressions use it; 0 for those that always did.
    pub since: Version,
    /// The first version that has it no more.
    pub until: Option<Version>,
    /// What it holds.
    pub overloads: &'static [Overload],
}

/// One function for one list of argument types.
#[derive(Clone, Copy)]
pub struct Overload {
    /// cel-go's id: costs are looked up by it.
    pub id: &'static str,
    /// The name: `size`, `ip.isCanonical`, `_+_`.
    pub function: &'static str,
    /// Whether the first parameter stands before a dot.
    pub is_member: bool,
    /// Types of the parameters, the receiver first, as [`super::types::Type`] prints them; single capital letters are type
    /// parameters; `timestamp` and `duration` are short for their long names.
    pub parameters: &'static [&'static str],
    /// The type of the result.
    pub result: &'static str,
    /// What it does. Arguments are as many as the parameters; where types were not known before, they are those that the
    /// parameters name, looked at on the outside (a list, whatever it holds).
    pub call: Call,
}

/// The body of a function. Total: no argument of the declared types panics, hangs, or takes memory past the bounds.
pub type Call = for<'e, 'a> fn(&Context<'e, 'a>, &[Value<'a>]) -> Outcome<'a>;

/// `function(parameters)`
pub const fn global(
    id: &'static str,
    function: &'static str,
    parameters: &'static [&'static str],
    result: &'static str,
    call: Call,
) -> Overload {
    Overload { id, function, is_member: false, parameters, result, call }
}

/// `receiver.function(parameters)`, the receiver being the first of them
pub const fn member(
    id: &'static str,
    function: &'static str,
    parameters: &'static [&'static str],
    result: &'static str,
    call: Call,
) -> Overload {
    Overload { id, function, is_member: true, parameters, result, call }
}

impl fmt::Debug for Overload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id)
    }
}
