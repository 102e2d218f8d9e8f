//! Admittance.
