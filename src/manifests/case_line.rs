//! `check --jsonl`: a request, policies and all that they ask about in one line, judged as the API server judges it.
//!
//! Policies are taken as the API server takes what it has stored: one that it would refuse runs all the same, and what it
//! would refuse its expressions for stands in the answer. They run in the order of the line; mutating ones run first.

use std::collections::BTreeMap;
use std::sync::Arc;

use admittance_engine::deadline::Deadline;
use admittance_engine::json::{Arena, Constant, Node, edit};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::{self, Budget, Detail, Route, Run};
use admittance_engine::review::sent::NAME_LABEL;
use admittance_engine::review::{Answer, Envelope, GroupVersionKind, KindName, Lazy, Lookup, Lookups, Review};
use admittance_engine::set::PolicySet;
use admittance_engine::unit::admission_policy::{Binding, InForce, Native};
use admittance_engine::verdict::Verdict;
use serde::Deserialize;
use serde_json::{Value, json};

/// One line.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CaseLine {
    /// Copied to the answer.
    pub id: Option<Value>,
    policy: Option<Value>,
    policies: Option<Vec<Value>>,
    bindings: Option<Vec<Value>>,
    params: Option<Vec<Value>>,
    param_scope: Option<String>,
    namespace_object: Option<Value>,
    namespaces: Option<Vec<Value>>,
    request: Option<Value>,
    authorizer: Option<String>,
    typed: Option<bool>,
}

/// What the API server would refuse a policy's expression for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The policy.
    pub policy: String,
    /// The field.
    pub path: String,
    /// Why.
    pub error: String,
}

/// A line that has been read: its policies are compiled.
pub struct Prepared {
    line: CaseLine,
    set: PolicySet,
    /// What is wrong with expressions of its policies.
    pub refused: Vec<Refused>,
    /// Whether a policy that changes objects has a binding.
    pub mutates: bool,
    cluster: Cluster,
}

impl CaseLine {
    /// Compiles the policies.
    ///
    /// # Errors
    /// What keeps the line from being judged at all.
    pub fn prepare(mut self) -> Result<Prepared, String> {
        let Some(request) = &self.request else { return Err("no request".to_owned()) };
        let cluster = Cluster::of(&self, request);
        let documents = self.policy.take().into_iter().chain(self.policies.take().unwrap_or_default());
        let bindings = self.bindings.take().unwrap_or_default();
        let (mut mutators, mut validators, mut refused) = (vec![], vec![], vec![]);
        for document in documents {
            let stored = Native::stored(&document)?;
            let native = if self.typed == Some(true) { stored } else { stored.for_untyped_objects() };
            let name = &native.origin.policy;
            let errors = native.expression_errors().into_iter();
            refused.extend(errors.map(|(path, error)| Refused { policy: name.clone(), path, error }));
            for binding in &bindings {
                match Binding::stored(binding, &native)?.map(|binding| native.bind(&binding)) {
                    Some(InForce::Mutates(mutator)) => mutators.push(Arc::new(mutator)),
                    Some(InForce::Judges(validator)) => validators.push(Arc::new(validator)),
                    None => {}
                }
            }
        }
        let mutates = !mutators.is_empty();
        Ok(Prepared {
            set: PolicySet::in_order(mutators, validators, String::new()),
            refused,
            mutates,
            cluster,
            line: self,
        })
    }
}

impl Prepared {
    /// Judges the request.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub fn judge<'a>(&'a self, arena: &'a Arena, defaults: &Defaults) -> Result<(Review<'a>, Verdict<'a>), String> {
        let review = self.review(arena, defaults)?;
        let run = Run {
            route: Route::Offline,
            deadline: Deadline::never(),
            budget: Budget::default(),
            lookups: &self.cluster,
            detail: Detail::Judgements,
            timed: false,
            judges_drift: false,
        };
        let verdict = pipeline::admit(&self.set, &review, &run).map_err(|needs| format!("not known: {needs:?}"))?;
        Ok((review, verdict))
    }

    fn review<'a>(&'a self, arena: &'a Arena, defaults: &Defaults) -> Result<Review<'a>, String> {
        let mut request = self.line.request.clone().unwrap_or_default();
        if let Some(fields) = request.as_object_mut() {
            fields.insert("uid".to_owned(), "line".into());
        }
        let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
        let text = arena.text(&review.to_string());
        let (envelope, outcome) = Envelope::read(arena, text.as_bytes());
        let read = outcome.and_then(|()| envelope.into_review(arena)).map_err(|error| format!("request: {error}"));
        let mut review = read?;
        let kind = review.request_kind;
        for (name, part) in [("object", &mut review.object), ("oldObject", &mut review.old_object)] {
            if let Some(lazy) = part {
                let object = lazy.node().map_err(|error| format!("request.{name}: {error}"))?;
                let object = self.as_stored(arena, defaults, kind, object);
                *lazy = Lazy::of(arena, object);
            }
        }
        Ok(review)
    }

    /// A sparse object gets its kind: the API server's always say what they are.
    fn as_stored<'a>(
        &self,
        arena: &'a Arena,
        defaults: &Defaults,
        kind: GroupVersionKind<'a>,
        object: Node<'a>,
    ) -> Node<'a> {
        let mut object = object;
        if object.str("kind").is_none_or(str::is_empty) {
            let version = if kind.group.is_empty() {
                kind.version
            } else {
                arena.format(format_args!("{}/{}", kind.group, kind.version))
            };
            for (field, text) in [("apiVersion", version), ("kind", kind.kind)] {
                object = edit::set(arena, object, &[field], Node::string(text)).unwrap_or(object);
            }
        }
        if self.line.typed != Some(true) {
            return object;
        }
        let api_version = object.str("apiVersion").unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        defaults.shape(arena, group, version, object.str("kind").unwrap_or_default(), object)
    }
}

