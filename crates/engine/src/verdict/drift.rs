//! A mutation that is not in the final object.

use std::fmt;
use std::sync::Arc;

use super::finding::Origin;
use crate::json::PathBuf;

/// What is done where a mutation is missing from the final object, or was overwritten (`spec.onDrift`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// It is counted, logged, and stands in the audit log.
    #[default]
    Report,
    /// The user sees a warning besides.
    Warn,
    /// The request is refused.
    Deny,
}

/// One place where the object is not as a policy makes it: the mutation is missing, or somebody wrote over it. Who did, no
/// webhook can know, and nobody is blamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The policy.
    pub origin: Arc<Origin>,
    /// What is done about it.
    pub action: OnDrift,
    /// Where.
    pub path: PathBuf,
    /// What the policy puts there, as it may be shown; None where it takes away what stands there.
    pub wanted: Option<String>,
    /// What stands there, as it may be shown; None where nothing does.
    pub found: Option<String>,
}

impl Drift {
    /// What is wrong, without policy and path.
    pub fn message(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        format!("the mutation is not in the object: wanted {}, found {}", text(&self.wanted), text(&self.found))
    }
}

/// `POLICY: PATH: MESSAGE`
impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {}", self.origin.policy, self.path, self.message())
    }
}
