//! What the names of a policy's expressions stand for, and an authorizer: for those who evaluate.

use admittance_engine::cel::context::{Context, Host, Meter, NoHost, Question};
use admittance_engine::cel::encoding::decode;
use admittance_engine::cel::environment::Slot;
use admittance_engine::cel::value::{Authorizer, Decision, Opaque, Resource, Value};
use admittance_engine::deadline::Deadline;
use admittance_engine::expression::{declarations, typed};
use admittance_engine::json::{Arena, read};

use crate::policy::DECLARED;

const OBJECT: &str = r#"{
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop", "labels": {"app": "web"}, "creationTimestamp": "2025-11-03T09:12:44Z"},
    "spec": {
        "replicas": 3, "ratio": 0.5, "nothing": null, "hostNetwork": false, "big": 9007199254740993, "flags": [true, null, 1, 2.5, "x", [1]],
        "containers": [
            {"name": "main", "image": "registry.k8s.io/pause:3.9", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "500m"}}},
            {"name": "side", "image": "nginx", "command": ["sh", "-c", "sleep 1"]}
        ]
    }
}"#;
const PARAMS: &str = r#"{"limit": 5, "names": ["a", "b"], "least": -9223372036854775808, "text": "日本", "none": null, "map": {"a": {"b": [0]}}}"#;
const NAMESPACE: &str =
    r#"{"metadata": {"name": "shop", "labels": {"env": "prod"}}, "spec": {"finalizers": ["kubernetes"]}}"#;
const REQUEST: &str = r#"{
    "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
    "name": "web-0", "namespace": "shop", "operation": "CREATE", "dryRun": false,
    "userInfo": {"username": "jane", "groups": ["dev"], "extra": {"scopes": ["a", "b"]}}
}"#;

/// The values of all declared names, by slot.
pub fn values(arena: &Arena) -> Vec<Value<'_>> {
    let meter = Meter::new(0, 1 << 20, Deadline::never());
    let context = Context::new(arena, &meter, &NoHost);
    let tree = |text| read(arena, text).expect("it is JSON");
    let mut values = vec![Value::Null; declarations::VARIABLES.0 as usize + 1];
    let mut set = |slot: Slot, value| values[slot.0 as usize] = value;
    set(declarations::OBJECT, Value::of_node(tree(OBJECT)));
    set(declarations::PARAMS, Value::of_node(tree(PARAMS)));
    set(declarations::REQUEST, Value::of_node(typed::request(tree(REQUEST), arena).expect("it is a request")));
    let namespace = typed::namespace(tree(NAMESPACE), arena).expect("it is a namespace");
    set(declarations::NAMESPACE_OBJECT, Value::of_node(namespace));
    let authorizer = |authorizer| Value::Opaque(Opaque::Authorizer(arena.keep(authorizer)));
    set(declarations::AUTHORIZER, authorizer(Authorizer::Authorizer { service_account: None }));
    let resource = Resource { resource: "pods", namespace: "shop", name: "web-0", ..Resource::default() };
    set(declarations::REQUEST_RESOURCE, authorizer(Authorizer::Resource(resource)));
    values.extend(DECLARED.map(|(_, _, text)| decode(tree(text), &context).expect("it is a value")));
    values
}

/// Allows, denies, and fails, by what is asked.
pub struct Somebody;

impl Host for Somebody {
    fn authorize<'a>(&self, question: &Question<'_>, arena: &'a Arena) -> Option<Decision<'a>> {
        let (Question::Path { verb, .. } | Question::Resource { verb, .. }) = question;
        match *verb {
            "" => None,
            "get" => Some(Decision { allowed: true, reason: arena.text("granted"), error: None }),
            "create" => Some(Decision { allowed: false, reason: "", error: None }),
            _ => Some(Decision { allowed: false, reason: "", error: Some("no answer") }),
        }
    }
}
