//! Admittance.

pub mod server;
