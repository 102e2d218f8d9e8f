//! `kind: Policy`: one configured rule with a name.

use std::ops::Range;
use std::sync::Arc;

use super::judging::Judging;
use super::policy_expressions::{self, Does};
use super::survival::Survival;
use crate::document::{Decoder, Fields, Located, Spanned, settings};
use crate::expression::{Bound, CelPolicy, Conditioned, Expressions};
use crate::matching::{MatchConstraints, NameSource, NamespaceGlobs, Problem, RawMatchConstraints, RawNamespaceGlobs};
use crate::modules::{self, Built, ModuleEntry};
use crate::policy::{Actions, Existing, FailurePolicy, Head, Mutator, Validator};
use crate::review::Lookup;
use crate::rule::{Mutate, Rule, Validate};
use crate::verdict::{OnDrift, Origin};

/// A policy, of one kind or the other.
#[derive(Debug)]
pub(super) enum Policy {
    Mutates(Mutator),
    Judges(Validator, Box<Judging>),
}

impl Policy {
    /// The same policy, said to start on another line: the one in the file around its own.
    pub(super) fn on_line(self, line: u32) -> Self {
        let moved = |head: Head| {
            let origin = Arc::new(Origin { line, ..Origin::clone(&head.origin) });
            Head { origin, ..head }
        };
        match self {
            Self::Mutates(mutator) => Self::Mutates(Mutator { head: moved(mutator.head), ..mutator }),
            Self::Judges(validator, judging) => {
                Self::Judges(Validator { head: moved(validator.head), ..validator }, judging)
            }
        }
    }

    pub(super) fn head(&self) -> &Head {
        match self {
            Self::Mutates(mutator) => &mutator.head,
            Self::Judges(validator, _) => &validator.head,
        }
    }
}

/// The longest name of a policy: it is the front part of audit annotations' keys, which have 63 bytes.
const NAME: usize = 63;

/// What `actions` may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Mutate,
    Deny,
    Warn,
    Audit,
}

/// Reads one document of kind Policy. `None` has been reported.
pub(super) fn decode(decoder: &Decoder, node: &Spanned, unit: &str, line: u32) -> Option<Policy> {
    let mut fields = decoder.fields(node)?;
    fields.entry("apiVersion");
    fields.entry("kind");
    let root = node;
    let name = fields.required_with("metadata", name);
    let spec = fields.required_with("spec", |decoder, node| {
        let name = name.clone().unwrap_or_default();
        spec(decoder, root, node, Origin { policy: name, module: None, unit: unit.to_owned(), line, binding: None })
    });
    fields.finish();
    name.and(spec)
}

/// The name in `metadata`.
pub(super) fn name(decoder: &Decoder, node: &Spanned) -> Option<String> {
    let mut fields = decoder.fields(node)?;
    let name: Option<Located<String>> = fields.required("name");
    fields.entry("labels");
    fields.entry("annotations");
    fields.finish();
    let name = name?;
    if is_subdomain(&name.value) {
        return Some(name.value);
    }
    decoder.error(
        name.span,
        format!(
            "invalid name `{}`: expected at most {NAME} lower case letters, digits, `-` and `.`, with a letter or digit at both ends",
            name.value
        ),
    );
    None
}

