//! The built binary behind a real API server.
//!
//! `hack/control-plane` starts the API server, [`webhook`] the binary as users start it, [`registration`] tells the one of
//! the other, [`api`] and kubectl ask. Each test has namespaces of its own, marked with a label that its webhooks select
//! by, so that all of them share one control plane. Tests that read a person's text run kubectl.
//!
//! They need `hack/control-plane/build` to have run, or KUBEBUILDER_ASSETS; where neither is so they fail, and say it. With
//! `ADMITTANCE_E2E=skip` they are left out, which each says on standard error; `require` is the default.
//!
//! Nothing is left behind, whatever becomes of the tests: the control plane and every server run beneath a shell that
//! ends them when the pipe to the tests breaks.

mod control_plane;
mod api;
mod webhook;
mod registration;

mod demo;
mod apply;
mod operations;
mod service;
mod reload;
mod outage;
mod limits;
mod lookups;
mod cases;
mod outcome;
mod asking;
mod objects;
mod native;
mod pod_security;
mod config_maps;
mod gate;
mod drift;
mod coverage;
mod rollout;
mod needs;
mod doctor;
mod certificates;
mod clients;
mod twins;
