//! The containers that something is put into.

use crate::json::Node;
use crate::kubernetes::pod::ContainerList;
use crate::matching::glob;
use crate::modules::problem::problem;
use crate::rule::SettingsError;

/// Patterns of names, and whether init containers are among them.
#[derive(Debug)]
pub(super) struct Targets {
    /// All containers if there are none.
    names: Vec<String>,
    init: bool,
}

impl Targets {
    /// From the settings `containers` and `initContainers`.
    pub(super) fn read(names: Vec<String>, init: bool, errors: &mut Vec<SettingsError>) -> Self {
        let is_of_name =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'*' | b'?');
        for (position, name) in names.iter().enumerate() {
            if name.is_empty() || !name.bytes().all(is_of_name) {
                let message = format!(
                    "{name:?} fits no container: expected lower-case letters, digits and `-`, with `*` for any text"
                );
                errors.push(problem(format!("/containers/{position}"), message));
            }
        }
        Self { names, init }
    }

    /// Whether it is one of them.
    pub(super) fn include(&self, list: ContainerList, container: Node<'_>) -> bool {
        let name = container.str("name").unwrap_or_default();
        (self.init || list != ContainerList::Init)
            && (self.names.is_empty() || self.names.iter().any(|pattern| glob::fits(pattern, name)))
    }

    /// The lists, for the places that a module may write.
    pub(super) fn lists(&self) -> impl Iterator<Item = ContainerList> {
        let init = self.init;
        ContainerList::ALL.into_iter().filter(move |list| init || *list != ContainerList::Init)
    }
}
