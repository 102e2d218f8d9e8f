//! Certificates of our own: a CA and a leaf in one Secret, which all replicas share, and the CA in the webhook
//! configurations, so that the API server trusts it.
//!
//! | module | subject |
//! |---|---|
//! | `root` | CA certificates, as clients trust them |
//! | `authority` | the CA with its key, and the leaves that it signs |
//! | `stored` | what is in the Secret |
//! | `live` | what the webhook configurations trust, and since when |
//! | `bundle` | what they are to trust |
//! | `plan` | what is to be done next, and when |
//! | `cluster` | the API server as all of this needs it |
//! | `keep` | looks, plans, does, until the process ends |

mod root;
mod authority;
mod stored;
mod live;
mod bundle;
mod plan;
mod cluster;
mod keep;

pub use keep::{Managed, keep};