/// An RFC 1123 subdomain, as every name of an object in Kubernetes.
fn is_subdomain(name: &str) -> bool {
    let label = |label: &str| {
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        ends(label.as_bytes().first())
            && ends(label.as_bytes().last())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.len() <= NAME && name.split('.').all(label)
}

fn spec(decoder: &Decoder, root: &Spanned, node: &Spanned, origin: Origin) -> Option<Policy> {
    let mut fields = decoder.fields(node)?;
    reject_unbuilt(decoder, &mut fields, "exceptions");
    let place = fields.place();
    let expressions = policy_expressions::read(decoder, root, &mut fields, &origin.policy);
    let module_entry = fields.entry("module");
    let name_of_module = module_entry.map_or(place.clone(), |entry| entry.value.span.clone());
    let module = module_entry.and_then(|entry| module(decoder, &entry.value));
    let settings_entry = fields.entry("settings");
    let common = Common::read(decoder, &mut fields);
    fields.finish();

    // From here on it must be known what the policy does; everything that can be said without it has been said.
    match (module_entry, expressions?) {
        (Some(_), (Does::Nothing(conditions), source)) => {
            let module = module?;
            let built = (module.build)(decoder, name_of_module, settings_entry.map(|entry| &entry.value));
            let constraints = common.override_those_of(decoder, module);
            common.module(decoder, module, (built, constraints, (conditions, source)), origin)
        }
        (Some(entry), (Does::Judges(_) | Does::Changes(_), _)) => {
            let message = "a policy has either `module` or expressions of its own, not both";
            decoder.error(entry.key_span.clone(), message);
            None
        }
        (None, (Does::Nothing(_), _)) => {
            decoder.error(place, "missing field `module`, or instead of it `validations` or `mutations`");
            None
        }
        (None, does) => {
            if let Some(entry) = settings_entry {
                decoder.error(entry.key_span.clone(), "`settings` belong to a module");
            }
            common.expressions(decoder, place, does, origin)
        }
    }
}

/// Match conditions of a module, compiled, and as they are written.
type Conditions = (Option<Arc<CelPolicy>>, Expressions);

/// The fields that all policies have.
struct Common<'t> {
    words: Option<(Option<Vec<Word>>, &'t Spanned)>,
    failure_policy: FailurePolicy,
    existing: Option<Located<&'t Spanned>>,
    order: Option<Located<i32>>,
    message: Option<Located<String>>,
    constraints: Option<(Option<RawMatchConstraints>, &'t Spanned)>,
    namespaces: NamespaceGlobs,
    survival: Survival<'t>,
}

impl<'t> Common<'t> {
    fn read(decoder: &Decoder, fields: &mut Fields<'_, 't>) -> Self {
        Self {
            words: fields.entry("actions").map(|entry| (words(decoder, &entry.value), &entry.value)),
            failure_policy: fields
                .optional_with("failurePolicy", |decoder, node| {
                    decoder.choice(node, &[("Fail", FailurePolicy::Fail), ("Ignore", FailurePolicy::Ignore)])
                })
                .unwrap_or_default(),
            existing: fields.optional("existing"),
            order: fields.optional("order"),
            message: fields.optional("message"),
            constraints: fields.entry("matchConstraints").map(|entry| (settings(decoder, &entry.value), &entry.value)),
            namespaces: fields.optional_with("namespaces", namespaces).unwrap_or_default(),
            survival: Survival::read(fields),
        }
    }

    fn head(
        &self,
        origin: Origin,
        constraints: MatchConstraints,
        public: &'static [&'static str],
        lookups: Vec<Lookup<'static>>,
    ) -> Head {
        Head {
            origin: Arc::new(origin),
            constraints,
            namespaces: self.namespaces.clone(),
            binding: None,
            failure_policy: self.failure_policy,
            public,
            lookups,
        }
    }

    /// What the module applies to, as far as the policy does not say otherwise.
    fn override_those_of(&self, decoder: &Decoder, module: &ModuleEntry) -> Option<MatchConstraints> {
        let default = MatchConstraints::for_module(&module.applies, module.mutates);
        let Some((raw, node)) = &self.constraints else { return Some(default) };
        report(decoder, node, default.overridden_by(raw.as_ref()?))
    }

    fn module(
        self,
        decoder: &Decoder,
        module: &ModuleEntry,
        (built, constraints, (conditions, source)): (Option<Built>, Option<MatchConstraints>, Conditions),
        origin: Origin,
    ) -> Option<Policy> {
        let origin = Origin { module: Some(module.id), ..origin };
        if module.mutates {
            let shadow = self.changes(decoder, module.id);
            let (shadow, constraints, built) = (shadow?, constraints?, built?);
            let lookups = declared(&built, conditions.as_ref());
            let Rule::Mutate(rule) = built.rule else { return None };
            let rule: Box<dyn Mutate> = match conditions {
                Some(conditions) => Box::new(Conditioned::new(conditions, rule)),
                None => rule,
            };
            return Some(Policy::Mutates(
                self.mutator(self.head(origin, constraints, module.public, lookups), (shadow, rule)),
            ));
        }
        let judges = self.judges(decoder, module.id);
        let (judges, constraints, built) = (judges?, constraints?, built?);
        let lookups = declared(&built, conditions.as_ref());
        let Rule::Validate(rule) = built.rule else { return None };
        let rule: Box<dyn Validate> = match conditions {
            Some(conditions) => Box::new(Conditioned::new(conditions, rule)),
            None => rule,
        };
        let judging = Judging::Module { twin: built.twin, conditions: source.conditions };
        let head = self.head(origin, constraints, module.public, lookups);
        Some(Policy::Judges(self.validator(head, (judges, rule)), Box::new(judging)))
    }

    /// A policy with expressions of its own: it must say what it matches.
    fn expressions(
        self,
        decoder: &Decoder,
        place: Range<usize>,
        (does, source): (Does, Expressions),
        origin: Origin,
    ) -> Option<Policy> {
        let constraints = match &self.constraints {
            None => {
                let message = "missing field `matchConstraints`: a policy with expressions says what it matches";
                decoder.error(place, message);
                None
            }
            Some((raw, node)) => raw.as_ref().and_then(|raw| report(decoder, node, MatchConstraints::of_policy(raw))),
        };
        let constraints = constraints.map(|constraints| MatchConstraints { names: NameSource::Object, ..constraints });
        if let Some(message) = &self.message {
            decoder.error(message.span.clone(), "`message` replaces a module's: a validation has one of its own");
        }
        match does {
            Does::Changes(policy) => {
                let shadow = self.changes(decoder, "this policy");
                let (shadow, constraints) = (shadow?, constraints?);
                let head = self.head(origin, constraints, &[], policy.lookups());
                Some(Policy::Mutates(self.mutator(head, (shadow, Box::new(Bound::new(policy, None, None))))))
            }
            Does::Judges(policy) => {
                let judges = self.judges(decoder, "this policy");
                let (judges, constraints) = (judges?, constraints?);
                let head = self.head(origin, constraints, &[], policy.lookups());
                let validator = self.validator(head, (judges, Box::new(Bound::new(policy, None, None))));
                Some(Policy::Judges(validator, Box::new(Judging::Expressions(source))))
            }
            Does::Nothing(_) => None,
        }
    }

    /// Whether a policy that changes objects is in shadow mode, and what is done where its change is lost; fields of those
    /// that judge are wrong here.
    fn changes(&self, decoder: &Decoder, who: &str) -> Option<(bool, OnDrift)> {
        let shadow = match &self.words {
            None => Some(false),
            Some((words, node)) => is_shadow(decoder, node, words.as_ref()?),
        };
        let (existing, message) = (self.existing.as_ref(), self.message.as_ref());
        for (name, span) in
            [("existing", existing.map(|field| &field.span)), ("message", message.map(|field| &field.span))]
        {
            if let Some(span) = span {
                decoder.error(span.clone(), format!("`{name}` is for policies that judge, `{who}` changes objects"));
            }
        }
        let on_drift = self.survival.checked(decoder);
        Some((shadow?, on_drift?))
    }

    /// What a policy that judges does; fields of those that change objects are wrong here.
    fn judges(&self, decoder: &Decoder, who: &str) -> Option<(Actions, Existing)> {
        let actions = match &self.words {
            None => Some(Actions::Deny { audit: false }),
            Some((words, node)) => judging(decoder, node, words.as_ref()?),
        };
        if let Some(order) = &self.order {
            let message = format!("`order` is for policies that change objects, `{who}` judges");
            decoder.error(order.span.clone(), message);
        }
        self.survival.reject(decoder, who);
        let existing = match &self.existing {
            None => Some(Existing::Allow),
            Some(existing) => decoder.choice(existing.value, &[("Allow", Existing::Allow), ("Deny", Existing::Deny)]),
        };
        Some((actions?, existing?))
    }

    fn mutator(&self, head: Head, ((shadow, on_drift), rule): ((bool, OnDrift), Box<dyn Mutate>)) -> Mutator {
        let order = self.order.as_ref().map(|order| order.value).unwrap_or_default();
        Mutator { head, order, shadow, is_reinvoked: false, on_drift: Some(on_drift), rule }
    }

    fn validator(
        &self,
        head: Head,
        ((actions, existing), rule): ((Actions, Existing), Box<dyn Validate>),
    ) -> Validator {
        let message = self.message.as_ref().map(|message| message.value.clone()).filter(|message| !message.is_empty());
        Validator { head, actions, existing, message, rule }
    }
}

/// What the module and the policy's conditions may ask.
fn declared(built: &Built, conditions: Option<&Arc<CelPolicy>>) -> Vec<Lookup<'static>> {
    built.lookups.iter().cloned().chain(conditions.into_iter().flat_map(|conditions| conditions.lookups())).collect()
}

