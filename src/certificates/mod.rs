//! The certificate that the server presents: where it comes from, and how it is replaced while connections run.
//!
//! | module | subject |
//! |---|---|
//! | `certificate` | a chain with its key, checked |
//! | `presented` | what new handshakes get |
//! | `self_signed` | one made in memory |
//! | `files` | a pair of files, followed while they are rotated |
//! | `clients` | whose client certificates are accepted |
//! | [`managed`] | a CA and a leaf in a Secret, and what trusts them in the webhook configurations |

mod certificate;
mod presented;
mod self_signed;
mod files;
mod clients;
pub mod managed;

pub(crate) use certificate::provider;
pub use certificate::{Certificate, Flaw};
pub use clients::{ClientAuthorities, ClientAuthoritiesFile};
pub use files::{CertificateFiles, Change, FileError, POLL_EVERY};
pub use managed::Managed;
pub use presented::Presented;
pub use self_signed::{SelfSigned, SelfSignedError, self_signed};

#[cfg(test)]
mod tests;
