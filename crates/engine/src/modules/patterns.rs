//! Settings that are lists of patterns.

use crate::kubernetes::image::ImagePattern;
use crate::kubernetes::network::Network;
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
