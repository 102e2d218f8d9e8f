//! Saying what is wrong with a setting.

use crate::rule::SettingsError;

/// A problem with the setting at `pointer`, a JSON pointer below `settings`.
pub(super) fn problem(pointer: impl Into<String>, message: impl Into<String>) -> SettingsError {
    SettingsError { pointer: pointer.into(), message: message.into() }
}
