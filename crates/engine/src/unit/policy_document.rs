//! `kind: Policy`: one configured rule with a name.

use std::sync::Arc;

use crate::document::{Decoder, Fields, Located, Spanned, settings};
use crate::matching::{MatchConstraints, NamespaceGlobs, Problem, RawMatchConstraints, RawNamespaceGlobs};
use crate::modules::{self, ModuleEntry};
use crate::policy::{Actions, Existing, FailurePolicy, Head, Mutator, Validator};
use crate::rule::Rule;
use crate::verdict::Origin;

/// A policy, of one kind or the other.
#[derive(Debug)]
pub(super) enum Policy {
    Mutates(Mutator),
    Judges(Validator),
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
            Self::Judges(validator) => Self::Judges(Validator { head: moved(validator.head), ..validator }),
        }
    }

    pub(super) fn head(&self) -> &Head {
        match self {
            Self::Mutates(mutator) => &mutator.head,
            Self::Judges(validator) => &validator.head,
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
    let name = fields.required_with("metadata", name);
    let spec = fields.required_with("spec", |decoder, node| {
        let name = name.clone().unwrap_or_default();
        spec(decoder, node, Origin { policy: name, module: None, unit: unit.to_owned(), line, binding: None })
    });
    fields.finish();
    name.and(spec)
}

fn name(decoder: &Decoder, node: &Spanned) -> Option<String> {
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

fn spec(decoder: &Decoder, node: &Spanned, origin: Origin) -> Option<Policy> {
    let mut fields = decoder.fields(node)?;
    for name in ["matchConditions", "variables", "validations", "auditAnnotations", "mutations", "exceptions"] {
        reject_unbuilt(decoder, &mut fields, name);
    }
    let place = fields.place();
    let name_of_module = fields.entry("module").map_or(place, |entry| entry.value.span.clone());
    let module = fields.required_with("module", module);
    let raw_settings = fields.optional::<&Spanned>("settings");
    let words = fields.entry("actions").map(|entry| (words(decoder, &entry.value), &entry.value));
    let failure_policy = fields.optional_with("failurePolicy", |decoder, node| {
        decoder.choice(node, &[("Fail", FailurePolicy::Fail), ("Ignore", FailurePolicy::Ignore)])
    });
    let existing = fields.optional::<Located<&Spanned>>("existing");
    let order = fields.optional::<Located<i32>>("order");
    let message = fields.optional::<Located<String>>("message");
    let raw_constraints = fields.entry("matchConstraints").map(|entry| (settings(decoder, &entry.value), &entry.value));
    let namespaces = fields.optional_with("namespaces", namespaces).unwrap_or_default();
    fields.finish();

    // From here on the module must be known; everything that can be said without it has been said.
    let module = module?;
    let built = (module.build)(decoder, name_of_module, raw_settings);
    let constraints = constraints(decoder, module, raw_constraints);
    let origin = Arc::new(Origin { module: Some(module.id), ..origin });
    let head = |constraints| Head {
        origin: origin.clone(),
        constraints,
        namespaces,
        binding: None,
        failure_policy: failure_policy.unwrap_or_default(),
        public: module.public,
    };
    if module.mutates {
        let shadow = match words {
            None => Some(false),
            Some((words, node)) => is_shadow(decoder, node, &words?),
        };
        for (name, span) in
            [("existing", existing.map(|existing| existing.span)), ("message", message.map(|message| message.span))]
        {
            if let Some(span) = span {
                decoder.error(span, format!("`{name}` is for policies that judge, `{}` changes objects", module.id));
            }
        }
        let (shadow, constraints, built) = (shadow?, constraints?, built?);
        let Rule::Mutate(rule) = built.rule else { return None };
        return Some(Policy::Mutates(Mutator {
            head: head(constraints),
            order: order.map(|order| order.value).unwrap_or_default(),
            shadow,
            is_reinvoked: false,
            rule,
        }));
    }
    let actions = match words {
        None => Some(Actions::Deny { audit: false }),
        Some((words, node)) => judging(decoder, node, &words?),
    };
    if let Some(order) = order {
        decoder.error(order.span, format!("`order` is for policies that change objects, `{}` judges", module.id));
    }
    let existing = match existing {
        None => Some(Existing::Allow),
        Some(existing) => decoder.choice(existing.value, &[("Allow", Existing::Allow), ("Deny", Existing::Deny)]),
    };
    let (actions, existing, constraints, built) = (actions?, existing?, constraints?, built?);
    let Rule::Validate(rule) = built.rule else { return None };
    Some(Policy::Judges(Validator {
        head: head(constraints),
        actions,
        existing,
        message: message.map(|message| message.value).filter(|message| !message.is_empty()),
        rule,
    }))
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

fn constraints(
    decoder: &Decoder,
    module: &ModuleEntry,
    written: Option<(Option<RawMatchConstraints>, &Spanned)>,
) -> Option<MatchConstraints> {
    let default = MatchConstraints::for_module(&module.applies, module.mutates);
    let Some((raw, node)) = written else { return Some(default) };
    report(decoder, node, default.overridden_by(&raw?))
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
