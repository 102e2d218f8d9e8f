//! Settings that are lists of patterns.

use crate::kubernetes::image::ImagePattern;
use crate::matching::namespaces::is_pattern;
use crate::rule::SettingsError;

/// The patterns of images in the setting at `pointer`.
///
/// # Errors
/// Each that no image can begin with.
pub(super) fn of_images(pointer: &str, texts: &[String]) -> Result<Vec<ImagePattern>, Vec<SettingsError>> {
    let (mut patterns, mut errors) = (vec![], vec![]);
    for (position, text) in texts.iter().enumerate() {
        match ImagePattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(message) => errors.push(SettingsError { pointer: format!("{pointer}/{position}"), message }),
        }
    }
    if errors.is_empty() { Ok(patterns) } else { Err(errors) }
}

/// What is wrong with the patterns of namespaces in the setting at `pointer`: each that no namespace can be called.
pub(super) fn of_namespaces<'t>(pointer: &'t str, texts: &'t [String]) -> impl Iterator<Item = SettingsError> + 't {
    texts.iter().enumerate().filter(|(_, text)| !is_pattern(text)).map(move |(position, text)| SettingsError {
        pointer: format!("{pointer}/{position}"),
        message: format!(
            "{text:?} fits no namespace: expected lower-case letters, digits and `-`, with `*` for any text and `?` for one \
             character"
        ),
    })
}
