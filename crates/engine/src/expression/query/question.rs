//! What is asked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

/// An expression and what surrounds it. Fields that are absent or null have their default; unknown ones are passed over.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the fields of a line, as the protocol names them")]
pub struct Query<'t> {
    /// Copied to the answer.
    pub id: Option<&'t RawValue>,
    /// The expression.
    pub expr: String,
    /// Variables as plain JSON: whole numbers are int, others double. `request` and `namespaceObject` are shaped as the API
    /// server does ([`super::super::typed`]).
    pub vars: BTreeMap<Cow<'t, str>, &'t RawValue>,
    /// Variables as tagged values ([`crate::cel::encoding`]).
    pub values: BTreeMap<Cow<'t, str>, &'t RawValue>,
    /// Types of variables that are not dyn, as [`crate::cel::encoding::parse_type`] reads them.
    pub types: BTreeMap<Cow<'t, str>, String>,
    /// The policy's own variables, in order.
    pub variables: Vec<NamedExpression>,
    /// A namespace in which names are looked up first.
    pub container: String,
    /// Compile as a new expression at this compatibility version; None: as a stored one, everything known.
    pub k8s_version: Option<String>,
    /// Whether the policy has a paramKind: else `params` is undeclared.
    pub params: bool,
    /// What the authorizer answers.
    pub authorizer: Authorizing,
    /// Whether it is a mutation: `Object{}`, `JSONPatch{}`, `jsonpatch.escapeKey`.
    pub patch_types: bool,
    /// Whether only the type is asked for.
    pub check_only: bool,
    /// Whether the estimated cost is asked for.
    pub estimate: bool,
}

/// A policy's variable.
#[derive(Clone, Debug, Deserialize)]
pub struct NamedExpression {
    /// `variables.NAME`
    #[serde(default)]
    pub name: String,
    /// What it stands for.
    #[serde(default)]
    pub expression: String,
}

/// What an authorizer answers, whatever it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authorizing {
    /// Yes.
    #[default]
    Allow,
    /// No.
    Deny,
    /// It fails.
    Fail,
    /// Nothing: `authorizer` is undeclared, as in message expressions.
    Undeclared,
}

/// Why a query cannot be answered: lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError(String);

impl QueryError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn unknown_type(text: &str) -> Self {
        Self(format!(
            "unknown type \"{text}\": write int, list(string), map(string,dyn), timestamp, optional(int), wrapper(int) or the like"
        ))
    }

    pub(super) fn version(text: &str) -> Self {
        Self(format!("\"{text}\" is no version of Kubernetes: write 1.30 or the like"))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for QueryError {}

/// Names that policies' expressions have without being declared.
pub(super) const OF_POLICIES: [&str; 8] = [
    "object",
    "oldObject",
    "namespaceObject",
    "request",
    "params",
    "authorizer",
    "authorizer.requestResource",
    VARIABLES,
];

pub(super) const VARIABLES: &str = "variables";

impl<'t> Query<'t> {
    /// A query without variables.
    pub fn of(expression: &str) -> Self {
        Self { expr: expression.to_owned(), params: true, ..Self::default() }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// For what is no query. What holds it may be a secret: nothing of it is quoted.
    pub fn read(line: &'t str) -> Result<Self, QueryError> {
        let raw: Raw<'t> = serde_json::from_str(line).map_err(|error| {
            let classified = crate::json::read::classify(&error);
            QueryError(format!("unreadable line: {classified}"))
        })?;
        let authorizer = match raw.authorizer.as_deref() {
            Some("deny") => Authorizing::Deny,
            Some("error") => Authorizing::Fail,
            Some("none") => Authorizing::Undeclared,
            _ => Authorizing::Allow,
        };
        Ok(Self {
            id: raw.id,
            expr: raw.expr.unwrap_or_default(),
            vars: raw.vars.unwrap_or_default().0,
            values: raw.values.unwrap_or_default().0,
            types: raw.types.unwrap_or_default().0,
            variables: raw.variables.unwrap_or_default(),
            container: raw.container.unwrap_or_default(),
            k8s_version: raw.k8s_version.filter(|version| !version.is_empty()),
            params: raw.params.unwrap_or(true),
            authorizer,
            patch_types: raw.patch_types.unwrap_or_default(),
            check_only: raw.check_only.unwrap_or_default(),
            estimate: raw.estimate.unwrap_or_default(),
        })
    }

    /// The names that have to be declared, each with its type. `variables` is one where it is given as a plain value and the
    /// policy has none of its own.
    pub(super) fn declared_names(&self) -> Vec<(&str, Option<&str>)> {
        let mut names: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for name in self.vars.keys().chain(self.values.keys()) {
            names.insert(name, None);
        }
        for (name, ty) in &self.types {
            names.insert(name, Some(ty));
        }
        let plain_variables = self.variables.is_empty();
        names.retain(|name, _| !OF_POLICIES.contains(name) || *name == VARIABLES && plain_variables);
        names.into_iter().collect()
    }
}

#[derive(Deserialize)]
struct Raw<'t> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'t RawValue>,
    expr: Option<String>,
    #[serde(borrow)]
    vars: Option<Entries<'t, &'t RawValue>>,
    #[serde(borrow)]
    values: Option<Entries<'t, &'t RawValue>>,
    #[serde(borrow)]
    types: Option<Entries<'t, String>>,
    variables: Option<Vec<NamedExpression>>,
    container: Option<String>,
    k8s_version: Option<String>,
    params: Option<bool>,
    authorizer: Option<String>,
    patch_types: Option<bool>,
    check_only: Option<bool>,
    estimate: Option<bool>,
}

/// Keys are borrowed where they have no escapes.
#[derive(Deserialize)]
struct Entries<'t, T>(#[serde(borrow, bound(deserialize = "T: Deserialize<'de>"))] BTreeMap<Cow<'t, str>, T>);

impl<T> Default for Entries<'_, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// Null is an id like any other.
fn present<'t, D: serde::Deserializer<'t>>(deserializer: D) -> Result<Option<&'t RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}
