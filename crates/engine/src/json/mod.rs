//! JSON as the engine holds it: an immutable tree in an arena, read once from the text of a review.
//!
//! Reading order: [`arena`] owns the memory, [`node`] is the view that everybody reads through, [`mod@read`] builds it from
//! text, `redacted` stands in it for what nobody may see, [`mod@write`] prints it, [`constant`] keeps values that outlive a review (settings), [`path`] names a place in it,
//! [`edit`] makes a new tree of an old one, [`mod@diff`] says in the operations of a JSON [`patch`] what became of it, and
//! [`server_patch`] is the dialect of it that policies of the API server are written in,
//! [`mod@rebase`] carries a change to another form of the same document; [`merge_patch`] is the other standard way to write a
//! change.

pub mod arena;
pub mod constant;
pub mod diff;
pub mod edit;
pub mod merge_patch;
pub mod node;
pub mod patch;
pub mod server_patch;
pub mod path;
mod pointer;
pub mod read;
mod redacted;
pub mod rebase;
pub mod write;

pub use arena::Arena;
pub use constant::Constant;
pub use diff::diff;
pub use edit::EditError;
pub use node::{Entry, List, Map, Node, View};
pub use patch::{Operation, PatchError};
pub use path::{Path, PathBuf, Segment, SegmentBuf};
pub use read::{ReadError, read};
pub use rebase::rebase;
