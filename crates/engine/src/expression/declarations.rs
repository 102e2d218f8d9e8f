//! The variables of a policy's expressions and their types (k8s.io/apiserver `pkg/admission/plugin/cel/compile.go`).

use crate::cel::environment::{Environment, Slot};
use crate::cel::types::Type;

/// `object`
pub const OBJECT: Slot = Slot(0);
/// `oldObject`
pub const OLD_OBJECT: Slot = Slot(1);
/// `namespaceObject`
pub const NAMESPACE_OBJECT: Slot = Slot(2);
/// `request`
pub const REQUEST: Slot = Slot(3);
/// `params`
pub const PARAMS: Slot = Slot(4);
/// `authorizer`
pub const AUTHORIZER: Slot = Slot(5);
/// `authorizer.requestResource`
pub const REQUEST_RESOURCE: Slot = Slot(6);
/// `variables`
pub const VARIABLES: Slot = Slot(7);

/// What an expression may name besides what every policy's may (`OptionalVariableDeclarations`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Declarations {
    /// `params`: the policy has a `paramKind`.
    pub params: bool,
    /// `authorizer` and `authorizer.requestResource`: in all but message expressions.
    pub authorizer: bool,
    /// `Object{}`, `JSONPatch{}` and `jsonpatch.escapeKey`: in mutations.
    pub mutation: bool,
}

/// The environment of a policy's expressions. Slots stand where the constants say, whatever is declared. The policy's own
/// variables are declared in it one by one, as they are compiled.
pub fn policy_environment(base: Environment, options: &Declarations) -> Environment {
    let mut environment = if options.mutation { base.with_mutation_types() } else { base };
    declare_request_types(&mut environment);
    declare_namespace_types(&mut environment);
    let dynamic = Some(Type::Dyn);
    let authorizer = options.authorizer.then_some(Type::Opaque("kubernetes.authorization.Authorizer"));
    let resource = options.authorizer.then_some(Type::Opaque("kubernetes.authorization.ResourceCheck"));
    let variables = [
        (OBJECT, "object", dynamic.clone()),
        (OLD_OBJECT, "oldObject", dynamic.clone()),
        (NAMESPACE_OBJECT, "namespaceObject", Some(structure("kubernetes.Namespace"))),
        (REQUEST, "request", Some(structure("kubernetes.AdmissionRequest"))),
        (PARAMS, "params", dynamic.filter(|_| options.params)),
        (AUTHORIZER, "authorizer", authorizer),
        (REQUEST_RESOURCE, "authorizer.requestResource", resource),
    ];
    for (slot, name, ty) in variables {
        let taken = match ty {
            Some(ty) => environment.declare(name, ty),
            None => environment.reserve(),
        };
        debug_assert_eq!(taken, slot, "{name}: a policy's variables are the first of their environment");
    }
    environment.declare_policy_variables();
    environment
}

/// `BuildRequestType`. Without `uid`, `object` and `oldObject`.
fn declare_request_types(environment: &mut Environment) {
    let string = Type::String;
    let strings = Type::list(Type::String);
    let kind = structure("kubernetes.GroupVersionKind");
    let resource = structure("kubernetes.GroupVersionResource");
    let kind_fields = [("group", string.clone()), ("version", string.clone()), ("kind", string.clone())];
    declare(environment, "kubernetes.GroupVersionKind", kind_fields);
    let resource_fields = [("group", string.clone()), ("version", string.clone()), ("resource", string.clone())];
    declare(environment, "kubernetes.GroupVersionResource", resource_fields);
    let user = [
        ("username", string.clone()),
        ("uid", string.clone()),
        ("groups", strings.clone()),
        ("extra", Type::map(Type::String, strings)),
    ];
    declare(environment, "kubernetes.UserInfo", user);
    let request = [
        ("kind", kind.clone()),
        ("resource", resource.clone()),
        ("subResource", string.clone()),
        ("requestKind", kind),
        ("requestResource", resource),
        ("requestSubResource", string.clone()),
        ("name", string.clone()),
        ("namespace", string.clone()),
        ("operation", string),
        ("userInfo", structure("kubernetes.UserInfo")),
        ("dryRun", Type::Bool),
        ("options", Type::Dyn),
    ];
    declare(environment, "kubernetes.AdmissionRequest", request);
}

/// `BuildNamespaceType`. `UID` is spelled so there, though the key at run time is `uid`.
fn declare_namespace_types(environment: &mut Environment) {
    let string = Type::String;
    let strings = Type::list(Type::String);
    let map = Type::map(Type::String, Type::String);
    declare(environment, "kubernetes.NamespaceSpec", [("finalizers", strings.clone())]);
    let condition = [
        ("status", string.clone()),
        ("type", string.clone()),
        ("lastTransitionTime", Type::Timestamp),
        ("message", string.clone()),
        ("reason", string.clone()),
    ];
    declare(environment, "kubernetes.NamespaceCondition", condition);
    let conditions = Type::list(structure("kubernetes.NamespaceCondition"));
    declare(environment, "kubernetes.NamespaceStatus", [("conditions", conditions), ("phase", string.clone())]);
    let metadata = [
        ("name", string.clone()),
        ("generateName", string.clone()),
        ("namespace", string.clone()),
        ("labels", map.clone()),
        ("annotations", map),
        ("UID", string.clone()),
        ("creationTimestamp", Type::Timestamp),
        ("deletionGracePeriodSeconds", Type::Int),
        ("deletionTimestamp", Type::Timestamp),
        ("generation", Type::Int),
        ("resourceVersion", string),
        ("finalizers", strings),
    ];
    declare(environment, "kubernetes.NamespaceMetadata", metadata);
    let namespace = [
        ("metadata", structure("kubernetes.NamespaceMetadata")),
        ("spec", structure("kubernetes.NamespaceSpec")),
        ("status", structure("kubernetes.NamespaceStatus")),
    ];
    declare(environment, "kubernetes.Namespace", namespace);
}

fn declare<const N: usize>(environment: &mut Environment, name: &str, fields: [(&str, Type); N]) {
    environment.declare_struct(name, fields.map(|(field, ty)| (field.to_owned(), ty)).into());
}

fn structure(name: &str) -> Type {
    Type::Struct(name.into())
}
