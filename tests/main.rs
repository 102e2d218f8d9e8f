//! The integration tests: one binary, so that it is linked once.

// The attribute is always true here; it tells clippy that these modules are tests.
#[cfg(test)]
mod cli;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod tls;
