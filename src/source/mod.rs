//! Where policies come from, and how a change becomes active.
//!
//! [`directory`] reads files and sees when they change, [`config_maps`] watches a cluster's, [`loaded`] makes of both the set
//! that the server runs, with the [`last_good`] version of what is broken (or what `Prover` has not let pass); [`policies`] is the thread on which this happens.

mod read;
mod mounts;
mod prover;
pub mod last_good;
pub mod directory;
pub mod config_maps;
pub mod loaded;
pub mod policies;
pub mod starter;

pub(crate) use loaded::too_large_for_kubectl;
pub use loaded::{Active, Change, Loaded, UnitState, UnitStatus};
pub use prover::{Prover, Tests};
pub use read::{Read, Revision};
