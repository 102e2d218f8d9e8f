//! What Kubernetes' own kinds look like.

pub mod names;
pub mod pod;