/// Fields of the contract that this version cannot obey are errors: a policy that is weaker than it reads is worse than none.
fn reject_unbuilt(decoder: &Decoder, fields: &mut Fields<'_, '_>, name: &'static str) {
    let Some(entry) = fields.entry(name) else { return };
    let is_empty = matches!(&entry.value.kind, crate::document::Kind::List(items) if items.is_empty());
    if !is_empty {
        decoder.error(entry.key_span.clone(), format!("`{name}` is not supported by this version"));
    }
}

fn module(decoder: &Decoder, node: &Spanned) -> Option<&'static ModuleEntry> {
    let choices: Vec<(&str, &'static ModuleEntry)> =
        modules::MODULES.iter().map(|module| (module.id, module)).collect();
    decoder.choice(node, &choices)
}

fn words(decoder: &Decoder, node: &Spanned) -> Option<Vec<Word>> {
    let nodes: Vec<&Spanned> = decoder.decode(node)?;
    let choices = [("Deny", Word::Deny), ("Warn", Word::Warn), ("Audit", Word::Audit), ("Mutate", Word::Mutate)];
    let words: Vec<Option<Word>> = nodes.iter().map(|node| decoder.choice(node, &choices)).collect();
    words.into_iter().collect()
}

fn is_shadow(decoder: &Decoder, node: &Spanned, words: &[Word]) -> Option<bool> {
    match words {
        [Word::Mutate] => Some(false),
        [Word::Audit] => Some(true),
        _ => {
            decoder.error(node.span.clone(), "a policy that changes objects takes the actions [Mutate] or [Audit]");
            None
        }
    }
}

