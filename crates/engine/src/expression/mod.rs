//! Policies in CEL: what joins expressions and admission (k8s.io/apiserver, pkg/admission/plugin/cel and
//! plugin/policy/{validating,mutating}).
//!
//! [`declarations`] says which variables there are, [`typed`] and `request` what stands in them, `access` whom the
//! authorizer asks. A [`CelPolicy`] is a policy's expressions, compiled; `pass` evaluates some of them one after another
//! on one budget. `conditions`, `validate` and `mutate` make verdicts and changes of what they say, once for each of
//! the `parameters`.

pub mod declarations;
pub mod typed;
pub mod query;
pub mod mutation;
mod request;
mod access;
mod parameters;
mod policy;
mod listing;
mod mentions;
mod pass;
mod conditions;
mod validate;
mod mutate;
mod reads;

pub use conditions::Conditioned;
pub use mutate::PatchType;
pub use parameters::{ParamKind, ParamRef};
pub use policy::{CelPolicy, CompileError, Expressions, MutationText, Named, Role, ValidationText};
pub use validate::Bound;
