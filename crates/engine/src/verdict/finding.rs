//! One violation.

use std::fmt;
use std::sync::Arc;

use super::decision::Refusal;
use crate::json::PathBuf;

/// What one policy holds against one place of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where; empty for the object as a whole.
    pub path: PathBuf,
    /// A hash of the value there: with the path it tells whether the stored object had the same violation.
    pub value: u64,
    /// What is wrong: lower case, no full stop, values only of public fields.
    pub message: String,
    /// The code and reason of a denial for it.
    pub refusal: Refusal,
    /// The gravest that may be done about it, whatever the policy's actions are.
    pub gravest: Action,
}

impl Finding {
    /// Whether both are the same violation, in the new and in the stored object: same place, same value.
    pub fn is_same(&self, other: &Finding) -> bool {
        self.value == other.value && self.path.is_same_place(&other.path)
    }
}

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The policy's name.
    pub policy: String,
    /// The module's id; None for a policy in CEL.
    pub module: Option<&'static str>,
    /// The file or ConfigMap key that it stands in.
    pub unit: String,
    /// The 1-based line on which its document starts.
    pub line: u32,
    /// The binding that puts it in force; None for policies that need none.
    pub binding: Option<BoundBy>,
}

/// A binding of a ValidatingAdmissionPolicy or MutatingAdmissionPolicy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundBy {
    /// Its name.
    pub name: String,
    /// Its validationActions as it lists them; none for a mutating policy.
    pub actions: Vec<Action>,
}

/// What is done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The request is refused.
    Deny,
    /// The user sees a warning.
    Warn,
    /// It stands in the audit log alone.
    Audit,
}

impl Action {
    /// As documents spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "Deny",
            Self::Warn => "Warn",
            Self::Audit => "Audit",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A finding, whose it is and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFinding {
    /// Who finds it.
    pub origin: Arc<Origin>,
    /// The gravest of the policy's actions that the finding itself allows.
    pub action: Action,
    /// Whether the policy's actions name Audit, alone or beside another.
    pub audited: bool,
    /// The violation.
    pub finding: Finding,
}

/// `POLICY: PATH: MESSAGE`, as in a denial.
impl fmt::Display for PolicyFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, finding, .. } = self;
        if finding.path.0.is_empty() {
            write!(formatter, "{}: {}", origin.policy, finding.message)
        } else {
            write!(formatter, "{}: {}: {}", origin.policy, finding.path, finding.message)
        }
    }
}
