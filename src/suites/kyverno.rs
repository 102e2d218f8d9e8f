//! Suites of the Kyverno CLI: `kind: Test` of cli.kyverno.io/v1alpha1 (kyverno, cmd/cli/kubectl-kyverno/apis/v1alpha1).

use std::path::{Path, PathBuf};

use admittance_engine::kubernetes::kinds::Kinds;
use serde_json::{Map, Value, json};

use super::policies::Translated;
use super::{Case, Expected, Made, files, find};

/// The cases of the suites in these files and folders.
///
/// # Errors
/// A path that cannot be read, or no suite.
pub fn suites(paths: &[PathBuf]) -> Result<Vec<Case>, String> {
    find(paths, ("the Kyverno CLI", "Test"), cases)
}

/// What stands beside a suite.
struct Beside {
    policies: Vec<Value>,
    resources: Vec<Value>,
    params: Vec<Value>,
    values: Vec<Value>,
    users: Vec<Value>,
}

fn texts<'v>(value: &'v Value, field: &str) -> Vec<&'v str> {
    match value.get(field) {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn cases(suite: &Path, test: &Value) -> Vec<Case> {
    let case = |name: String, made| Case { suite: suite.to_owned(), name, made };
    let read = |field: &str| files::named(suite, &texts(test, field));
    let beside = (|| {
        Ok::<Beside, String>(Beside {
            policies: read("policies")?,
            resources: read("resources")?,
            params: read("paramResources")?,
            values: match test.get("values") {
                Some(values) => vec![values.clone()],
                None => read("variables")?,
            },
            users: read("userinfo")?,
        })
    })();
    let beside = match beside {
        Ok(beside) => beside,
        Err(problem) => return vec![case("the suite".to_owned(), Err(problem))],
    };
    let kinds = Kinds::built_in();
    let unsupported = ["exceptions", "context"].into_iter().find(|field| !texts(test, field).is_empty());
    let mut all = vec![];
    for result in list(test, "/results") {
        let (policy, kind) = (text(result, "/policy"), text(result, "/kind"));
        let mut names = texts(result, "resources");
        names.extend(texts(result, "resource"));
        if names.is_empty() {
            names.push("");
        }
        for name in names {
            let title = format!("{policy}: {kind} {name}");
            if let Some(field) = unsupported {
                all.push(case(
                    title.trim_end().to_owned(),
                    Err(format!("the suite has {field}, which are Kyverno's own")),
                ));
                continue;
            }
            match resources(&beside.resources, kind, name) {
                found if found.is_empty() => all.push(case(title, Err("there is no such resource".to_owned()))),
                found => {
                    for resource in found {
                        let title =
                            format!("{policy}: {} {}", text(resource, "/kind"), text(resource, "/metadata/name"));
                        all.push(case(title, made(suite, result, resource, &beside, &kinds)));
                    }
                }
            }
        }
    }
    all
}

/// The resources that a result is about: by kind (`Pod`, `v1/Pod`) and name (`name`, `namespace/name`); without a name all.
fn resources<'r>(all: &'r [Value], kind: &str, name: &str) -> Vec<&'r Value> {
    let (namespace, name) = name.rsplit_once('/').unwrap_or(("", name));
    let kind = kind.rsplit('/').next().unwrap_or_default();
    let own = |one: &&Value| {
        (kind.is_empty() || text(one, "/kind") == kind)
            && (name.is_empty() || text(one, "/metadata/name") == name)
            && (namespace.is_empty()
                || matches!(text(one, "/metadata/namespace"), own if own == namespace || (own.is_empty() && namespace == "default")))
    };
    all.iter().filter(own).collect()
}

