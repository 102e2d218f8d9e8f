//! What a suite expects, held against what became of the case.

use admittance_engine::cel::regex::Regex;
use admittance_engine::proof::case::Observed;
use serde_json::Value;

/// What must become of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// The request is let pass.
    Allowed,
    /// It is refused.
    Denied,
    /// The object becomes this.
    Becomes(Value),
    /// The object is changed, somehow.
    Changed,
    /// Nothing is changed.
    Unchanged,
    /// So many policies find something; None: at least one.
    Violations(Option<usize>),
    /// It is refused with a message that matches this regular expression, in Go's syntax.
    Says(String),
}

impl Expected {
    /// What is not as expected, in words.
    pub(super) fn difference(&self, observed: &Observed, case: &Value) -> Option<String> {
        let got = || {
            let refusal = observed.message.as_deref().map(|message| format!("refused: {message}"));
            refusal.unwrap_or_else(|| "let pass".to_owned())
        };
        let mutated: Option<Value> = observed.mutated.as_ref().and_then(|text| serde_json::from_str(text).ok());
        let written = case.get("object").or_else(|| case.get("oldObject"));
        let became = mutated.as_ref().or(written);
        match self {
            Self::Allowed => (!observed.allowed).then(|| format!("expected to pass, but {}", got())),
            Self::Denied => observed.allowed.then(|| format!("expected to fail, but {}", got())),
            Self::Unchanged => mutated.map(|object| format!("expected no change, but it became {object}")),
            Self::Changed => mutated.is_none().then(|| "expected a change, but there is none".to_owned()),
            Self::Becomes(wanted) => (became != Some(wanted))
                .then(|| format!("expected {wanted}, but it became {}", became.unwrap_or(&Value::Null))),
            Self::Says(pattern) => {
                let fits = |message: &String| Regex::new(pattern).is_ok_and(|regex| regex.is_match(message));
                let is_said = observed.message.as_ref().is_some_and(fits);
                (!is_said).then(|| format!("expected a message like {pattern:?}, but {}", got()))
            }
            Self::Violations(None) => {
                observed.policies.is_empty().then(|| "expected violations, but there is none".to_owned())
            }
            Self::Violations(Some(wanted)) => {
                let count = observed.policies.len();
                (count != *wanted).then(|| format!("expected {wanted} violations, but there are {count}"))
            }
        }
    }
}
