//! What policies have done so far, as evidence for what they would do: counted for each policy and namespace, bounded, kept
//! over restarts.
//!
//! | module | subject |
//! |---|---|
//! | [`sketch`] | about how many different things were seen, in a few bytes |
//! | [`tally`] | what one policy did in one namespace |
//! | [`book`] | all policies, each in the version that is active; adding, bounding, packing |
//! | [`counting`] | one decision counted, and what was counted gathered |
//! | `store` | where it is kept: a file, or a ConfigMap that all replicas share |
//! | [`keeper`] | reads it at the start, and writes it once a minute and at the end |
//! | [`page`] | the same as a page of the server |
//! | [`step`] | a policy one step further, in its author's text |

pub mod sketch;
pub mod tally;
pub mod book;
pub mod counting;
mod store;
pub mod keeper;
pub mod page;
pub mod step;

pub use counting::{Evidence, versions};
pub use keeper::Keeper;
pub use store::Store;

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
