//! Patterns with the syntax, the meaning and the errors of Go's package regexp, run in linear time.
//!
//! Go's parser is followed to the letter, because it decides which patterns are refused and how; what it makes is run by
//! regex-automata, whose rule for which of several matches counts is Go's as well (leftmost, and of those the first).
//!
//! Reading order: `tables` are Unicode's, `runes` are sets of characters, `classes` those with names, `tree` is what
//! a pattern becomes, `stack` and `factor` build it, `parse` and `escape` read the text, `lower` hands the tree over
//! to the matcher.

mod classes;
mod escape;
mod factor;
mod lower;
mod parse;
mod runes;
mod stack;
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "generated")]
mod tables;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;

use regex_automata::meta;
use regex_automata::nfa::thompson::WhichCaptures;

/// Bytes that a compiled pattern may take, and as many again for each cache of a matcher. Go's limit is 128 MB; a larger
/// one here lets more patterns of the kind `\pL{500}` in, and makes the worst one slower to compile.
const COMPILED_BYTES: usize = 10 << 20;

/// The longest pattern that is looked at.
const PATTERN_BYTES: usize = 256 << 10;

/// The height from which a pattern is compiled on a stack of its own: regex-automata recurs over it, with up to 8 KiB a level.
const HIGH: usize = 50;

/// The bytes of that stack, enough for Go's limit of 1000 levels.
const LARGE_STACK: usize = 32 << 20;

/// A compiled pattern. Cheap to clone.
#[derive(Clone)]
pub struct Regex {
    matcher: meta::Regex,
}

/// Its Debug prints no pattern: it may come from an object.
impl fmt::Debug for Regex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Regex")
    }
}

impl Regex {
    /// Compiles a pattern as Go's `regexp.Compile` does.
    ///
    /// # Errors
    /// Go's text: ``error parsing regexp: missing closing ): `(a` ``. Patterns that need more memory than is allowed here
    /// are `expression too large`, also where Go takes them.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let failed = |what, place| Err(format!("error parsing regexp: {what}: `{place}`"));
        if pattern.len() > PATTERN_BYTES {
            return failed("expression too large", pattern);
        }
        let (mut tree, root) = match parse::parse(pattern) {
            Ok(parsed) => parsed,
            Err(failure) => return failed(failure.what, failure.place),
        };
        let config = meta::Config::new()
            .nfa_size_limit(Some(COMPILED_BYTES))
            .onepass_size_limit(Some(1 << 20))
            .hybrid_cache_capacity(2 << 20)
            .which_captures(WhichCaptures::Implicit);
        let height = tree.height(root, true);
        let compile = || meta::Regex::builder().configure(config).build_from_hir(&lower::lower(&tree, root)).ok();
        let compiled = if height < HIGH { Some(compile()) } else { on_large_stack(compile) };
        match compiled {
            Some(Some(matcher)) => Ok(Self { matcher }),
            Some(None) => failed("expression too large", pattern),
            None => failed("expression nests too deeply", pattern),
        }
    }

    /// Whether it matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }

    /// The first match.
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.matcher.find(text).and_then(|found| text.get(found.range()))
    }

    /// The matches that do not overlap, from left to right, `limit` at most. An empty one that touches the one before it does
    /// not count.
    pub fn find_all<'r, 't>(&'r self, text: &'t str, limit: usize) -> impl Iterator<Item = &'t str> + use<'r, 't> {
        self.matcher.find_iter(text).filter_map(|found| text.get(found.range())).take(limit)
    }
}

/// Whether Go prints the character as it is (`unicode.IsPrint`).
pub fn is_printable(character: char) -> bool {
    classes::is_printable(character)
}

/// Runs it on a thread with a large stack. None: there is no thread to be had.
fn on_large_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(LARGE_STACK).spawn_scoped(scope, run).ok()?;
        thread.join().ok()
    })
}
