//! The Common Expression Language as Kubernetes runs it (cel-spec; cel-go 0.26 and k8s.io/apiserver 0.36). Knows nothing of
//! admission.
//!
//! Reading order is the order of the modules; each uses only what stands above it.
//!
//! ```text
//! text ─▶ syntax ─▶ Ast ─▶ check (environment: libraries by version, declared names) ─▶ program ─▶ Value or Error
//! ```

pub mod syntax;
pub mod types;
pub mod value;
pub mod constant;
pub mod error;
pub mod watch;
pub(crate) mod issues;
pub mod context;
pub mod function;
pub mod regex;
pub mod standard;
pub mod kubernetes;
pub mod environment;
pub mod check;
pub mod estimate;
pub mod program;
pub mod encoding;
