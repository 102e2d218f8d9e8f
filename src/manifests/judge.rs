//! One object before the policies.

use std::fmt;

use admittance_engine::deadline::Deadline;
use admittance_engine::json::patch::Operation as PatchOperation;
use admittance_engine::json::{Arena, Node, diff, edit, rebase};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::kubernetes::list_keys;
use admittance_engine::pipeline::{self, Budget, Route, Run};
use admittance_engine::review::{Envelope, EnvelopeError, Lazy, Operation, Review};
use admittance_engine::set::{Parameters, PolicySet};
use admittance_engine::verdict::Verdict;

use super::known::Known;
use super::namespaces::{NAME_LABEL, Namespaces};
use super::objects::Manifest;
use super::request::{Asked, Target, kind_of, target};
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

/// An object, what was asked about it and what was decided.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The request.
    pub review: Review<'a>,
    /// What the policies said.
    pub verdict: Verdict<'a>,
    /// The object as it was written.
    pub written: Node<'a>,
    /// The same after mutation: what policies changed is changed, and nothing else.
    pub mutated: Node<'a>,
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
    /// CONNECT with something else than a connection's options.
    NoConnection(String),
    /// An AdmissionReview that is no request.
    NoRequest(EnvelopeError),
}

impl fmt::Display for JudgeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStored { kind, name } => {
                write!(formatter, "an UPDATE needs the stored object, and --old-object has no {kind} \"{name}\"")
            }
            Self::NoConnection(kind) => write!(
                formatter,
                "nobody connects with a {kind}: a CONNECT takes PodExecOptions, PodAttachOptions, PodPortForwardOptions, PodProxyOptions, \
                 ServiceProxyOptions or NodeProxyOptions"
            ),
            Self::NoRequest(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for JudgeError {}

impl<'a> Judged<'a> {
    /// What mutation changes in the document as it was written.
    pub fn patch(&self) -> Vec<PatchOperation<'a>> {
        diff(self.written, self.mutated, list_keys::of)
    }
}

impl Judge {
    /// Mutates, then validates, exactly as the server does.
    ///
    /// # Errors
    /// When no request can be made of the manifest.
    pub fn judge<'a>(&'a self, arena: &'a Arena, manifest: &Manifest<'a>) -> Result<Judged<'a>, JudgeError> {
        let written = manifest.document.to_node(arena);
        if manifest.is_review() {
            let review = read(arena, written).map_err(JudgeError::NoRequest)?;
            let written = review.judged().unwrap_or_default();
            return Ok(self.decide(review, written));
        }
        let review = self.request(arena, manifest, written)?;
        Ok(self.decide(review, written))
    }

    /// The request that the API server would make of a manifest.
    fn request<'a>(
        &'a self,
        arena: &'a Arena,
        manifest: &Manifest<'a>,
        written: Node<'a>,
    ) -> Result<Review<'a>, JudgeError> {
        let operation = self.asked.operation;
        let Some(target) = target(self.set.kinds(), manifest, operation, arena) else {
            return Err(JudgeError::NoConnection(manifest.kind.to_owned()));
        };
        let kind = kind_of(manifest);
        let name = manifest.metadata("name");
        let namespace = match manifest.metadata("namespace") {
            // A request about a Namespace is made in that namespace.
            _ if kind.group.is_empty() && kind.kind == "Namespace" => name,
            _ if !target.is_namespaced => "",
            "" => &self.asked.namespace,
            namespace => namespace,
        };
        let sent = Lazy::of(arena, self.as_sent(arena, manifest, &target, written));
        let (object, old_object) = match operation {
            Operation::Create | Operation::Connect => (Some(sent), None),
            Operation::Delete => (None, Some(sent)),
            Operation::Update => {
                let Some(old) = self.stored.find(manifest, &self.asked.namespace) else {
                    let name = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
                    return Err(JudgeError::NotStored { kind: kind.kind.to_owned(), name });
                };
                let old = self.as_sent(arena, &old, &target, old.document.to_node(arena));
                (Some(sent), Some(Lazy::of(arena, old)))
            }
        };
        Ok(Review {
            arena,
            // No answer is sent that would have to carry it.
            uid: "",
            kind,
            resource: target.resource,
            subresource: target.subresource,
            request_kind: kind,
            request_resource: target.resource,
            name,
            namespace,
            operation,
            user: self.asked.user(arena),
            dry_run: false,
            object,
            old_object,
            options: None,
        })
    }

    /// The object as webhooks see it: with its kind, its namespace and the API server's defaults.
    fn as_sent<'a>(
        &self,
        arena: &'a Arena,
        manifest: &Manifest<'a>,
        target: &Target<'_>,
        object: Node<'a>,
    ) -> Node<'a> {
        let Some(defaults) = &self.defaults else { return object };
        let text = |text: &'a str| Node::string(text);
        let mut object = object;
        // An edit is refused where `metadata` is no map: then the policies judge the object as it is.
        let mut fill = |path: &[&str], value: &'a str| {
            object = edit::set_default(arena, object, path, text(value)).unwrap_or(object);
        };
        fill(&["apiVersion"], manifest.api_version);
        fill(&["kind"], manifest.kind);
        let kind = kind_of(manifest);
        if target.is_namespaced && self.asked.operation != Operation::Connect {
            fill(&["metadata", "namespace"], arena.text(&self.asked.namespace));
        }
        if kind.group.is_empty() && kind.kind == "Namespace" {
            fill(&["metadata", "labels", NAME_LABEL], manifest.metadata("name"));
        }
        defaults.apply(arena, kind.group, kind.version, kind.kind, object)
    }

    fn decide<'a>(&'a self, review: Review<'a>, written: Node<'a>) -> Judged<'a> {
        let known = Known { kinds: self.set.kinds(), namespaces: &self.namespaces, parameters: &self.parameters };
        let run = Run {
            route: Route::Offline,
            deadline: Deadline::never(),
            budget: Budget::default(),
            lookups: &known,
            trace: self.explains,
            timed: false,
        };
        let verdict = loop {
            match pipeline::admit(&self.set, &review, &run) {
                Ok(verdict) => break verdict,
                // After that every question has an answer.
                Err(_) => self.namespaces.gather(),
            }
        };
        let is_changed = verdict.edits.iter().any(|edit| !edit.shadow);
        let roots = verdict.roots;
        let mutated = if is_changed {
            rebase(review.arena, written, roots.original, roots.mutated, list_keys::of)
        } else {
            written
        };
        Judged { review, verdict, written, mutated }
    }
}

/// The request in an AdmissionReview, through the server's own decoder.
fn read<'a>(arena: &'a Arena, review: Node<'a>) -> Result<Review<'a>, EnvelopeError> {
    let text = arena.text(&serde_json::to_string(&review).unwrap_or_default());
    let (envelope, outcome) = Envelope::read(arena, text.as_bytes());
    outcome?;
    envelope.into_review(arena)
}
