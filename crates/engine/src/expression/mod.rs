//! Expressions of policies: what their names mean to the API server (k8s.io/apiserver, pkg/admission/plugin/cel).

pub mod declarations;
pub mod typed;
pub mod query;
pub mod mutation;
