//! The engine of Admittance.
