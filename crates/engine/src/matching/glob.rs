//! Patterns of names: `*` is any text, `?` one character, everything else itself.

/// Whether the whole of `name` fits. Greedy, with one place to come back to: the last `*` is the only one that ever has
/// to take more.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.as_bytes(), name.as_bytes());
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([], []) => return true,
            ([b'*', rest @ ..], _) => {
                retry = Some((rest, name));
                pattern = rest;
            }
            ([wanted, wanted_rest @ ..], [found, found_rest @ ..]) if wanted == found || *wanted == b'?' => {
                (pattern, name) = (wanted_rest, found_rest);
            }
            _ => match retry {
                Some((after_star, [_, shorter @ ..])) => {
                    retry = Some((after_star, shorter));
                    (pattern, name) = (after_star, shorter);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fits_patterns_to_whole_names() {
        for (pattern, name, expected) in [
            ("shop", "shop", true),
            ("shop", "shops", false),
            ("sandbox-*", "sandbox-", true),
            ("sandbox-*", "sandbox", false),
            ("*", "a", true),
            ("*-dev", "team-a-dev", true),
            ("*-dev", "team-a-dev-2", false),
            ("team-?", "team-a", true),
            ("team-?", "team-", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("**?", "", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_definition(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            fn obvious(pattern: &[u8], name: &[u8]) -> bool {
                match pattern {
                    [] => name.is_empty(),
                    [b'*', rest @ ..] => (0..=name.len()).any(|skipped| obvious(rest, &name[skipped..])),
                    [first, rest @ ..] => {
                        !name.is_empty() && (*first == b'?' || *first == name[0]) && obvious(rest, &name[1..])
                    }
                }
            }
            prop_assert_eq!(fits(&pattern, &name), obvious(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
