//! The end of messages that say what is allowed.

use std::fmt::{Display, Write as _};

/// `allowed: a, b`, or `none is`.
pub(super) fn accepted<T: Display>(allowed: &[T]) -> String {
    let mut text = String::new();
    for item in allowed {
        // Writing to a text does not fail.
        let _ = write!(text, "{}{item}", if text.is_empty() { "allowed: " } else { ", " });
    }
    if text.is_empty() { "none is".to_owned() } else { text }
}