fn made(suite: &Path, result: &Value, resource: &Value, beside: &Beside, kinds: &Kinds) -> Result<Made, String> {
    let policy = text(result, "/policy");
    let (_, name) = policy.rsplit_once('/').unwrap_or(("", policy));
    let document = beside
        .policies
        .iter()
        .find(|one| text(one, "/metadata/name") == name && !text(one, "/kind").ends_with("Binding"));
    let document = document.ok_or_else(|| format!("there is no policy {policy:?}"))?;
    let translated = Translated::of(document, text(result, "/rule"), &beside.policies, kinds)?;
    let wanted = text(result, "/result");
    if wanted != "skip" && translated.is_derived_for(text(resource, "/kind")) {
        return Err("Kyverno derives a rule for controllers from one for pods".to_owned());
    }
    let expected = match (wanted, translated.mutates) {
        ("fail" | "error", false) => Expected::Denied,
        ("pass" | "skip", false) => Expected::Allowed,
        ("skip", true) => Expected::Unchanged,
        ("pass", true) => patched(suite, result, resource)?.map_or(Expected::Changed, Expected::Becomes),
        (other, _) => return Err(format!("what the result {other:?} means is Kyverno's own")),
    };
    let case = request(resource, &translated, beside);
    let policies = std::iter::once(translated.policy).chain(translated.bindings).collect();
    Ok(Made { policies, case, expected })
}

/// The object after the mutation, where the result says it.
fn patched(suite: &Path, result: &Value, resource: &Value) -> Result<Option<Value>, String> {
    let mut names = texts(result, "patchedResources");
    names.extend(texts(result, "patchedResource"));
    if names.is_empty() {
        return Ok(None);
    }
    let found = files::named(suite, &names)?;
    let is_it = |one: &&Value| {
        text(one, "/kind") == text(resource, "/kind") && text(one, "/metadata/name") == text(resource, "/metadata/name")
    };
    let one = found.iter().find(is_it).or(if found.len() == 1 { found.first() } else { None });
    one.cloned().map(Some).ok_or_else(|| "the file of the patched resource does not have it".to_owned())
}

fn request(resource: &Value, translated: &Translated, beside: &Beside) -> Value {
    let name = text(resource, "/metadata/name");
    let policy = text(&translated.policy, "/metadata/name");
    let mut case = Map::new();
    let operation = operation(&beside.values, policy, name).unwrap_or_else(|| translated.operation());
    case.insert("operation".to_owned(), operation.as_str().into());
    if operation == "DELETE" {
        case.insert("oldObject".to_owned(), resource.clone());
    } else {
        case.insert("object".to_owned(), resource.clone());
    }
    if operation == "UPDATE" {
        case.insert("oldObject".to_owned(), resource.clone());
    }
    let namespace = match text(resource, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    };
    let known = beside.values.iter().flat_map(|values| {
        let selectors = list(values, "/namespaceSelector").iter();
        let labelled =
            selectors.map(|one| json!({ "metadata": { "name": one.get("name"), "labels": one.get("labels") } }));
        labelled.chain(list(values, "/namespaces").iter().cloned())
    });
    let given = beside.resources.iter().filter(|one| text(one, "/kind") == "Namespace").cloned();
    let mut known = known.chain(given).filter(|one| text(one, "/metadata/name") == namespace);
    if let Some(mut object) = known.next() {
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".to_owned(), "v1".into());
            fields.insert("kind".to_owned(), "Namespace".into());
        }
        case.insert("namespaceObject".to_owned(), object);
    }
    if let Some(user) = beside.users.first().and_then(|user| user.get("userInfo")) {
        let kept =
            ["username", "uid", "groups"].iter().filter_map(|key| Some(((*key).to_owned(), user.get(*key)?.clone())));
        case.insert("userInfo".to_owned(), Value::Object(kept.collect()));
    }
    let params = match text(&translated.policy, "/spec/paramKind/kind") {
        "" => vec![],
        kind => {
            let all = beside.params.iter().chain(&beside.resources);
            all.filter(|one| text(one, "/kind") == kind).cloned().collect()
        }
    };
    if !params.is_empty() {
        case.insert("params".to_owned(), params.into());
    }
    Value::Object(case)
}

/// The operation that the values name: for the resource, or for all.
fn operation(values: &[Value], policy: &str, resource: &str) -> Option<String> {
    let key = "request.operation";
    let of = |values: &Value, pointer: &str| values.pointer(pointer)?.get(key)?.as_str().map(ToOwned::to_owned);
    values.iter().find_map(|values| {
        let policies = list(values, "/policies").iter().filter(|one| text(one, "/name") == policy);
        let own = policies.flat_map(|one| list(one, "/resources")).find(|one| text(one, "/name") == resource);
        own.and_then(|own| of(own, "/values")).or_else(|| of(values, "/globalValues"))
    })
}
