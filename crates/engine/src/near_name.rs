//! The name that was probably meant.

use strsim::{damerau_levenshtein, normalized_damerau_levenshtein};

/// How many accepted names a message lists when none is near.
const LISTED: usize = 12;

/// Of the names that are accepted, the one that looks most like `wrong`, if any looks much like it.
pub(crate) fn nearest<'a>(wrong: &str, accepted: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wrong.chars().count() / 3).max(1);
    let folded = fold(wrong);
    accepted
        .into_iter()
        .filter(|name| {
            let name = fold(name);
            // Of short words a single letter makes another word: half of it at least must stay.
            damerau_levenshtein(&folded, &name) <= allowed && normalized_damerau_levenshtein(&folded, &name) > 0.5
                || name == folded
        })
        .max_by(|one, other| closeness(wrong, one).total_cmp(&closeness(wrong, other)))
}

/// `, did you mean …?` or `, expected one of …`: what follows the name of something unknown.
pub(crate) fn hint<'a>(wrong: &str, accepted: impl IntoIterator<Item = &'a str>) -> String {
    let accepted: Vec<&str> = accepted.into_iter().collect();
    match nearest(wrong, accepted.iter().copied()) {
        Some(name) => format!(", did you mean `{name}`?"),
        None if accepted.is_empty() => ", no field is accepted here".to_owned(),
        None => format!(", expected {}", one_of(&accepted)),
    }
}

/// `` `a` ``, or `` one of `a`, `b` ``; of many only the first.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    match names.len() {
        1 => quoted.concat(),
        count if count > LISTED => format!("one of {} and {} more", quoted.join(", "), count - LISTED),
        _ => format!("one of {}", quoted.join(", ")),
    }
}

fn closeness(one: &str, other: &str) -> f64 {
    normalized_damerau_levenshtein(one, other)
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typing_errors_and_other_cases_but_no_other_words() {
        let fields = ["settings", "module", "failurePolicy", "order", "match"];
        assert_eq!(nearest("setings", fields), Some("settings"));
        assert_eq!(nearest("mdoule", fields), Some("module"));
        assert_eq!(nearest("failure_policy", fields), Some("failurePolicy"));
        assert_eq!(nearest("FailurePolicy", fields), Some("failurePolicy"));
        assert_eq!(nearest("spec", fields), None);
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("", fields), None);
        assert_eq!(hint("x", ["a", "b"]), ", expected one of `a`, `b`");
        assert_eq!(hint("x", []), ", no field is accepted here");
    }
}
