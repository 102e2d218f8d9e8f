//! What can be seen of the server: logs, metrics, and the one call that feeds both.

mod log_writer;
pub mod logs;
pub mod metrics;
mod namespace_groups;
mod observe;
mod traces;

pub use log_writer::LogGuard;
pub use metrics::Metrics;
pub use namespace_groups::{NamespaceGroup, NamespaceGroups};
pub(crate) use observe::route_label;
pub use observe::{Observation, observe};
pub use traces::{TraceParent, Traced, Traces};
