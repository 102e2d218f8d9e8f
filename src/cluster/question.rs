//! A lookup as a request to the API server.

use std::sync::Arc;
use std::time::Duration;

use admittance_engine::review::{Access, AccessTarget, KindName, Lookup, ObjectName};
use axum::http::header::CONTENT_TYPE;
use axum::http::{self, Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Fact, pods};

/// A request, and how its answer is read.
pub(super) enum Question {
    /// An object at this path.
    Get(String),
    /// A list of objects at this path, of this kind.
    List(String, KindName<'static>),
    /// What a group serves, and whether a kind of it lives in namespaces.
    Scope(KindName<'static>),
    /// A list of pods at this path.
    Pods(String),
    /// A SubjectAccessReview.
    Access(Value),
}

/// The question for a lookup that can be asked at once.
pub(super) fn of(lookup: &Lookup<'static>) -> Option<Question> {
    match lookup {
        Lookup::Namespace(name) => Some(Question::Get(format!("/api/v1/namespaces/{}", escaped(name)))),
        Lookup::Access(access) => Some(Question::Access(review(access))),
        Lookup::Scope(kind) => Some(Question::Scope(kind.clone())),
        Lookup::Object(object) if object.kind == KindName::CUSTOM_RESOURCE_DEFINITION => {
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            Some(Question::Get(format!("{path}/{}", escaped(&object.name))))
        }
        Lookup::Pods(namespace) => {
            Some(Question::Pods(format!("/api/v1/namespaces/{}/pods?limit={}", escaped(namespace), pods::MOST)))
        }
        Lookup::Object(_) | Lookup::Objects(_) => None,
    }
}

/// The question for objects, whose kind goes by this name in paths.
pub(super) fn of_objects(object: &ObjectName<'static>, resource: &Resource) -> Question {
    let mut path = root(&object.kind);
    if resource.namespaced && !object.namespace.is_empty() {
        path = format!("{path}/namespaces/{}", escaped(&object.namespace));
    }
    path = format!("{path}/{}", escaped(&resource.name));
    if object.name.is_empty() {
        Question::List(format!("{path}?limit={MAX_LISTED}"), object.kind.clone())
    } else {
        Question::Get(format!("{path}/{}", escaped(&object.name)))
    }
}

/// How many parameters a policy may have.
const MAX_LISTED: usize = 1_000;

/// A kind as it stands in discovery.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Resource {
    /// The name in paths.
    pub(super) name: String,
    kind: String,
    pub(super) namespaced: bool,
}

/// The row of a kind among what a group serves (meta/v1 APIResourceList).
pub(super) fn resource(text: &str, kind: &str) -> Option<Resource> {
    #[derive(Deserialize)]
    struct ApiResourceList {
        resources: Vec<Resource>,
    }
    let list: ApiResourceList = serde_json::from_str(text).ok()?;
    list.resources.into_iter().find(|resource| resource.kind == kind && !resource.name.contains('/'))
}

/// The path of a group and version.
fn root(kind: &KindName<'_>) -> String {
    match kind.api_version.split_once('/') {
        Some((group, version)) => format!("/apis/{}/{}", escaped(group), escaped(version)),
        None => format!("/api/{}", escaped(&kind.api_version)),
    }
}

impl Question {
    /// How long the answer may take, whatever the request's own time: a list of pods only as long as the API server's own
    /// admission would wait for it.
    pub(super) const fn longest(&self) -> Duration {
        if let Self::Pods(_) = self { Duration::from_secs(1) } else { Duration::from_secs(5) }
    }

    pub(super) fn request(&self) -> Result<Request<Vec<u8>>, http::Error> {
        match self {
            Self::Get(path) | Self::List(path, _) | Self::Pods(path) => Request::get(path).body(vec![]),
            Self::Scope(kind) => Request::get(root(kind)).body(vec![]),
            Self::Access(review) => Request::post("/apis/authorization.k8s.io/v1/subjectaccessreviews")
                .header(CONTENT_TYPE, "application/json")
                .body(review.to_string().into_bytes()),
        }
    }

