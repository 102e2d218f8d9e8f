//! The trace: what became of each policy, and why. A value, made only where the run asks for it; its JSON form is that of
//! `check --explain -o json` and of the server (docs/explain.md).

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::finding::{Action, Origin};

/// What became of one policy in one turn. A mutator that ran again, because of what a later one changed, has a step each time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The policy.
    #[serde(flatten, serialize_with = "described")]
    pub origin: Arc<Origin>,
    /// Whether it changes objects.
    pub mutates: bool,
    /// Whether it only would: it is in shadow mode.
    #[serde(skip_serializing_if = "is_false")]
    pub shadow: bool,
    /// What became of it.
    pub outcome: Fate,
    /// The same in words: why it did not match, or what it did.
    pub reason: String,
    /// What of the policy decided that it does not match: `matchConstraints.resourceRules`, `matchConditions[0]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// What was compared there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// Its expressions, in the order in which they were evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Evaluation>,
    /// What it found, that which the stored object has already among it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
    /// Why it could not be evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// What it changed, as JSON Patch (RFC 6902) on the object as the policy was shown it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What becomes of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It is not about this request.
    NotMatched,
    /// It has nothing against the object.
    Passed,
    /// It found something.
    Found,
    /// It could not be evaluated, or a part of it could not.
    Failed,
    /// It leaves the object as it is.
    Unchanged,
    /// It changes the object; in shadow mode it would.
    Changed,
}

/// What a rule or selector wants, and what the request has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What is compared: `operation`, `label team`.
    pub what: String,
    /// What would have matched.
    pub wanted: String,
    /// What is there.
    pub found: String,
}

/// One expression and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Which list of the policy it stands in.
    pub list: List,
    /// Its position there, from 0.
    pub index: usize,
    /// Its name, if it has one: of a condition, a variable, an annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name of the parameter that it was evaluated for, of a policy with parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// CEL.
    pub expression: String,
    /// What it came to.
    #[serde(flatten)]
    pub result: Computed,
    /// In the API server's cost units, without the variables that it used.
    pub cost: u64,
    /// Its parts: the whole first, each before its own parts. Empty for an expression that does not compile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Computation>,
}

/// The lists of expressions of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum List {
    /// `matchConditions`
    MatchConditions,
    /// `variables`
    Variables,
    /// `validations`
    Validations,
    /// The `messageExpression` of the validation at the index.
    MessageExpressions,
    /// `auditAnnotations`
    AuditAnnotations,
    /// `mutations`
    Mutations,
}

/// A part of an expression and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Computation {
    /// How deep it stands: 0 for the whole. The parts of a part are those that follow it one level deeper.
    pub depth: u32,
    /// Its number in the expression's tree (`cel::syntax::ExprId`): the same in every evaluation of the expression.
    pub id: u32,
    /// The first byte of its text in the expression.
    pub start: u32,
    /// The byte behind its last one.
    pub end: u32,
    /// In a macro over a list or a map, the turn in which it was evaluated, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// How many turns of this macro are left out here.
    #[serde(skip_serializing_if = "is_zero")]
    pub turns_left_out: u32,
    /// What it came to.
    #[serde(flatten)]
    pub result: Computed,
}

/// What an expression, or a part of one, came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Computed {
    /// A value as CEL writes it, cut where it is long (`…`), with `(string, not shown)` for what is not to be seen.
    Value(String),
    /// The error's text.
    Error(String),
    /// It was not evaluated: `true`.
    NotEvaluated(bool),
}

/// A finding of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Where, in Kubernetes' notation; empty for the object as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What is done about it.
    #[serde(serialize_with = "named")]
    pub action: Action,
    /// Whether the stored object has it already and it is let pass (`existing: Allow`).
    #[serde(skip_serializing_if = "is_false")]
    pub existing: bool,
}

/// An operation of JSON Patch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `add`, `remove`, `replace`, `move`, `copy`, `test`
    pub op: &'static str,
    /// A JSON pointer.
    pub path: String,
    /// The pointer that `move` and `copy` read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value; absent where the operation has none, and where it is not to be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Whether there is a value that is not shown.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
}

impl Step {
    /// A policy that has nothing to say yet.
    pub const fn new(origin: Arc<Origin>, mutates: bool) -> Self {
        Self {
            origin,
            mutates,
            shadow: false,
            outcome: Fate::NotMatched,
            reason: String::new(),
            decided_by: None,
            compared: None,
            evaluations: vec![],
            findings: vec![],
            errors: vec![],
            changes: vec![],
        }
    }
}

impl List {
    /// As policies spell it; of a messageExpression, the list in which its validation stands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MatchConditions => "matchConditions",
            Self::Variables => "variables",
            Self::Validations | Self::MessageExpressions => "validations",
            Self::AuditAnnotations => "auditAnnotations",
            Self::Mutations => "mutations",
        }
    }
}

impl Computed {
    /// Whether it is a boolean of this value.
    pub fn is(&self, value: bool) -> bool {
        matches!(self, Self::Value(text) if text == if value { "true" } else { "false" })
    }
}

/// `matchConditions[0]`, `validations[1].messageExpression`
impl std::fmt::Display for Evaluation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}[{}]", self.list.as_str(), self.index)?;
        if self.list == List::MessageExpressions { formatter.write_str(".messageExpression") } else { Ok(()) }
    }
}

#[derive(Serialize)]
struct Described<'o> {
    policy: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'static str>,
    unit: &'o str,
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    binding: Option<&'o str>,
}

fn described<S: Serializer>(origin: &Arc<Origin>, serializer: S) -> Result<S::Ok, S::Error> {
    let binding = origin.binding.as_ref().map(|binding| binding.name.as_str());
    let (policy, unit) = (origin.policy.as_str(), origin.unit.as_str());
    Described { policy, module: origin.module, unit, line: origin.line, binding }.serialize(serializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn named<S: Serializer>(action: &Action, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(action.as_str())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(value: &u32) -> bool {
    *value == 0
}
