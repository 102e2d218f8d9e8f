//! Runs one module on one request, without matching and without a pipeline.

use serde::Deserialize;
use serde_json::Value;

use crate::document::{Decoder, Limits, SourceFile, parse};
use crate::json::{Arena, Constant, Node};
use crate::kubernetes::kinds::{Kinds, Scope};
use crate::modules::{Built, ModuleEntry};
use crate::review::{GroupVersionKind, GroupVersionResource, Lazy, NoLookups, Operation, Review, Subject, User};
use crate::rule::Rule;
use crate::verdict::{PolicyError, Report, Reported};

/// What a test says about a request; the rest follows from the objects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Request {
    pub(super) operation: Option<String>,
    pub(super) subresource: String,
    pub(super) user: Option<String>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) dry_run: bool,
    pub(super) namespace_object: Value,
}

thread_local! {
    static KINDS: Kinds = Kinds::built_in();
}

/// A review of these objects. `group`, `kind` and the namespace are read from the one that is there.
pub(super) fn review<'a>(arena: &'a Arena, request: &'a Request, object: &Value, old_object: &Value) -> Review<'a> {
    let build = |value: &Value| Constant::from(value.clone()).build(arena);
    let (object, old_object) = (build(object), build(old_object));
    let operation = request.operation.as_deref().map_or_else(
        || match (object.is_null(), old_object.is_null()) {
            (true, false) => Operation::Delete,
            (false, false) => Operation::Update,
            _ => Operation::Create,
        },
        |operation| Operation::parse(operation).unwrap(),
    );
    let shown = if object.is_null() { old_object } else { object };
    let api_version = shown.str("apiVersion").unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = GroupVersionKind { group, version, kind: shown.str("kind").unwrap_or_default() };
    let metadata = shown.field("metadata").unwrap_or_default();
    let name = metadata.str("name").unwrap_or_default();
    let row = KINDS.with(|kinds| kinds.kind(group, version, kind.kind).cloned());
    let resource = GroupVersionResource { group, version, resource: row.as_ref().map_or("", |row| row.resource) };
    let namespace = match &row {
        Some(row) if row.resource == "namespaces" => name,
        Some(row) if row.scope == Scope::Cluster => "",
        _ => metadata.str("namespace").unwrap_or("default"),
    };
    let groups = match &request.groups {
        Some(groups) => arena.texts(&groups.iter().map(String::as_str).collect::<Vec<_>>()),
        None => &["system:masters", "system:authenticated"],
    };
    let lazy = |node: Node<'a>| (!node.is_null()).then(|| Lazy::of(arena, node));
    Review {
        arena,
        uid: "c",
        kind,
        resource,
        subresource: &request.subresource,
        request_kind: kind,
        request_resource: resource,
        name,
        namespace,
        operation,
        user: User { username: request.user.as_deref().unwrap_or("admin"), groups, ..User::default() },
        dry_run: request.dry_run,
        object: lazy(object),
        old_object: lazy(old_object),
        options: None,
    }
}

/// The module with the settings of a policy.
pub(super) fn build(module: &ModuleEntry, settings: &Value) -> Built {
    try_build(module, settings).unwrap_or_else(|problems| panic!("{}: {problems}", module.id))
}

/// The module with these settings, or the problems with them, a line each.
pub(super) fn try_build(module: &ModuleEntry, settings: &Value) -> Result<Built, String> {
    let file = SourceFile::new("settings", settings.to_string());
    let documents = parse(&file, &Limits::default()).documents;
    let decoder = Decoder::new(&file);
    let node = documents.first().filter(|_| !settings.is_null());
    let built = (module.build)(&decoder, 0..0, node);
    let problems: Vec<String> = decoder.finish().iter().map(ToString::to_string).collect();
    built.ok_or_else(|| problems.join("\n"))
}

/// What the module says about `object`, and the root that it leaves.
pub(super) fn run<'a>(
    built: &Built,
    public: &'static [&'static str],
    review: &Review<'a>,
    object: Node<'a>,
) -> Result<(Node<'a>, Reported), PolicyError> {
    let subject = Subject { object, old_object: review.old_object().unwrap(), review };
    let mut report = Report::new(public, &NoLookups);
    let root = match &built.rule {
        Rule::Mutate(rule) => rule.mutate(subject, &mut report)?,
        Rule::Validate(rule) => {
            rule.validate(subject, &mut report);
            object
        }
    };
    Ok((root, report.into_reported()))
}
