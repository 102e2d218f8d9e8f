//! One object before the policies.

use std::fmt;

use admittance_engine::deadline::Deadline;
use admittance_engine::json::{Arena, Node};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::kubernetes::kinds::Scope;
pub use admittance_engine::pipeline::offline::Judged;
use admittance_engine::pipeline::{Budget, Detail, Route, Run};
use admittance_engine::review::sent::{self, NoRequest, Written};
use admittance_engine::review::{Envelope, EnvelopeError, Operation, Review};
use admittance_engine::set::{Parameters, PolicySet};

use super::known::Known;
use super::namespaces::Namespaces;
use super::objects::Manifest;
use super::request::Asked;
use super::stored::Stored;

/// What is common to all objects that are judged.
#[derive(Debug)]
pub struct Judge {
    /// The policies.
    pub set: PolicySet,
    /// What is asked of the API server.
    pub asked: Asked,
    /// What UPDATE requests replace.
    pub stored: Stored,
    /// Namespaces that policies may ask about.
    pub namespaces: Namespaces,
    /// Objects that are parameters of policies.
    pub parameters: Parameters,
    /// The API server's defaults; None judges manifests as they stand.
    pub defaults: Option<Defaults>,
    /// Whether verdicts say of every policy what became of it and why.
    pub explains: bool,
}

/// Why an object cannot be judged.
#[derive(Debug)]
pub enum JudgeError {
    /// UPDATE, and nobody said what is stored.
    NotStored {
        /// Its kind.
        kind: String,
        /// `NAMESPACE/NAME`, or its name alone.
        name: String,
    },
    /// No request can be made of it.
    NoRequest(NoRequest),
    /// An AdmissionReview that is no request.
    NoReview(EnvelopeError),
}

impl fmt::Display for JudgeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStored { kind, name } => {
                write!(formatter, "an UPDATE needs the stored object, and --old-object has no {kind} \"{name}\"")
            }
            Self::NoRequest(error) => error.fmt(formatter),
            Self::NoReview(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for JudgeError {}

impl Judge {
    /// Mutates, then validates, exactly as the server does.
    ///
    /// # Errors
    /// When no request can be made of the manifest.
    pub fn judge<'a>(&'a self, arena: &'a Arena, manifest: &Manifest<'a>) -> Result<Judged<'a>, JudgeError> {
        let written = manifest.document.to_node(arena);
        if manifest.is_review() {
            let review = read(arena, written).map_err(JudgeError::NoReview)?;
            let written = review.judged().unwrap_or_default();
            return Ok(self.decide(&review, written));
        }
        let review = self.request(arena, manifest, written)?;
        Ok(self.decide(&review, written))
    }

    /// The request that the API server would make of a manifest.
    fn request<'a>(
        &'a self,
        arena: &'a Arena,
        manifest: &Manifest<'a>,
        object: Node<'a>,
    ) -> Result<Review<'a>, JudgeError> {
        let asked = self.asked.of(arena);
        let written = Written { api_version: manifest.api_version, kind: manifest.kind, object };
        let objects = match asked.operation {
            Operation::Create | Operation::Connect => (Some(written), None),
            Operation::Delete => (None, Some(written)),
            Operation::Update => {
                let Some(old) = self.stored.find(manifest, asked.namespace) else {
                    return Err(self.not_stored(manifest));
                };
                let object = old.document.to_node(arena);
                (Some(written), Some(Written { api_version: old.api_version, kind: old.kind, object }))
            }
        };
        sent::request(arena, (self.set.kinds(), self.defaults.as_ref()), &asked, objects).map_err(JudgeError::NoRequest)
    }

    fn not_stored(&self, manifest: &Manifest<'_>) -> JudgeError {
        let kind = manifest.kind.to_owned();
        let is_namespaced = self
            .set
            .kinds()
            .kind(manifest.group(), manifest.version(), manifest.kind)
            .is_none_or(|row| row.scope == Scope::Namespaced);
        let name = manifest.metadata("name");
        let name = match manifest.metadata("namespace") {
            _ if manifest.api_version == "v1" && kind == "Namespace" => format!("{name}/{name}"),
            _ if !is_namespaced => name.to_owned(),
            "" => format!("{}/{name}", self.asked.namespace),
            namespace => format!("{namespace}/{name}"),
        };
        JudgeError::NotStored { kind, name }
    }

    fn decide<'a>(&'a self, review: &Review<'a>, written: Node<'a>) -> Judged<'a> {
        let known = Known { kinds: self.set.kinds(), namespaces: &self.namespaces, parameters: &self.parameters };
        let run = Run {
            route: Route::Offline,
            deadline: Deadline::never(),
            budget: Budget::default(),
            lookups: &known,
            detail: if self.explains { Detail::Trace } else { Detail::Findings },
            timed: false,
            judges_drift: false,
        };
        loop {
            match Judged::of(&self.set, review.clone(), written, &run) {
                Ok(judged) => break judged,
                // After that every question has an answer.
                Err(_) => self.namespaces.gather(),
            }
        }
    }
}

/// The request in an AdmissionReview, through the server's own decoder.
fn read<'a>(arena: &'a Arena, review: Node<'a>) -> Result<Review<'a>, EnvelopeError> {
    let text = arena.text(&serde_json::to_string(&review).unwrap_or_default());
    let (envelope, outcome) = Envelope::read(arena, text.as_bytes());
    outcome?;
    envelope.into_review(arena)
}
