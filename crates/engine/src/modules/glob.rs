//! Patterns of names: `*` is any text, `?` one character, everything else itself; the whole name must fit.

/// Whether `name` fits. Greedy, with one place to come back to: the last `*` is the only one that ever has to take more.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
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
