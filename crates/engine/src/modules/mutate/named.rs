//! Things of a pod's specification that stand in a list by their name: containers, volumes, environment variables.

use serde_json::Value;

use crate::json::edit::{self, Edited};
use crate::json::{Arena, Constant, Node};
use crate::modules::problem::problem;
use crate::rule::SettingsError;

/// Something with a name, as settings write it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) value: Constant,
}

impl Named {
    /// The value at `pointer`; a problem is reported if it has no name.
    pub(super) fn read(pointer: &str, value: Constant, errors: &mut Vec<SettingsError>) -> Self {
        let name = text_of(&value, "name").to_owned();
        if name.is_empty() {
            errors.push(problem(format!("{pointer}/name"), "it has no name: expected a map with at least `name`"));
        }
        Self { name, value }
    }

    /// The values of the list at `pointer`; two of one name are a problem.
    pub(super) fn read_all(pointer: &str, values: Vec<Constant>, errors: &mut Vec<SettingsError>) -> Vec<Self> {
        let mut all: Vec<Self> = vec![];
        for (position, value) in values.into_iter().enumerate() {
            let named = Self::read(&format!("{pointer}/{position}"), value, errors);
            if !named.name.is_empty() && all.iter().any(|other| other.name == named.name) {
                let message = format!("there are two of the name {:?}: leave one of them out", named.name);
                errors.push(problem(format!("{pointer}/{position}/name"), message));
            }
            all.push(named);
        }
        all
    }

    /// Whether an item of the list has this name.
    pub(super) fn is_in(&self, list: &[Node<'_>]) -> bool {
        list.iter().any(|other| other.str("name") == Some(&self.name))
    }
}

/// The string under a key of a map in settings; empty if there is none.
pub(super) fn text_of<'v>(value: &'v Constant, key: &str) -> &'v str {
    value.value().get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `holder` with those of `all` whose name the list under `field` lacks, at its end.
pub(super) fn add_missing<'a>(arena: &'a Arena, holder: Node<'a>, field: &str, all: &[Named]) -> Edited<'a> {
    let present = holder.items_of(field);
    let missing = all.iter().filter(|named| !named.is_in(present));
    missing
        .into_iter()
        .try_fold(holder, |holder, named| edit::append(arena, holder, &[field], named.value.build(arena)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_has_no_name_and_what_has_the_same() {
        let values = serde_json::json!([{"name": "a"}, {}, "b", {"name": 7}, {"name": "a"}]);
        let mut errors = vec![];
        Named::read_all("/env", serde_json::from_value(values).unwrap(), &mut errors);
        let nameless =
            |position| problem(format!("/env/{position}/name"), "it has no name: expected a map with at least `name`");
        assert_eq!(
            errors,
            [
                nameless(1),
                nameless(2),
                nameless(3),
                problem("/env/4/name", "there are two of the name \"a\": leave one of them out")
            ]
        );
    }
}
