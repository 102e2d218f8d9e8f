//! What Kubernetes' own kinds look like.

pub mod pod;
