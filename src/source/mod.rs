//! Where policies come from, and how a change becomes active.
//!
//! [`directory`] reads files and sees when they change, [`loaded`] keeps the last good version of each unit and makes the
//! set that the server runs.

pub mod directory;
pub mod loaded;
pub mod starter;

pub use loaded::{Active, Loaded, UnitState, UnitStatus};
