//! What expressions of policies see: the environment that they are compiled in.

use std::sync::OnceLock;

use admittance_engine::cel::encoding::parse_type;
use admittance_engine::cel::environment::Environment;
use admittance_engine::cel::program::Composition;
use admittance_engine::expression::declarations::{Declarations, policy_environment};

/// Names, their types, and their values.
pub const DECLARED: [(&str, &str, &str); 20] = [
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
