//! Makes mutations.

use serde_json::{Value, json};

use super::chance::Chance;
use super::expressions::{Pool, Scope};

pub(crate) fn mutation(chance: &mut Chance, pool: &Pool, scope: &Scope) -> Value {
    let is_patch = chance.percent(50);
    let expression = match chance.below(100) {
        0..2 => pool.one(chance, scope, "wrong"),
        2..4 => pool.truth(chance, scope),
        4..7 => pool.one(chance, scope, if is_patch { "apply" } else { "patch" }),
        7..50 if is_patch => operations(chance, pool, scope),
        _ => pool.one(chance, scope, if is_patch { "patch" } else { "apply" }),
    };
    if is_patch {
        json!({ "patchType": "JSONPatch", "jsonPatch": { "expression": expression } })
    } else {
        json!({ "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": expression } })
    }
}

const PATHS: [&str; 26] = [
    "/metadata/labels",
    "/metadata/labels/app",
    "/metadata/labels/new",
    "/metadata/labels/a.example.com~1b",
    "/metadata/annotations",
    "/metadata/annotations/note",
    "/metadata/annotations/a~1b~0c",
    "/metadata/name",
    "/spec",
    "/spec/replicas",
    "/spec/containers/0",
    "/spec/containers/-",
    "/spec/containers/0/image",
    "/spec/containers/1/name",
    "/spec/containers/9",
    "/spec/containers/-1",
    "/spec/containers/01",
    "/spec/template/spec/containers/0/image",
    "/spec/template/metadata/labels/app",
    "/data/key",
    "/data",
    "/nope/nope",
    "nope",
    "",
    "/spec/tolerations/-",
    "/spec/",
];

const VALUES: [&str; 16] = [
    "'x'",
    "3",
    "2.5",
    "true",
    "null",
    "{'app': 'web'}",
    "{}",
    "[]",
    "['a', 'b']",
    "[{'name': 'c', 'image': 'nginx'}]",
    "{'name': 'side', 'image': 'side:1'}",
    "object.metadata",
    "object.spec",
    "string(size(object.metadata.name))",
    "Object.spec{replicas: 2}",
    "Object.metadata{labels: {'a': 'b'}}",
];

/// A list of operations.
fn operations(chance: &mut Chance, pool: &Pool, scope: &Scope) -> String {
    let mut all = Vec::new();
    for _ in 0..chance.pick(&[1, 1, 2, 3]) {
        let op = chance.pick(&["add", "add", "add", "remove", "replace", "test", "move", "copy"]);
        let mut fields = vec![format!("op: '{op}'"), format!("path: '{}'", chance.pick(&PATHS))];
        if matches!(op, "move" | "copy") || chance.percent(2) {
            fields.push(format!("from: '{}'", chance.pick(&PATHS)));
        }
        if !matches!(op, "move" | "copy" | "remove") && !chance.percent(3) || chance.percent(2) {
            let value =
                if chance.percent(30) { pool.one(chance, scope, "value") } else { chance.pick(&VALUES).to_owned() };
            fields.push(format!("value: {value}"));
        }
        all.push(format!("JSONPatch{{{}}}", fields.join(", ")));
    }
    let list = format!("[{}]", all.join(", "));
    match chance.below(8) {
        0 => format!("{} ? {list} : []", pool.one(chance, scope, "bool")),
        1 => format!("{} ? [] : {list}", pool.one(chance, scope, "bool")),
        _ => list,
    }
}
