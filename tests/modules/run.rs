//! Runs one module on one request, without matching: what modules hold must not depend on what they are shown.

use admittance_engine::document::{Decoder, Limits, SourceFile, parse};
use admittance_engine::json::{Arena, Node};
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::modules::{Built, ModuleEntry};
use admittance_engine::review::{Envelope, Lookups, NoLookups, Review, Subject};
use admittance_engine::rule::Rule;
use admittance_engine::verdict::{PolicyError, Report, Reported};
use serde_json::Value;

use crate::case::{Case, documents};

/// A case of a module, with the settings of its policy.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) settings: Value,
    pub(super) case: Case,
}

/// What the cases of one module ask.
pub(super) fn inputs_of(module: &ModuleEntry, cases: &[Case]) -> Vec<Input> {
    let of_module = cases.iter().filter(|case| case.folder() == module.id);
    let input = |case: &Case| {
        let policy = documents(case.policies.as_deref()?).into_iter().next()?;
        Some(Input { settings: policy["spec"]["settings"].clone(), case: case.clone() })
    };
    of_module.filter_map(input).collect()
}

/// All settings that the module is shown with: the page's, and those of its cases.
pub(super) fn settings_of(module: &ModuleEntry, inputs: &[Input]) -> Vec<Value> {
    let example = documents(&module.example()).into_iter().map(|document| document["spec"]["settings"].clone());
    let mut all: Vec<Value> = vec![];
    for settings in example.chain(inputs.iter().map(|input| input.settings.clone())) {
        if !all.contains(&settings) {
            all.push(settings);
        }
    }
    all
}

thread_local! {
    static KINDS: Kinds = Kinds::built_in();
}

/// The body of a case's request.
pub(super) fn body(case: &Case) -> String {
    KINDS.with(|kinds| case.review(kinds))
}

/// The review of a body.
pub(super) fn review<'a>(arena: &'a Arena, body: &'a str) -> Review<'a> {
    let (envelope, read) = Envelope::read(arena, body.as_bytes());
    read.and_then(|()| envelope.into_review(arena)).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The module with the settings of a policy.
pub(super) fn build(module: &ModuleEntry, settings: &Value) -> Built {
    let file = SourceFile::new("settings", settings.to_string());
    let documents = parse(&file, &Limits::default()).documents;
    let decoder = Decoder::new(&file);
    let node = documents.first().filter(|_| !settings.is_null());
    let built = (module.build)(&decoder, 0..0, node);
    built.unwrap_or_else(|| panic!("{}: {:?}", module.id, decoder.finish()))
}

/// What the module says about `object`, and the root that it leaves.
pub(super) fn run<'a>(
    built: &'a Built,
    public: &'static [&'static str],
    review: &Review<'a>,
    object: Node<'a>,
) -> Result<(Node<'a>, Reported), PolicyError> {
    run_with(built, public, &NoLookups, review, object)
}

/// The same with a cluster to ask.
pub(super) fn run_with<'a>(
    built: &'a Built,
    public: &'static [&'static str],
    lookups: &dyn Lookups,
    review: &Review<'a>,
    object: Node<'a>,
) -> Result<(Node<'a>, Reported), PolicyError> {
    let subject = Subject { object, old_object: review.old_object().unwrap(), review };
    let mut report = Report::new(public, lookups);
    let root = match &built.rule {
        Rule::Mutate(rule) => rule.mutate(subject, &mut report)?,
        Rule::Validate(rule) => {
            rule.validate(subject, &mut report);
            object
        }
    };
    Ok((root, report.into_reported()))
}
