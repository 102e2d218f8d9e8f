//! A case as the one validation of a ValidatingAdmissionPolicy, judged as the server judges a request.

use std::hint::black_box;

use admittance_engine::deadline::Deadline;
use admittance_engine::document::SourceFile;
use admittance_engine::json::{Arena, Node, read};
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::{
    Answer, GroupVersionKind, GroupVersionResource, Lazy, Lookup, Lookups, Operation, Review, User,
};
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{Unit, compile};
use serde_json::{Value, json};

use crate::Failure;
use crate::cases::Case;

/// The policy, bound, and what is known about the cluster.
pub(crate) struct Validation {
    policies: PolicySet,
    namespace: Namespace,
}

/// The request's namespace, as text: each request reads its own tree of it.
struct Namespace(String);

impl Lookups for Namespace {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        match lookup {
            Lookup::Namespace(_) => read(arena, arena.text(&self.0)).map_or(Answer::Missing, Answer::Found),
            _ => Answer::Unavailable("no case asks for more"),
        }
    }
}

impl Validation {
    /// The policy of an expression whose tagged value is `value`: one that makes text is an audit annotation.
    pub(crate) fn new(case: &Case, value: &Value, namespace: Node<'_>) -> Result<Self, Failure> {
        let variables: Vec<Value> =
            case.variables().map(|(name, expression)| json!({ "name": name, "expression": expression })).collect();
        let is_text = value.get("string").is_some();
        let (validation, annotation) =
            (json!({ "expression": case.expr }), json!({ "key": "made", "valueExpression": case.expr }));
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": { "name": "case.example" },
            "spec": {
                "matchConstraints": { "resourceRules": [
                    { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] },
                ] },
                "variables": variables,
                "validations": if is_text { json!([]) } else { json!([validation]) },
                "auditAnnotations": if is_text { json!([annotation]) } else { json!([]) },
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": { "name": "case.example" },
            "spec": { "policyName": "case.example", "validationActions": ["Deny"] },
        });
        let file = SourceFile::new("case.yaml", format!("{policy}\n---\n{binding}\n"));
        let unit = compile(&Unit::of_file(file)).map_err(|problems| format!("{}: {problems:?}", case.name))?;
        let (policies, problems) = link(&[unit]);
        if !problems.is_empty() {
            return Err(format!("{}: {problems:?}", case.name).into());
        }
        Ok(Self { policies, namespace: Namespace(serde_json::to_string(&namespace)?) })
    }

    /// Judges the creation of the object. The review is decoded and the object's tree is made, `request` is not.
    pub(crate) fn allows<'a>(&'a self, known: &'a Known<'_>, arena: &'a Arena) -> Result<bool, Failure> {
        let review = known.review(arena);
        let run = Run {
            route: Route::Validate,
            deadline: Deadline::never(),
            budget: Budget::default(),
            lookups: &self.namespace,
            detail: Detail::Findings,
            timed: false,
            judges_drift: false,
        };
        let verdict = admit(&self.policies, &review, &run).map_err(|needs| format!("{needs:?}"))?;
        Ok(black_box(verdict).is_allowed())
    }
}

/// What a decoded review has.
pub(crate) struct Known<'v> {
    object: Node<'v>,
    kind: GroupVersionKind<'v>,
    resource: GroupVersionResource<'v>,
    name: &'v str,
    namespace: &'v str,
    user: (&'v str, &'v str),
    groups: Vec<&'v str>,
}

impl<'v> Known<'v> {
    /// From the variables of the cases.
    pub(crate) fn new(variables: &[(&str, Node<'v>)]) -> Result<Self, Failure> {
        let request = variable(variables, "request")?;
        let texts = |parent: &str, names: [&str; 3]| {
            let parent = request.get(parent).unwrap_or_default();
            names.map(|name| parent.str(name).unwrap_or_default())
        };
        let [group, version, kind] = texts("kind", ["group", "version", "kind"]);
        let kind = GroupVersionKind { group, version, kind };
        let [group, version, resource] = texts("resource", ["group", "version", "resource"]);
        let [username, uid, _] = texts("userInfo", ["username", "uid", ""]);
        let groups = request.get("userInfo").unwrap_or_default().items_of("groups");
        Ok(Self {
            object: variable(variables, "object")?,
            kind,
            resource: GroupVersionResource { group, version, resource },
            name: request.str("name").unwrap_or_default(),
            namespace: request.str("namespace").unwrap_or_default(),
            user: (username, uid),
            groups: groups.iter().filter_map(|group| group.as_str()).collect(),
        })
    }

    fn review<'a>(&'a self, arena: &'a Arena) -> Review<'a> {
        Review {
            arena,
            uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
            kind: self.kind,
            resource: self.resource,
            subresource: "",
            request_kind: self.kind,
            request_resource: self.resource,
            name: self.name,
            namespace: self.namespace,
            operation: Operation::Create,
            user: User { username: self.user.0, uid: self.user.1, groups: &self.groups, extra: Node::NULL },
            dry_run: false,
            object: Some(Lazy::of(arena, self.object)),
            old_object: None,
            options: None,
        }
    }
}

/// The variable of that name.
pub(crate) fn variable<'v>(variables: &[(&str, Node<'v>)], name: &str) -> Result<Node<'v>, Failure> {
    let found = variables.iter().find(|(variable, _)| *variable == name);
    found.map(|(_, node)| *node).ok_or_else(|| format!("the cases have no variable {name}").into())
}
