//! What is known of Kubernetes itself: its kinds, and the notations that its fields are written in.

pub mod image;
pub mod kinds;
pub mod lifecycle;
pub mod list_keys;
pub mod names;
pub mod network;
pub mod pod;
pub mod quantity;
pub mod defaults;
pub mod schema;
pub mod apply;
pub mod decoding;