/// What the line says about the cluster.
struct Cluster {
    namespaces: BTreeMap<String, Constant>,
    params: Vec<Param>,
    scope: Option<String>,
    access: Constant,
}

struct Param {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
    object: Constant,
}

impl Cluster {
    fn of(line: &CaseLine, request: &Value) -> Self {
        let own = text(request, "/namespace");
        let mut namespaces = BTreeMap::new();
        let mut add = |mut namespace: Value, default: &str| {
            if text(&namespace, "/metadata/name").is_empty() {
                set(&mut namespace, &["metadata", "name"], default);
            }
            let name = text(&namespace, "/metadata/name");
            set(&mut namespace, &["metadata", "labels", NAME_LABEL], &name);
            namespaces.insert(name, Constant::from(namespace));
        };
        if !own.is_empty() && line.namespace_object.is_none() {
            add(json!({}), &own);
        }
        line.namespaces.iter().flatten().for_each(|namespace| add(namespace.clone(), ""));
        if let Some(namespace) = &line.namespace_object {
            add(namespace.clone(), &own);
        }
        let param = |object: &Value| Param {
            api_version: text(object, "/apiVersion"),
            kind: text(object, "/kind"),
            namespace: text(object, "/metadata/namespace"),
            name: text(object, "/metadata/name"),
            object: object.clone().into(),
        };
        let mut params: Vec<Param> = line.params.iter().flatten().map(param).collect();
        params.sort_by(|left, right| (&left.namespace, &left.name).cmp(&(&right.namespace, &right.name)));
        let access = match line.authorizer.as_deref() {
            Some("deny") => json!({ "allowed": false, "reason": "denied by the oracle" }),
            Some("error") => json!({ "allowed": false, "evaluationError": "the oracle's authorizer fails" }),
            _ => json!({ "allowed": true }),
        };
        let scope = line.param_scope.clone().filter(|scope| !scope.is_empty());
        Self { namespaces, params, scope, access: access.into() }
    }

    fn of_kind<'c>(&'c self, kind: &'c KindName<'_>) -> impl Iterator<Item = &'c Param> {
        self.params.iter().filter(move |param| param.api_version == kind.api_version && param.kind == kind.kind)
    }

    /// As the line says it; else by what is known of the kind, and by whether one of the objects has a namespace.
    fn scope(&self, kind: &KindName<'_>) -> &'static str {
        let is_namespaced = match self.scope.as_deref() {
            Some(scope) => scope == "Namespaced",
            None => {
                (kind.api_version == "v1" && matches!(kind.kind.as_ref(), "ConfigMap" | "Secret"))
                    || self.of_kind(kind).any(|param| !param.namespace.is_empty())
            }
        };
        if is_namespaced { "Namespaced" } else { "Cluster" }
    }
}

impl Lookups for Cluster {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let found = match lookup {
            Lookup::Namespace(name) => self.namespaces.get(name.as_ref()).map(|namespace| namespace.build(arena)),
            Lookup::Access(_) => Some(self.access.build(arena)),
            Lookup::Scope(kind) => Some(Node::string(self.scope(kind))),
            Lookup::Object(object) => {
                let mut all = self.of_kind(&object.kind);
                let is_it = |param: &&Param| param.name == object.name && param.namespace == object.namespace;
                all.find(is_it).map(|param| param.object.build(arena))
            }
            Lookup::Objects(objects) => {
                let all = self.of_kind(&objects.kind);
                let is_there = |param: &&Param| objects.namespace.is_empty() || param.namespace == objects.namespace;
                let nodes: Vec<Node<'a>> = all.filter(is_there).map(|param| param.object.build(arena)).collect();
                Some(arena.list(&nodes))
            }
            // A line holds no pods besides the one that it is about.
            Lookup::Pods(_) => None,
        };
        found.map_or(Answer::Missing, Answer::Found)
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Sets a text in nested maps.
fn set(value: &mut Value, path: &[&str], text: &str) {
    let [key, rest @ ..] = path else {
        *value = text.into();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    if let Some(fields) = value.as_object_mut() {
        set(fields.entry(*key).or_insert(Value::Null), rest, text);
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.set.fmt(formatter)
    }
}
