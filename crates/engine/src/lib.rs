//! The engine of Admittance: everything that decides. No network, no clock but the deadline that it is given.
//!
//! Reading order is the order of the modules; each uses only what stands above it.

pub mod json;
pub mod kubernetes;
pub mod matching;
pub mod modules;
pub mod review;
pub mod rule;
pub mod verdict;

#[cfg(test)]
mod corpora;
