//! What expressions of policies are surrounded by (k8s.io/apiserver, pkg/admission/plugin/cel): the variables that are declared
//! in them, and what stands in these.

pub mod mutation;
pub mod typed;
