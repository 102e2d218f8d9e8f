//! The serving side: from a listening socket to a request and its answer, whatever is served.
//!
//! In the order in which a request meets them:
//!
//! | module | subject |
//! |---|---|
//! | [`stage`] | serving, draining, finishing: how a server ends without failing a request |
//! | [`tls`] | the settings of TLS |
//! | [`connection`] | the accept loop of one listener, with or without TLS, and its bounds |
//! | `stream` | one connection's socket: the deadlines between requests, and the end that lets an answer arrive |
//! | [`exchange`] | one request and its answer: what is in flight, and when an answer says `Connection: close` |
//! | `timeout` | how long a request may take |
//! | [`body`] | a request's body, collected within a size, a deadline and a budget shared by all |
//! | `arenas` | memory for reviews, kept warm |
//! | [`explain`] | why requests were decided as they were, for those who ask later |
//! | `problem` | requests that no policy judges |
//! | [`handler`] | one request for admission: from its body to the bytes of its answer |
//! | `units` | one request about a ConfigMap with policies: what is broken is refused when somebody applies it |
//! | `steady` | since when the mutating policies are the same: only then is an object held against them |
//! | [`reach`] | whether the API server sends what the policies are for |
//! | [`twins`] | whether what it refuses by itself is what the policies refuse |
//! | [`pages`] | which path leads where: admission, probes, metrics, what is loaded |
//! | `config` | what the server is told, and why it does not start |
//! | `handshake` | the server's first client is itself |
//! | `watching` | what a server in a cluster watches and keeps beside answering |
//! | `running` | the server as a whole: two listeners, the files it watches, its end |

mod arenas;
pub mod body;
mod config;
pub mod connection;
pub mod exchange;
pub mod explain;
pub mod handler;
pub mod pages;
pub mod reach;
pub mod twins;
mod handshake;
mod problem;
mod running;
pub mod stage;
mod steady;
mod stream;
mod timeout;
pub mod tls;
mod units;
mod watching;

pub use config::{CertificateSource, Config, StartError};
pub use handler::Limits;
pub use running::run;
