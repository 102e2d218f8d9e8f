//! The `admittance` command.
fn main() {}
