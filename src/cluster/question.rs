//! A lookup as a request to the API server.

use std::sync::Arc;

use admittance_engine::review::{Access, AccessTarget, Lookup};
use axum::http::header::CONTENT_TYPE;
use axum::http::{self, Request};
use serde_json::{Map, Value, json};

use super::Fact;

/// A request, and how its answer is read.
pub(super) enum Question {
    /// An object at this path.
    Get(String),
    /// A SubjectAccessReview.
    Access(Value),
}

/// The question for a lookup.
pub(super) fn of(lookup: &Lookup<'_>) -> Question {
    match lookup {
        Lookup::Namespace(name) => Question::Get(format!("/api/v1/namespaces/{}", escaped(name))),
        Lookup::Access(access) => Question::Access(review(access)),
    }
}

impl Question {
    pub(super) fn request(&self) -> Result<Request<Vec<u8>>, http::Error> {
        match self {
            Self::Get(path) => Request::get(path).body(vec![]),
            Self::Access(review) => Request::post("/apis/authorization.k8s.io/v1/subjectaccessreviews")
                .header(CONTENT_TYPE, "application/json")
                .body(review.to_string().into_bytes()),
        }
    }

    pub(super) fn read(&self, text: &str) -> Fact {
        match self {
            Self::Get(_) => Fact::Found(Arc::from(text)),
            Self::Access(_) => {
                match serde_json::from_str::<Value>(text).ok().as_mut().and_then(|it| it.get_mut("status")) {
                    Some(status) => Fact::Found(Arc::from(status.to_string())),
                    None => Fact::Failed("the cluster's answer has no status"),
                }
            }
        }
    }
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
        let Question::Get(path) = of(&Lookup::Namespace("a/../b?c=d e".into())) else { panic!("expected a path") };
        assert_eq!(path, "/api/v1/namespaces/a%2F..%2Fb%3Fc%3Dd%20e");
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
