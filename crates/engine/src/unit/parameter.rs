//! Objects among policy documents: parameters of policies.

use std::fmt;

use crate::document::{Decoder, Diagnostic, Spanned};
use crate::json::Constant;

/// An object that a policy's `paramKind` may name.
#[derive(Clone)]
pub struct Parameter {
    /// `rules.example.com/v1`
    pub api_version: String,
    /// `ReplicaLimit`
    pub kind: String,
    /// Empty for objects outside of namespaces, and for those that leave it to whoever applies them.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub object: Constant,
    /// Where it stands; an error with the message for the case that no policy names its kind.
    pub(super) place: Diagnostic,
}

impl Parameter {
    /// The object of a document. None where it is no object with a name; that has been reported.
    pub(super) fn read(decoder: &Decoder, document: &Spanned) -> Option<Self> {
        let text = |pointer: &str| document.at(pointer).and_then(Spanned::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("/apiVersion"), text("/kind"));
        let message = format!(
            "{kind} of {api_version} is no policy: expected apiVersion {} and kind Policy, a policy of {}/v1, a ConfigMap that holds them, or a parameter of one of them",
            super::API_VERSION,
            super::admission_policy::GROUP,
        );
        let place = Diagnostic::error(decoder.file(), document.place("/apiVersion"), message);
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        if name.is_empty() {
            decoder.report(place);
            return None;
        }
        Some(Self { api_version, kind, namespace, name, object: document.to_value().into(), place })
    }

    /// The error that it is no policy's parameter.
    pub fn unwanted(&self) -> Diagnostic {
        self.place.clone()
    }
}

/// Its Debug shows no content.
impl fmt::Debug for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Parameter({} {})", self.kind, self.name)
    }
}
