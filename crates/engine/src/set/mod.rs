//! All policies of all units, as the pipeline runs them.

mod link;
mod parameters;
mod policy_set;
mod reach;
mod rights;
mod sends;
mod versions;
mod webhook_rules;

pub use link::{apart, link, link_by_precedence, missing_parameters};
pub use parameters::Parameters;
pub use policy_set::PolicySet;
pub use reach::{Entries, Entry, Unreached, unreached};
pub use rights::{Right, declared, lookups, rights};
pub use webhook_rules::{WebhookRule, WebhookRules, webhook_rules};
