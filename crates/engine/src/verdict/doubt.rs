//! What was concluded from something that is not known: a value that is redacted, an answer that a recording does not hold.

use std::sync::Arc;

use super::finding::{Action, Origin};
use super::verdict::Verdict;

/// A policy that looked at what is not known. What it says may not be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Which.
    pub origin: Arc<Origin>,
    /// The gravest that it could have done.
    pub action: Action,
    /// Whether it changes objects: then what others say of the object is in doubt as well.
    pub mutates: bool,
}

impl Verdict<'_> {
    /// Whether the request is allowed, as far as that is known: None where it hangs on what is not. A policy that is in doubt
    /// can take nothing back of what another one denies.
    pub fn is_allowed_for_certain(&self) -> Option<bool> {
        let mut grave = self.doubts.iter().filter(|doubt| doubt.action == Action::Deny).peekable();
        if grave.peek().is_none() {
            return Some(self.is_allowed());
        }
        if grave.clone().any(|doubt| doubt.mutates) {
            return None;
        }
        let is_certain = |origin: &Arc<Origin>| !self.doubts.iter().any(|doubt| doubt.origin == *origin);
        let is_denied = self.denials().any(|found| is_certain(&found.origin))
            || self.fatal().any(|failure| is_certain(&failure.origin));
        is_denied.then_some(false)
    }
}
