//! What expressions of policies see: the environment, and values for every name in it.

use std::sync::OnceLock;

use admittance_engine::cel::context::{Context, Host, Meter, NoHost, Question};
use admittance_engine::cel::encoding::{decode, parse_type};
use admittance_engine::cel::environment::Environment;
use admittance_engine::cel::program::Composition;
use admittance_engine::cel::value::{Authorizer, Decision, Opaque, Resource, Value};
use admittance_engine::deadline::Deadline;
use admittance_engine::expression::declarations::{self, Declarations, policy_environment};
use admittance_engine::expression::typed;
use admittance_engine::json::{Arena, read};

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

/// Names, their types, and their values.
const DECLARED: [(&str, &str, &str); 20] = [
    ("vb", "bool", r#"{"bool":true}"#),
    ("vi", "int", r#"{"int":5}"#),
    ("vu", "uint", r#"{"uint":7}"#),
    ("vd", "double", r#"{"double":3.25}"#),
    ("vs", "string", r#"{"string":"Ελλάδα"}"#),
    ("vy", "bytes", r#"{"bytes":"/wBh"}"#),
    ("vt", "timestamp", r#"{"timestamp":"2024-07-01T10:20:30.5Z"}"#),
    ("vw", "duration", r#"{"duration":"-90.25s"}"#),
    ("li", "list(int)", r#"{"list":[3,1,2,1]}"#),
    ("lu", "list(uint)", r#"{"list":[{"uint":3},{"uint":1}]}"#),
    ("ld", "list(double)", r#"{"list":[1.5,-0.5,2.0]}"#),
    ("ls", "list(string)", r#"{"list":["b","a","ß","b"]}"#),
    ("ll", "list(list(int))", r#"{"list":[[1,2],[],[3]]}"#),
    ("mi", "map(string,int)", r#"{"map":{"a":1,"b":2}}"#),
    ("ms", "map(string,string)", r#"{"map":{"app":"web","name":"n"}}"#),
    ("ki", "map(int,string)", r#"{"map":[[1,"one"],[2,"two"]]}"#),
    ("oi", "optional(int)", r#"{"optional":3}"#),
    ("os", "optional(string)", r#"{"optional":null}"#),
    ("lo", "list(optional(int))", r#"{"list":[{"optional":1},{"optional":null}]}"#),
    ("x", "dyn", r#"{"uint":7}"#),
];

/// The variables of the policy.
const VARIABLES: [(&str, &str); 5] = [
    ("images", "object.spec.containers.map(c, c.image)"),
    ("count", "size(variables.images)"),
    ("broken", "object.nope.nope"),
    ("doubled", "variables.images + variables.images + variables.images"),
    ("limit", "int('5')"),
];

/// The environment of validations, or that of mutations, and the policy's variables.
pub fn environment(mutation: bool) -> &'static (Environment, Composition) {
    static MADE: [OnceLock<(Environment, Composition)>; 2] = [OnceLock::new(), OnceLock::new()];
    MADE[usize::from(mutation)].get_or_init(|| {
        let declared = Declarations { params: true, authorizer: true, mutation };
        let mut environment = policy_environment(Environment::stored(), &declared);
        for (name, ty, _) in DECLARED {
            environment.declare(name, parse_type(ty).expect("it is a type"));
        }
        let mut composition = Composition::new();
        for (name, expression) in VARIABLES {
            composition.add(name, expression, &mut environment).as_ref().expect("it compiles");
        }
        (environment, composition)
    })
}

/// The values of all declared names, by slot.
#[allow(dead_code, reason = "one target compiles, and evaluates nothing")]
pub fn values(arena: &Arena) -> Vec<Value<'_>> {
    let meter = Meter::new(0, 1 << 20, Deadline::never());
    let context = Context::new(arena, &meter, &NoHost);
    let tree = |text| read(arena, text).expect("it is JSON");
    let mut values = vec![Value::Null; declarations::VARIABLES.0 as usize + 1];
    let mut set = |slot: admittance_engine::cel::environment::Slot, value| values[slot.0 as usize] = value;
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
#[allow(dead_code, reason = "one target compiles, and evaluates nothing")]
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
