//! JSON as the engine holds it: an immutable tree in an arena, read once from the text of a review.
//!
//! Reading order: [`arena`] owns the memory, [`node`] is the view that everybody reads through, [`read`] builds it from
//! text, [`write`] prints it, [`constant`] keeps values that outlive a review (settings), [`path`] names a place in it,
//! [`edit`] makes a new tree of an old one.

pub mod arena;
pub mod constant;
pub mod edit;
pub mod merge_patch;
pub mod node;
pub mod patch;
pub mod path;
pub mod read;
pub mod write;

pub use arena::Arena;
pub use constant::Constant;
pub use edit::EditError;
pub use node::{List, Map, Node, View};
pub use path::{Path, PathBuf, Segment, SegmentBuf};
pub use read::{ReadError, read};