    pub(super) fn read(&self, text: &str) -> Fact {
        match self {
            Self::Get(_) => Fact::Found(Arc::from(text)),
            Self::List(_, kind) => list(text, kind).unwrap_or(Fact::Failed("the cluster's answer cannot be read")),
            Self::Pods(_) => pods::read(text),
            Self::Scope(kind) => match resource(text, &kind.kind) {
                Some(resource) if resource.namespaced => Fact::Found(Arc::from("\"Namespaced\"")),
                Some(_) => Fact::Found(Arc::from("\"Cluster\"")),
                None => Fact::Missing,
            },
            Self::Access(_) => {
                match serde_json::from_str::<Value>(text).ok().as_mut().and_then(|it| it.get_mut("status")) {
                    Some(status) => Fact::Found(Arc::from(status.to_string())),
                    None => Fact::Failed("the cluster's answer has no status"),
                }
            }
        }
    }
}

/// The items of a list, each with its kind, which the API server leaves out, in order of namespace and name.
fn list(text: &str, kind: &KindName<'_>) -> Option<Fact> {
    let mut list: Value = serde_json::from_str(text).ok()?;
    if list.pointer("/metadata/continue").and_then(Value::as_str).is_some_and(|more| !more.is_empty()) {
        return Some(Fact::Failed("there are more than 1000 objects of the kind"));
    }
    let Value::Array(mut items) = list.get_mut("items")?.take() else { return None };
    for item in &mut items {
        let item = item.as_object_mut()?;
        item.insert("apiVersion".to_owned(), kind.api_version.as_ref().into());
        item.insert("kind".to_owned(), kind.kind.as_ref().into());
    }
    let text = |item: &Value, key: &str| item.pointer(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    items.sort_by_cached_key(|item| (text(item, "/metadata/namespace"), text(item, "/metadata/name")));
    Some(Fact::Found(Arc::from(Value::Array(items).to_string())))
}

/// A path segment: all but letters, digits and `-._~` as `%XX`.
fn escaped(segment: &str) -> String {
    segment.bytes().fold(String::with_capacity(segment.len()), |mut text, byte| {
        use std::fmt::Write as _;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn review(access: &Access<'_>) -> Value {
    let mut spec = Map::new();
    let mut set = |key: &str, value: Value| {
        spec.insert(key.to_owned(), value);
    };
    set("user", json!(access.user));
    set("uid", json!(access.uid));
    set("groups", json!(access.groups));
    set("extra", Value::Object(access.extra.iter().map(|(key, values)| (key.to_string(), json!(values))).collect()));
    match &access.target {
        AccessTarget::Path(path) => set("nonResourceAttributes", json!({ "path": path, "verb": access.verb })),
        AccessTarget::Resource { group, resource, subresource, namespace, name, field_selector, label_selector } => {
            let mut attributes = json!({
                "verb": access.verb, "group": group, "version": "*", "resource": resource, "subresource": subresource,
                "namespace": namespace, "name": name,
            });
            for (key, selector) in [("fieldSelector", field_selector), ("labelSelector", label_selector)] {
                if let (Some(selector), Some(attributes)) = (selector, attributes.as_object_mut()) {
                    attributes.insert(key.to_owned(), json!({ "rawSelector": selector }));
                }
            }
            set("resourceAttributes", attributes);
        }
    }
    json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_name_inside_its_segment_of_the_path() {
        let Some(Question::Get(path)) = of(&Lookup::Namespace("a/../b?c=d e".into())) else {
            panic!("expected a path")
        };
        assert_eq!(path, "/api/v1/namespaces/a%2F..%2Fb%3Fc%3Dd%20e");
    }

    #[test]
    fn knows_where_definitions_of_kinds_are() {
        let name = "widgets.things.example.com".into();
        let object = ObjectName { kind: KindName::CUSTOM_RESOURCE_DEFINITION, namespace: "".into(), name };
        let Some(Question::Get(path)) = of(&Lookup::Object(object)) else { panic!("expected a path") };
        assert_eq!(path, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.things.example.com");
    }

    #[test]
    fn names_objects_as_discovery_does() {
        let kind = KindName { api_version: "rules.example.com/v1".into(), kind: "Limit".into() };
        let discovery = r#"{"resources":[
            {"name":"limits/status","kind":"Limit","namespaced":true},{"name":"limits","kind":"Limit","namespaced":true}]}"#;
        let row = resource(discovery, "Limit").unwrap();
        let object = ObjectName { kind: kind.clone(), namespace: "shop".into(), name: "a".into() };
        let Question::Get(path) = of_objects(&object, &row) else { panic!("expected an object") };
        assert_eq!(path, "/apis/rules.example.com/v1/namespaces/shop/limits/a");
        let all = ObjectName { name: "".into(), namespace: "".into(), ..object };
        let Question::List(path, _) = of_objects(&all, &row) else { panic!("expected a list") };
        assert_eq!(path, "/apis/rules.example.com/v1/limits?limit=1000");
        assert!(resource(discovery, "Other").is_none());
        let Fact::Found(scope) = Question::Scope(kind).read(discovery) else { panic!("expected a scope") };
        assert_eq!(&*scope, "\"Namespaced\"");
    }

    #[test]
    fn gives_the_items_of_a_list_their_kind_and_an_order() {
        let kind = KindName { api_version: "v1".into(), kind: "ConfigMap".into() };
        let text = r#"{"items":[{"metadata":{"name":"b","namespace":"x"}},{"metadata":{"name":"a","namespace":"x"}}]}"#;
        let Some(Fact::Found(found)) = list(text, &kind) else { panic!("expected a list") };
        let names: Vec<Value> = serde_json::from_str::<Vec<Value>>(&found).unwrap();
        assert_eq!(names[0]["metadata"]["name"], "a");
        assert_eq!((&names[1]["kind"], &names[1]["apiVersion"]), (&json!("ConfigMap"), &json!("v1")));
        let more = r#"{"metadata":{"continue":"x"},"items":[]}"#;
        assert!(matches!(list(more, &kind), Some(Fact::Failed(_))));
    }

    #[test]
    fn reads_the_status_of_an_access_review() {
        let question = Question::Access(json!({}));
        let Fact::Found(status) = question.read(r#"{"spec":{},"status":{"allowed":true,"reason":"r"}}"#) else {
            panic!("expected a status")
        };
        assert_eq!(&*status, r#"{"allowed":true,"reason":"r"}"#);
        assert!(matches!(question.read("{}"), Fact::Failed(_)));
    }
}
