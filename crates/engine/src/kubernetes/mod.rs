//! What is known of Kubernetes itself: its kinds, and the notations that its fields are written in.

pub mod image;
pub mod kinds;
pub mod label_selector;
pub mod lifetime;
pub mod list_keys;
pub mod names;
pub mod owner;
pub mod lifecycle;
pub mod network;
pub mod pod;
pub mod pull_policy;
pub mod security;
pub mod public_fields;
pub mod quantity;
pub mod resources;
pub mod defaults;
pub mod schema;
pub mod apply;
pub mod decoding;
