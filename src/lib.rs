//! Admittance: a Kubernetes admission webhook. This package is everything around the engine (`crates/engine`), which
//! decides; the engine's own map is in its `lib.rs`.
//!
//! ```text
//!  files ─▶ source (reads on change, last good version) ─▶ engine: unit::compile, set::link ─▶ Active set
//!                                                                                               │ swapped whole
//!  API server ─▶ server::connection ─▶ server::handler ─▶ engine: review, pipeline::admit, response ─▶ API server
//!                                            │
//!                                            ├─▶ cluster: what policies need to know, asked while the request waits
//!                                            ├─▶ telemetry::observe: one log line and the counters
//!                                            ├─▶ recording: what was judged, redacted, in files for `replay`
//!                                            ├─▶ evidence: what each policy did or would have done, kept over restarts
//!                                            └── certificates: files, or a CA and a leaf of our own in a Secret
//!
//!  replay: recordings, other reviews, audit logs ─▶ judged again by one set or two ─▶ what would be decided otherwise
//!
//!  doctor: a snapshot of a cluster ─▶ what could lock it, or leave things unchecked
//!
//!  suites: test suites of Kyverno's CLI and of gator ─▶ policies in Kubernetes' own form, and cases of PolicyTests
//!
//!  cli/coverage: policies, and what a cluster sends ─▶ engine: proof::routes ─▶ requests that go past them
//!
//!  cli: serve wires the above; check, modules and schema call the engine without a server:
//!  files ─▶ manifests (objects, the requests for them, verdicts) ─▶ output (text, JSON, diff) ─▶ people, pipelines
//! ```
//!
//! Reading order is the order of the modules.

pub mod telemetry;
pub mod cluster;
pub mod source;
pub mod recording;
pub mod evidence;
pub mod certificates;
pub mod server;
pub mod manifests;
pub mod replay;
pub mod doctor;
pub mod suites;
pub mod output;
pub mod cli;
