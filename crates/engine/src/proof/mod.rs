//! What is shown about policies before they enforce.

pub mod routes;
