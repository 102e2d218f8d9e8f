//! Manifests judged without a cluster: what `admittance check` does between reading files and printing verdicts.
//!
//! 1. [`inputs`] finds the files, [`objects`] finds the objects in them: documents, items of lists, AdmissionReviews.
//! 2. [`request`] is what the command line says about the requests; the engine makes them; [`stored`] has the objects that
//!    UPDATE requests replace, [`namespaces`] answers what policies ask about Namespaces,
//!    [`known`] puts them together with the objects that policies take for parameters.
//! 3. [`judge`] runs the policies and carries their changes to the document as it was written.
//!
//! [`case_line`] is another way in: a request and all that belongs to it in one line.

pub mod inputs;
pub mod objects;
pub mod request;
pub mod stored;
pub mod namespaces;
pub mod known;
pub mod judge;
pub mod case_line;

pub use inputs::Input;
pub use judge::{Judge, Judged};
pub use objects::Manifest;
pub use request::Asked;
