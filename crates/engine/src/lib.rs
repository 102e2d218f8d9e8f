//! The engine of Admittance.

pub mod document;
