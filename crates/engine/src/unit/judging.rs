//! What a policy that judges says, as text: for whoever says it once more elsewhere.

use sha2::{Digest, Sha256};

use super::compile::hexadecimal;
use crate::document::Spanned;
use crate::expression::{Expressions, Named};
use crate::twin::{CelTwin, NoTwin};

/// What judges.
#[derive(Clone, Debug)]
pub(crate) enum Judging {
    /// A module, under these conditions.
    Module {
        /// Its checks in CEL.
        twin: Result<CelTwin, NoTwin>,
        /// The policy's `matchConditions`.
        conditions: Vec<Named>,
    },
    /// Expressions of the policy's own.
    Expressions(Expressions),
}

/// SHA-256 over what a policy document says, in whatever order and notation: its apiVersion, kind, name and spec.
/// `sha256:` and hexadecimal digits.
pub(super) fn digest(document: &Spanned) -> String {
    let part = |pointer: &str| document.at(pointer).map(Spanned::to_value).unwrap_or_default();
    // Maps of serde_json are sorted by key.
    let said = serde_json::json!([part("/apiVersion"), part("/kind"), part("/metadata/name"), part("/spec")]);
    format!("sha256:{}", hexadecimal(&Sha256::digest(said.to_string())))
}