fn judging(decoder: &Decoder, node: &Spanned, words: &[Word]) -> Option<Actions> {
    let count = |word| words.iter().filter(|other| **other == word).count();
    let problem = match (count(Word::Deny), count(Word::Warn), count(Word::Audit), count(Word::Mutate)) {
        (1, 0, audit @ 0..=1, 0) => return Some(Actions::Deny { audit: audit == 1 }),
        (0, 1, audit @ 0..=1, 0) => return Some(Actions::Warn { audit: audit == 1 }),
        (0, 0, 1, 0) => return Some(Actions::Audit),
        (_, _, _, 1..) => "a policy that judges takes the actions Deny, Warn, Audit",
        (1.., 1.., _, _) => "Deny and Warn exclude each other: a denied request's user sees the denial",
        (0, 0, 0, 0) => "expected at least one of Deny, Warn, Audit",
        _ => "an action stands here twice",
    };
    decoder.error(node.span.clone(), problem);
    None
}

fn namespaces(decoder: &Decoder, node: &Spanned) -> Option<NamespaceGlobs> {
    let raw: RawNamespaceGlobs = settings(decoder, node)?;
    report(decoder, node, NamespaceGlobs::new(&raw))
}

/// Reports problems that were found below `node`.
fn report<T>(decoder: &Decoder, node: &Spanned, result: Result<T, Vec<Problem>>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(problems) => {
            problems.into_iter().for_each(|problem| decoder.error(node.place(&problem.pointer), problem.message));
            None
        }
    }
}
