//! What expressions are evaluated over.

use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::kind::Kind;

/// Variables that are declared with types, and their kinds.
pub(crate) const TYPED: [(&str, &str, &str); 20] = [
    ("vb", "bool", "bool"),
    ("vi", "int", "int"),
    ("vu", "uint", "uint"),
    ("vd", "double", "double"),
    ("vs", "string", "string"),
    ("vy", "bytes", "bytes"),
    ("vt", "timestamp", "timestamp"),
    ("vw", "duration", "duration"),
    ("li", "list(int)", "list(int)"),
    ("lu", "list(uint)", "list(uint)"),
    ("ld", "list(double)", "list(double)"),
    ("ls", "list(string)", "list(string)"),
    ("ll", "list(list(int))", "list(list(int))"),
    ("mi", "map(string,int)", "map(string,int)"),
    ("ms", "map(string,string)", "map(string,string)"),
    ("ki", "map(int,string)", "map(int,string)"),
    ("oi", "optional(int)", "optional(int)"),
    ("os", "optional(string)", "optional(string)"),
    ("lo", "list(optional(int))", "list(optional(int))"),
    ("x", "dyn", "dyn"),
];

/// What all expressions of a run share: the variables' values in some variants.
pub(crate) struct World {
    objects: Vec<Value>,
    /// Paths into the objects, with the kinds of what stands there.
    pub(crate) paths: Vec<(String, Kind)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let objects = vec![pod(), small(), odd()];
        let mut paths = Vec::new();
        for (index, object) in objects.iter().enumerate() {
            walk(if index == 2 { "params" } else { "object" }, object, &mut paths);
        }
        Self { objects, paths }
    }

    /// A line for `expression`.
    pub(crate) fn line(&self, chance: &mut Chance, expression: &str) -> Value {
        let mut variables = Map::new();
        variables.insert("object".to_owned(), self.objects[usize::from(chance.percent(20))].clone());
        variables.insert("params".to_owned(), self.objects[2].clone());
        if chance.percent(50) {
            variables.insert("oldObject".to_owned(), self.objects[0].clone());
        }
        variables.insert("request".to_owned(), request());
        if !chance.percent(10) {
            variables.insert("namespaceObject".to_owned(), namespace());
        }
        let types: Map<String, Value> = TYPED.iter().map(|(name, ty, _)| ((*name).to_owned(), json!(ty))).collect();
        let mut line = json!({ "expr": expression, "vars": variables, "values": values(chance), "types": types });
        if chance.percent(15) {
            line["k8s_version"] = json!(format!("1.{}", 25 + chance.below(12)));
        }
        if chance.percent(10) {
            line["authorizer"] = json!(chance.pick(&["deny", "error", "none"]));
        }
        if expression.contains("variables.") {
            line["variables"] = json!([
                { "name": "images", "expression": "object.spec.containers.map(c, c.image)" },
                { "name": "count", "expression": "size(variables.images)" },
                { "name": "broken", "expression": "object.nope.nope" },
                { "name": "limit", "expression": "int('5')" },
            ]);
        }
        line
    }
}

fn values(chance: &mut Chance) -> Value {
    let number =
        [json!({"int": 42}), json!({"uint": 7}), json!({"double": 2.5}), json!({"string": "x"}), json!({"null": null})];
    json!({
        "vb": {"bool": true},
        "vi": {"int": chance.pick(&[5_i64, -3, i64::MAX, 0])},
        "vu": {"uint": chance.pick(&[5_u64, u64::MAX, 0])},
        "vd": {"double": 3.25},
        "vs": {"string": chance.pick(&["hello", "Ελλάδα", "", "a-b-c"])},
        "vy": {"bytes": "/wBh"},
        "vt": {"timestamp": "2024-07-01T10:20:30.5Z"},
        "vw": {"duration": "-90.25s"},
        "li": {"list": [3, 1, 2, 1]},
        "lu": {"list": [{"uint": 3}, {"uint": 1}]},
        "ld": {"list": [1.5, -0.5, 2.0]},
        "ls": {"list": ["b", "a", "ß", "b"]},
        "ll": {"list": [[1, 2], [], [3]]},
        "mi": {"map": {"a": 1, "b": 2}},
        "ms": {"map": {"app": "web", "name": "n"}},
        "ki": {"map": [[1, "one"], [2, "two"]]},
        "oi": {"optional": 3},
        "os": {"optional": null},
        "lo": {"list": [{"optional": 1}, {"optional": null}]},
        "x": chance.of(&number),
    })
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-0", "namespace": "shop", "generation": 3, "creationTimestamp": "2025-11-03T09:12:44Z",
            "labels": {"app": "web", "app.kubernetes.io/name": "web", "ünï": "çödé"},
            "annotations": {"a": "1", "limit": "10Gi", "cidr": "10.0.0.0/8"},
        },
        "spec": {
            "hostNetwork": false, "replicas": 3, "priority": -5, "ratio": 0.5, "big": 9_007_199_254_740_993_i64, "nothing": null,
            "containers": [
                {"name": "main", "image": "registry.k8s.io/pause:3.9", "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 8443}],
                 "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}, "securityContext": {"privileged": true}},
                {"name": "side", "image": "nginx", "command": ["sh", "-c", "sleep 1"], "resources": {}},
            ],
            "tolerations": [], "nodeSelector": {}, "flags": [true, false, null, 1, 2.5, "x", [1], {"a": 1}],
        },
        "status": {"phase": "Running", "podIP": "10.1.2.3"},
    })
}

fn small() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": []}})
}

fn odd() -> Value {
    json!({
        "name": "p", "items": [1, 2.0, "3", -4, 1e300], "same": [2, 2, 2], "words": ["a", "b", "a"], "pairs": {"1": 1, "b": {"c": [0]}},
        "zero": 0, "negative": -9_223_372_036_854_775_808_i64, "float": 1.0, "text": "日本", "empty": "", "none": null, "yes": true,
        "list": [[1, 2], [3]], "maps": [{"a": 1, "b": "x"}, {"a": 2}],
    })
}

fn request() -> Value {
    json!({
        "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "web-0", "namespace": "shop", "operation": "CREATE", "dryRun": false,
        "userInfo": {"username": "jane", "groups": ["dev", "system:authenticated"], "extra": {"scopes": ["a", "b"]}},
        "options": {"kind": "CreateOptions"},
    })
}

fn namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"env": "prod", "a": "b"}}})
}

fn walk(path: &str, value: &Value, paths: &mut Vec<(String, Kind)>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "list(dyn)",
        Value::Object(_) => "map(string,dyn)",
    };
    paths.push((path.to_owned(), Kind::read(kind)));
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(&format!("{path}[{index}]"), item, paths));
        }
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let plain = key.starts_with(|first: char| first.is_ascii_alphabetic())
                && key.chars().all(|c| c.is_ascii_alphanumeric());
            let next = if plain { format!("{path}.{key}") } else { format!("{path}['{key}']") };
            walk(&next, value, paths);
        }),
        _ => {}
    }
}
