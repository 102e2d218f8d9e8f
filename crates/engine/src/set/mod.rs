//! All policies of all units, as the pipeline runs them.

mod link;
mod policy_set;

pub use link::link;
pub use policy_set::PolicySet;
