//! The documents of a unit as they are found in its files, and what is wrong with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::admission_policy::{self, Document};
use super::parameter::Parameter;
use super::policy_document::{self, Policy};
use super::policy_test::{self, PolicyTest};
use super::{API_VERSION, config_map, judging};
use crate::document::{Decoder, Diagnostic, Limits, Place, SourceFile, Spanned, parse};
use crate::verdict::Origin;

/// A document that has been read.
#[derive(Debug)]
pub(super) enum Read {
    Own(Policy),
    Native(Document),
}

impl Read {
    /// What it is called in its set.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Own(policy) => policy.head().origin.policy.clone(),
            Self::Native(Document::Policy(native)) => native.key(),
            Self::Native(Document::Binding(binding)) => binding.key(),
        }
    }

    /// The name of the policy that it is, or puts in force.
    pub(super) fn policy(&self) -> &str {
        match self {
            Self::Own(policy) => &policy.head().origin.policy,
            Self::Native(Document::Policy(native)) => &native.origin.policy,
            Self::Native(Document::Binding(binding)) => &binding.policy,
        }
    }

    /// The same, said to start on another line: the one in the file around its own.
    pub(super) fn on_line(self, line: u32) -> Self {
        match self {
            Self::Own(policy) => Self::Own(policy.on_line(line)),
            Self::Native(Document::Policy(native)) => Self::Native(Document::Policy(native.on_line(line))),
            binding @ Self::Native(Document::Binding(_)) => binding,
        }
    }
}

/// What a document says.
pub(super) struct Said {
    pub(super) digest: String,
    /// All of it, where it is of one of Kubernetes' own kinds.
    pub(super) native: Option<Value>,
}

/// What was found so far: documents with their places, objects for policies' parameters, tests, and problems.
pub(super) struct Found<'u> {
    pub(super) unit: &'u str,
    /// What is done to the documents of policies first.
    pub(super) edit: &'u dyn Fn(&mut Spanned),
    pub(super) documents: Vec<(Read, Diagnostic, Said)>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) tests: Vec<PolicyTest>,
    pub(super) problems: Vec<Diagnostic>,
}

/// Whether it is a policy of one kind or the other.
fn is_policy(document: &Spanned) -> bool {
    let kind = document.at("/kind").and_then(Spanned::as_str).unwrap_or_default();
    ["Policy", "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"].contains(&kind)
}

impl Found<'_> {
    pub(super) fn read_file(&mut self, file: &Arc<SourceFile>) {
        let mut parsed = parse(file, &Limits::default());
        self.problems.extend(parsed.problems);
        let decoder = Decoder::new(file);
        for document in &mut parsed.documents {
            if is_policy(document) {
                (self.edit)(document);
            }
            self.read_document(&decoder, document);
        }
        self.problems.extend(decoder.finish());
    }

    fn read_document(&mut self, decoder: &Decoder, document: &Spanned) {
        let Some(map) = document.as_map() else {
            decoder.mistyped(document, "a document with apiVersion and kind");
            return;
        };
        let text = |key: &str| map.get(key).and_then(Spanned::as_str).unwrap_or_default();
        match (text("apiVersion"), text("kind")) {
            (API_VERSION, "Policy") => {
                let file = decoder.file();
                let line = u32::try_from(file.position(document.span.start).line).unwrap_or(u32::MAX);
                if let Some(policy) = policy_document::decode(decoder, document, self.unit, line) {
                    let place = Diagnostic::error(file, document.place("/metadata/name"), "");
                    self.take(document, Read::Own(policy), place, None);
                }
            }
            ("v1", "ConfigMap") if !config_map::holds_policies(document) => {
                self.parameters.extend(Parameter::read(decoder, document));
            }
            ("v1", "ConfigMap") => config_map::read(self, decoder, document),
            ("v1", "List") => {
                let items = document.at("/items").map(|items| &items.kind);
                if let Some(crate::document::Kind::List(items)) = items {
                    items.iter().for_each(|item| self.read_document(decoder, item));
                }
            }
            (API_VERSION, "PolicyTest") => self.tests.extend(policy_test::decode(decoder, document)),
            (api_version, kind)
                if api_version.split_once('/').is_some_and(|(group, _)| group == admission_policy::GROUP) =>
            {
                let version = api_version.split_once('/').map_or("", |(_, version)| version);
                let file = decoder.file();
                let line = u32::try_from(file.position(document.span.start).line).unwrap_or(u32::MAX);
                let origin =
                    Origin { policy: String::new(), module: None, unit: self.unit.to_owned(), line, binding: None };
                if let Some(read) = admission_policy::decode(decoder, document, (version, kind), origin) {
                    let place = Diagnostic::error(file, document.place("/metadata/name"), "");
                    self.take(document, Read::Native(read), place, Some(document.to_value()));
                }
            }
            (API_VERSION, kind) => {
                decoder.error(
                    document.place("/kind"),
                    format!("unknown kind `{kind}`, accepted are Policy and PolicyTest"),
                );
            }
            ("", _) | (_, "") => {
                decoder.error(document.place(""), "a document needs apiVersion and kind");
            }
            // Whether it is the parameter of a policy is known when all units are.
            _ => self.parameters.extend(Parameter::read(decoder, document)),
        }
    }

    /// Reports the name of a test that stands twice, at the later place.
    pub(super) fn test_names(&mut self) {
        let mut places: BTreeMap<&str, &Place> = BTreeMap::new();
        for test in &self.tests {
            let (name, place) = (&test.name, &test.place);
            if let Some(first) = places.get(name.as_str()) {
                let problem =
                    Diagnostic::error(&place.file, place.span.clone(), format!("test `{name}` is defined twice"));
                self.problems.push(problem.related(&first.file, first.span.clone(), "first defined here"));
            } else {
                places.insert(name, place);
            }
        }
    }

    fn take(&mut self, document: &Spanned, read: Read, place: Diagnostic, native: Option<Value>) {
        self.documents.push((read, place, Said { digest: judging::digest(document), native }));
    }

    /// Where each policy has its name; a name that stands twice is an error at the later place.
    pub(super) fn places(&mut self) -> BTreeMap<String, Diagnostic> {
        let mut places: BTreeMap<String, Diagnostic> = BTreeMap::new();
        for (document, place, _) in &self.documents {
            let key = document.key();
            if let Some(first) = places.get(&key) {
                let mut problem = place.clone();
                problem.message = format!("policy `{key}` is defined twice");
                self.problems.push(problem.related(&first.place.file, first.place.span.clone(), "first defined here"));
            } else {
                places.insert(key, place.clone());
            }
        }
        places
    }
}
