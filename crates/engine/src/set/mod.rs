//! All policies of all units, as the pipeline runs them.

mod link;
mod parameters;
mod policy_set;

pub use link::{link, link_by_precedence, missing_parameters};
pub use parameters::Parameters;
pub use policy_set::PolicySet;
