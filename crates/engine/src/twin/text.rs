//! Texts, lists and patterns as CEL writes them.

use std::fmt::Write as _;

/// A string literal. What begins a word of a twin is written as an escape.
pub(crate) fn quoted(text: &str) -> String {
    let mut literal = String::from("'");
    for char in text.chars() {
        match char {
            '\\' => literal.push_str("\\\\"),
            '\'' => literal.push_str("\\'"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '#' => literal.push_str("\\x23"),
            control if control.is_control() => {
                // Writing to a text does not fail.
                let _ = write!(literal, "\\u{:04x}", u32::from(control));
            }
            char => literal.push(char),
        }
    }
    literal.push('\'');
    literal
}

/// A list of string literals.
pub(crate) fn lists<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// Whether the text `value` matches as a whole; `pattern` is one of RE2.
pub(crate) fn whole(value: &str, pattern: &str) -> String {
    format!("{value}.matches({})", quoted(&format!(r"\A(?:{pattern})\z")))
}

/// Whether the text `value` fits one of the patterns of names (`*` is any text, `?` one character); none fits no text.
pub(crate) fn fits(value: &str, patterns: &[impl AsRef<str>]) -> String {
    if patterns.iter().any(|pattern| !pattern.as_ref().is_empty() && pattern.as_ref().bytes().all(|byte| byte == b'*'))
    {
        return "true".to_owned();
    }
    let has_signs = |pattern: &str| pattern.contains(['*', '?']);
    let (some, plain): (Vec<&str>, Vec<&str>) =
        patterns.iter().map(AsRef::as_ref).partition(|pattern| has_signs(pattern));
    let of_plain = (!plain.is_empty()).then(|| format!("({value} in {})", lists(&plain)));
    let of_some = (!some.is_empty()).then(|| {
        let parts: Vec<String> = some.iter().map(|pattern| expression_of(pattern)).collect();
        whole(value, &format!("(?s:{})", parts.join("|")))
    });
    match (of_plain, of_some) {
        (Some(plain), Some(some)) => format!("({plain} || {some})"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "false".to_owned(),
    }
}

/// A pattern of names as a regular expression.
pub(crate) fn expression_of(pattern: &str) -> String {
    let mut expression = String::new();
    for char in pattern.chars() {
        match char {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            char => expression.push_str(&escaped(char)),
        }
    }
    expression
}

/// Text as a regular expression that matches it alone.
pub(crate) fn escaped_text(text: &str) -> String {
    text.chars().map(escaped).collect()
}

fn escaped(char: char) -> String {
    if r"\.+*?()|[]{}^$".contains(char) { format!("\\{char}") } else { char.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_literals_that_hold_no_word_of_a_twin() {
        assert_eq!(quoted("it's a\\b\n#spec"), r"'it\'s a\\b\n\x23spec'");
        assert_eq!(lists(["a", "b"]), "['a', 'b']");
    }

    #[test]
    fn writes_patterns_of_names() {
        assert_eq!(fits("n", &[] as &[&str]), "false");
        assert_eq!(fits("n", &["a", "*"]), "true");
        assert_eq!(fits("n", &["a", "b"]), "(n in ['a', 'b'])");
        assert_eq!(fits("n", &["sandbox-*", "x.?"]), r"n.matches('\\A(?:(?s:sandbox-.*|x\\..))\\z')");
        assert_eq!(fits("n", &["a", "b*"]), r"((n in ['a']) || n.matches('\\A(?:(?s:b.*))\\z'))");
    }
}
