//! Makes whole lines: policies, bindings, parameters and a request.

use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::expressions::Pool;
use super::policies::{self, Parameters};
use super::requests::{self, NAMESPACES};

pub(crate) struct Generator {
    pool: Pool,
}

impl Generator {
    pub(crate) fn new() -> Self {
        Self { pool: Pool::read(include_str!("expressions.txt")) }
    }

    pub(crate) fn line(&self, chance: &mut Chance) -> Value {
        let asked = requests::asked(chance);
        let parameters = Parameters::some(chance);
        let count = chance.pick(&[1, 1, 1, 2, 2, 3]);
        let mut made = Vec::new();
        let mut bindings = Vec::new();
        for index in 0..count {
            let name = if chance.percent(8) { "policy.example.com".to_owned() } else { format!("p{index}") };
            // What a patch makes of a Go struct is read back into one, which no webhook can foresee in its texts.
            let mutates = chance.percent(48) && !asked.is_typed;
            let policy = policies::policy(chance, &self.pool, &asked, &parameters, (&name, mutates));
            for binding in 0..chance.pick(&[1, 1, 1, 1, 2, 2, 3, 0]) {
                let binding = format!("b{index}{binding}");
                bindings.push(policies::binding(chance, &parameters, &asked, &policy, &binding));
            }
            made.push(policy);
        }
        let mut line = Map::new();
        let mut add = |key: &str, value: Value| line.insert(key.to_owned(), value);
        add("policies", made.into());
        add("bindings", bindings.into());
        if !parameters.objects.is_empty() {
            add("params", parameters.objects.clone().into());
        }
        if let Some(scope) = parameters.scope {
            add("paramScope", scope.into());
        }
        let stored = &asked.request["oldObject"]["metadata"];
        match chance.below(4) {
            _ if asked.kind == "Namespace" && stored.is_object() => {
                drop(add("namespaceObject", json!({ "metadata": stored })));
            }
            0 => {}
            1 => drop(add("namespaceObject", namespace(chance, asked.namespace))),
            _ => {
                let all = NAMESPACES.iter().filter(|_| !chance.percent(10)).copied().collect::<Vec<_>>();
                let all: Vec<Value> = all.into_iter().map(|name| namespace(chance, name)).collect();
                add("namespaces", all.into());
            }
        }
        if chance.percent(20) {
            add("authorizer", chance.pick(&["deny", "error", "allow"]).into());
        }
        if asked.is_typed {
            add("typed", true.into());
        }
        add("request", asked.request);
        line.into()
    }
}

fn namespace(chance: &mut Chance, name: &str) -> Value {
    let mut namespace = json!({ "metadata": { "name": name } });
    if chance.percent(80) {
        let labels = [
            json!({ "env": "prod" }),
            json!({ "env": "dev", "team": "a" }),
            json!({ "a.example.com/b": "", "env": "prod" }),
            json!({}),
        ];
        namespace["metadata"]["labels"] = chance.of(&labels).clone();
    }
    if chance.percent(20) {
        namespace["metadata"]["annotations"] = json!({ "owner": "jane" });
    }
    if chance.percent(20) {
        namespace["status"] = json!({ "phase": "Active" });
    }
    namespace
}
