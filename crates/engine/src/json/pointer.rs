//! JSON pointers (RFC 6901): the names of places in a patch.

use std::borrow::Cow;

/// Appends one part, after its slash.
pub(super) fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    key.chars().for_each(|letter| match letter {
        '~' => pointer.push_str("~0"),
        '/' => pointer.push_str("~1"),
        _ => pointer.push(letter),
    });
}

/// Whether the text is empty or starts with a slash, and has no `~` but in `~0` and `~1`.
pub(super) fn is_pointer(text: &str) -> bool {
    let escaped = |(at, _): (usize, &str)| text.get(at + 1..).is_some_and(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && text.match_indices('~').all(escaped)
}

/// The decoded parts of a pointer, none for the root; None if it is no pointer.
pub(super) fn tokens(pointer: &str) -> Option<Vec<Cow<'_, str>>> {
    is_pointer(pointer).then(|| pointer.split('/').skip(1).map(decode).collect())
}

/// A token with its escapes replaced; `~` before anything else stands for itself.
pub(super) fn decode(token: &str) -> Cow<'_, str> {
    // `~1` first: `~01` is the two characters `~1`, not a slash (RFC 6901, section 4).
    if token.contains('~') { Cow::Owned(token.replace("~1", "/").replace("~0", "~")) } else { Cow::Borrowed(token) }
}

/// The pointer's first `count` parts.
pub(super) fn first(pointer: &str, count: usize) -> String {
    pointer.split('/').take(count + 1).collect::<Vec<_>>().join("/")
}

/// A position in a list: digits without leading zeros (RFC 6901, section 4).
pub(super) fn position(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if digits { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_it_wrote() {
        for key in ["", "a", "a/b", "~", "~1", "~01", "/~/", "ü", "0"] {
            let mut pointer = String::new();
            push_key(&mut pointer, key);
            push_key(&mut pointer, "x");
            assert_eq!(tokens(&pointer).unwrap(), [key, "x"], "{pointer}");
        }
        assert_eq!(tokens("").unwrap(), [""; 0]);
        assert_eq!(tokens("/").unwrap(), [""]);
    }

    #[test]
    fn rejects_what_is_no_pointer() {
        for text in ["a", "a/b", "~", "/~", "/a~2", "/~0~"] {
            assert_eq!(tokens(text), None, "{text}");
        }
    }

    #[test]
    fn accepts_positions_without_signs_and_leading_zeros() {
        let accepted = ["0", "1", "10", "18446744073709551615"].map(position);
        assert_eq!(accepted, [Some(0), Some(1), Some(10), Some(usize::MAX)]);
        for token in ["", "-", "-1", "+1", "01", "00", "1e0", " 1", "18446744073709551616"] {
            assert_eq!(position(token), None, "{token}");
        }
    }
}
