//! The values of a query's variables.

use std::fmt;

use super::question::{Authorizing, Query, QueryError, VARIABLES};
use crate::cel::context::{Context, Host, Meter, NoHost, Question};
use crate::cel::encoding::decode;
use crate::cel::environment::Slot;
use crate::cel::value::{Authorizer, Decision, Opaque, Resource, Struct, Value};
use crate::deadline::Deadline;
use crate::expression::{declarations, typed};
use crate::json::{self, Arena, Node};

/// What the tagged values of a query may take, in bytes.
const MEMORY: usize = 64 << 20;

/// Values by slot, and who answers what is asked of the authorizer.
pub struct Bound<'a> {
    pub(super) values: Vec<Value<'a>>,
    /// Declared names that have no value.
    pub(super) unbound: Vec<(String, Slot)>,
    /// The value of the name `variables`, where it has one.
    pub(super) plain_variables: Option<Value<'a>>,
    pub(super) authorizer: Authorizing,
}

impl fmt::Debug for Bound<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Bound({})", self.values.len())
    }
}

/// What a policy that has no variables sees as `variables`.
const NO_VARIABLES: &Struct<'static> = &Struct { name: "kubernetes.variables", fields: &[] };

pub(super) fn bind<'a>(
    query: &Query<'a>,
    declared: &[(String, Slot)],
    arena: &'a Arena,
) -> Result<Bound<'a>, QueryError> {
    let mut trees = vec![];
    for (name, raw) in &query.vars {
        let tree = json::read(arena, raw.get()).map_err(|error| QueryError::new(format!("vars.{name}: {error}")))?;
        trees.push((&**name, tree));
    }
    let mut bound = bind_trees(&trees, declared, query.authorizer, arena)?;
    let meter = Meter::new(0, MEMORY, Deadline::never());
    let context = Context::new(arena, &meter, &NoHost);
    for (name, raw) in &query.values {
        let wrong = |error: &dyn fmt::Display| QueryError::new(format!("values.{name}: {error}"));
        let node = json::read(arena, raw.get()).map_err(|error| wrong(&error))?;
        let value = decode(node, &context).map_err(|error| wrong(&error))?;
        bound.name(name, value, declared);
    }
    Ok(bound)
}

pub(super) fn bind_trees<'a>(
    trees: &[(&str, Node<'a>)],
    declared: &[(String, Slot)],
    authorizing: Authorizing,
    arena: &'a Arena,
) -> Result<Bound<'a>, QueryError> {
    let mut bound =
        Bound { values: vec![], unbound: declared.to_vec(), plain_variables: None, authorizer: authorizing };
    bound.set(declarations::VARIABLES, Value::Struct(NO_VARIABLES));
    let mut request = Node::NULL;
    for &(name, tree) in trees {
        let wrong = |error: &dyn fmt::Display| QueryError::new(format!("vars.{name}: {error}"));
        let tree = match name {
            "request" => {
                request = typed::request(tree, arena).map_err(|error| wrong(&error))?;
                request
            }
            "namespaceObject" => typed::namespace(tree, arena).map_err(|error| wrong(&error))?,
            _ => tree,
        };
        bound.name(name, Value::of_node(tree), declared);
    }
    bound.set(declarations::AUTHORIZER, authorizer(Authorizer::Authorizer { service_account: None }, arena));
    bound.set(declarations::REQUEST_RESOURCE, authorizer(Authorizer::Resource(resource(request)), arena));
    Ok(bound)
}

/// Where the value of a name stands; nowhere for one that the expression cannot name.
fn slot(name: &str, declared: &[(String, Slot)]) -> Option<Slot> {
    declared.iter().find(|entry| entry.0 == name).map(|entry| entry.1).or_else(|| of_policies(name))
}

/// Where the values of names stand that every policy has. Those of the authorizer and of `variables` are not the query's.
fn of_policies(name: &str) -> Option<Slot> {
    Some(match name {
        "object" => declarations::OBJECT,
        "oldObject" => declarations::OLD_OBJECT,
        "namespaceObject" => declarations::NAMESPACE_OBJECT,
        "request" => declarations::REQUEST,
        "params" => declarations::PARAMS,
        _ => return None,
    })
}

fn authorizer<'a>(authorizer: Authorizer<'a>, arena: &'a Arena) -> Value<'a> {
    Value::Opaque(Opaque::Authorizer(arena.keep(authorizer)))
}

/// What the request is about, as `authorizer.requestResource` asks for it.
fn resource(request: Node<'_>) -> Resource<'_> {
    let resource = request.get("resource").unwrap_or_default();
    Resource {
        group: resource.str("group").unwrap_or_default(),
        resource: resource.str("resource").unwrap_or_default(),
        subresource: request.str("subResource").unwrap_or_default(),
        namespace: request.str("namespace").unwrap_or_default(),
        name: request.str("name").unwrap_or_default(),
        ..Resource::default()
    }
}

impl<'a> Bound<'a> {
    fn name(&mut self, name: &str, value: Value<'a>, declared: &[(String, Slot)]) {
        if name == VARIABLES {
            self.plain_variables = Some(value);
        }
        self.unbound.retain(|(unbound, _)| unbound != name);
        if let Some(slot) = slot(name, declared) {
            self.set(slot, value);
        }
    }

    fn set(&mut self, slot: Slot, value: Value<'a>) {
        let index = slot.0 as usize;
        if self.values.len() <= index {
            self.values.resize(index + 1, Value::Null);
        }
        if let Some(place) = self.values.get_mut(index) {
            *place = value;
        }
    }
}

/// Answers every question alike; the texts are those of `hack/oracle`.
impl Host for Authorizing {
    fn authorize<'a>(&self, _: &Question<'_>, _: &'a Arena) -> Option<Decision<'a>> {
        Some(match self {
            Self::Allow | Self::Undeclared => Decision { allowed: true, reason: "", error: None },
            Self::Deny => Decision { allowed: false, reason: "denied by the oracle", error: None },
            Self::Fail => Decision { allowed: false, reason: "", error: Some("the oracle's authorizer fails") },
        })
    }
}
