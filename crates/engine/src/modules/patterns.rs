//! Settings that are lists of patterns.

use crate::kubernetes::image::{Image, ImagePattern};
use crate::kubernetes::network::Network;
use crate::kubernetes::pod::Pod;
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

/// Whether one of a pod's images begins with one of the patterns; of no pattern every pod does.
pub(super) fn mean_pod(patterns: &[ImagePattern], pod: &Pod<'_>) -> bool {
    let mut found = patterns.is_empty();
    if !found {
        pod.visit_images(|_, image| {
            let image = image.as_str().and_then(|image| Image::parse(image).ok());
            found |= image.is_some_and(|image| patterns.iter().any(|pattern| pattern.covers(&image)));
        });
    }
    found
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

/// What is wrong with the names of Secrets in the setting at `pointer`, or with the patterns of such names: each that no
/// Secret can have.
pub(super) fn of_secrets<'t>(
    pointer: &'t str,
    texts: &'t [String],
    are_patterns: bool,
) -> impl Iterator<Item = SettingsError> + 't {
    let is_part = move |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'-' | b'.')
            || (are_patterns && matches!(byte, b'*' | b'?'))
    };
    let wrong = move |text: &str| text.is_empty() || !text.bytes().all(is_part);
    texts.iter().enumerate().filter(move |(_, text)| wrong(text)).map(move |(position, text)| SettingsError {
        pointer: format!("{pointer}/{position}"),
        message: if are_patterns {
            format!("{text:?} fits no Secret: expected lower-case letters, digits, `-` and `.`, with `*` for any text")
        } else {
            format!("{text:?} is no name of a Secret: expected lower-case letters, digits, `-` and `.`")
        },
    })
}

/// The addresses and networks in the setting at `pointer`.
///
/// # Errors
/// Each that is none, or that could mean an address as well as a network.
pub(super) fn of_networks(pointer: &str, texts: &[String]) -> Result<Vec<Network>, Vec<SettingsError>> {
    let (mut networks, mut errors) = (vec![], vec![]);
    for (position, text) in texts.iter().enumerate() {
        let message = match Network::parse(text) {
            Some(network) if network.has_host_bits() => {
                format!("{text:?} has bits behind its prefix: write the network or the address")
            }
            Some(network) => {
                networks.push(network);
                continue;
            }
            None => format!(
                "{text:?} is no address and no network: expected one such as \"203.0.113.7\", \"203.0.113.0/28\" or \
                 \"2001:db8::/64\""
            ),
        };
        errors.push(SettingsError { pointer: format!("{pointer}/{position}"), message });
    }
    if errors.is_empty() { Ok(networks) } else { Err(errors) }
}
