//! Expressions of policies: what their names mean to the API server.

pub mod declarations;
