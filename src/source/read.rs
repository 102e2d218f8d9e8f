//! What a source hands over.

use admittance_engine::document::Diagnostic;
use admittance_engine::unit::Unit;

/// A unit as it was found.
#[derive(Clone, Debug)]
pub enum Read {
    /// Its text.
    Unit(Unit, Revision),
    /// It could not be read: its name, and why.
    Unreadable(String, String, Revision),
    /// It is not UTF-8.
    Malformed(String, Box<Diagnostic>),
}

/// Which version of which object a unit is; a file has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// `metadata.uid`: an object that was made anew is another one, whatever it is called.
    pub uid: String,
    /// `metadata.resourceVersion`, a number that grows (KEP-5504); 0 where it is none.
    pub version: u64,
}

impl Read {
    /// The unit's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Unit(unit, _) => &unit.name,
            Self::Unreadable(name, ..) | Self::Malformed(name, _) => name,
        }
    }

    /// Its version.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Unit(_, revision) | Self::Unreadable(_, _, revision) => revision.clone(),
            Self::Malformed(..) => Revision::default(),
        }
    }
}
