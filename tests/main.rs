//! The tests from outside: one binary, a module a subject.

// The attribute is always true here; it tells clippy that these modules are tests.
#[cfg(test)]
mod binary;
#[cfg(test)]
mod case;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod definitions;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod e2e;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod explanations;
#[cfg(test)]
mod flags;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod http;
#[cfg(test)]
mod image;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod performance;
#[cfg(test)]
mod rbac;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod status;
#[cfg(test)]
mod suites;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod twins;
