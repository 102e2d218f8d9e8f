//! Classes of characters that have names (regexp/syntax/perl_groups.go, and parse.go for those of Unicode).

use super::runes::{MAX, Runes};
use super::tables::{ALIASES, CATEGORIES, FOLD_CATEGORIES, FOLD_SCRIPTS, Range, SCRIPTS};

/// `\d`, `\s`, `\w` and the like: whether it is negated, and the characters.
pub(super) fn perl(letter: u8) -> Option<(bool, Runes)> {
    let ranges: &[(u8, u8)] = match letter.to_ascii_lowercase() {
        b'd' => &[(b'0', b'9')],
        b's' => &[(b'\t', b'\n'), (0x0c, b'\r'), (b' ', b' ')],
        b'w' => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
        _ => return None,
    };
    Some((letter.is_ascii_uppercase(), runes(ranges)))
}

/// `alnum` of `[:alnum:]`.
pub(super) fn posix(name: &str) -> Option<Runes> {
    let ranges: &[(u8, u8)] = match name {
        "alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        "alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        "ascii" => &[(0, 0x7f)],
        "blank" => &[(b'\t', b'\t'), (b' ', b' ')],
        "cntrl" => &[(0, 0x1f), (0x7f, 0x7f)],
        "digit" => &[(b'0', b'9')],
        "graph" => &[(b'!', b'~')],
        "lower" => &[(b'a', b'z')],
        "print" => &[(b' ', b'~')],
        "punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        "space" => &[(b'\t', b'\r'), (b' ', b' ')],
        "upper" => &[(b'A', b'Z')],
        "word" => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
        "xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    };
    Some(runes(ranges))
}

fn runes(ranges: &[(u8, u8)]) -> Runes {
    Runes(ranges.iter().map(|&(low, high)| (low.into(), high.into())).collect())
}

/// What a name between the braces of `\p{…}` means.
pub(super) struct UnicodeClass {
    /// The characters.
    pub(super) table: &'static [Range],
    /// What is added where case does not count; None: nothing is.
    pub(super) fold: Option<&'static [Range]>,
    /// Whether the table holds what is not meant.
    pub(super) is_negated: bool,
}

static ANY: [Range; 1] = [(0, MAX, 1)];
static ASCII: [Range; 1] = [(0, 0x7f, 1)];
/// The long s folds to s, the Kelvin sign to k.
static ASCII_FOLD: [Range; 3] = [(0, 0x7f, 1), (0x17f, 0x17f, 1), (0x212a, 0x212a, 1)];

/// The class of a category (`L`, `Lu`, `letter`), a script (`Greek`), `any`, `assigned` or `ascii`, however it is written.
pub(super) fn unicode(name: &str) -> Option<UnicodeClass> {
    let name = canonical(name);
    let class = |table, fold| Some(UnicodeClass { table, fold, is_negated: false });
    match name.as_str() {
        "Any" => return class(&ANY, Some(&ANY)),
        "Assigned" => {
            let unassigned = find(CATEGORIES, "Cn")?;
            return Some(UnicodeClass { table: unassigned, fold: Some(unassigned), is_negated: true });
        }
        "Ascii" => return class(&ASCII, Some(&ASCII_FOLD)),
        "Lc" => return class(find(CATEGORIES, "LC")?, find(FOLD_CATEGORIES, "LC")),
        _ => {}
    }
    if let Some(table) = find(CATEGORIES, &name) {
        return class(table, find(FOLD_CATEGORIES, &name));
    }
    if let Some(table) = find(SCRIPTS, &name) {
        return class(table, find(FOLD_SCRIPTS, &name));
    }
    let actual = find(ALIASES, &name)?;
    class(find(CATEGORIES, actual)?, find(FOLD_CATEGORIES, actual))
}

/// Whether Go prints the character as it is (`unicode.IsPrint`): letters, marks, numbers, punctuation, symbols, the blank.
pub(super) fn is_printable(rune: char) -> bool {
    if rune.is_ascii() {
        return (' '..='~').contains(&rune);
    }
    let rune = u32::from(rune);
    let holds = |table: &[Range]| {
        let position = table.partition_point(|(_, high, _)| *high < rune);
        table.get(position).is_some_and(|(low, _, stride)| *low <= rune && (rune - low).is_multiple_of(*stride))
    };
    ["L", "M", "N", "P", "S"].into_iter().filter_map(|name| find(CATEGORIES, name)).any(holds)
}

/// Without `_`, `-` and blanks, in lower case but for the first letter.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for letter in name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')) {
        canonical.push(if canonical.is_empty() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() });
    }
    canonical
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table
        .binary_search_by_key(&name, |(key, _)| key)
        .ok()
        .and_then(|position| table.get(position))
        .map(|(_, value)| *value)
}
