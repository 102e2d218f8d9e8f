//! Fields of objects: `spec.containers[*].image`.

use std::fmt;

/// Steps from the root; `*` is every item of a list or every value of a map. The empty path is the whole object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// Reads a path as field paths are written; keys that are no names stand in brackets.
    pub fn parse(text: &str) -> Self {
        let (mut steps, mut rest) = (vec![], text);
        while !rest.is_empty() {
            if let Some((inner, after)) = rest.strip_prefix('[').and_then(|after| after.split_once(']')) {
                steps.push(inner.to_owned());
                rest = after;
                continue;
            }
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            // Without a key, what stands here is one to the end: it is no path that anybody writes.
            let (key, after) = if key.is_empty() { (rest, "") } else { (key, after) };
            steps.push(key.to_owned());
            rest = after;
        }
        Self(steps)
    }

    /// Whether it is the whole object.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// How many steps it has.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether it lies at or below another path.
    pub fn is_below(&self, above: &Self) -> bool {
        self.depth() >= above.depth() && self.meets(above)
    }

    /// Whether one of the two lies at or below the other.
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(left, right)| left == right || left == "*" || right == "*")
    }

    /// What of it lies below another path.
    pub fn strip(&self, above: &Self) -> Option<Self> {
        if !self.is_below(above) {
            return None;
        }
        Some(Self(self.0.get(above.depth()..)?.to_vec()))
    }

    /// A path below this one.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        Self(self.0.iter().chain(&below.0).cloned().collect())
    }
}

/// As it is written: the whole object is `the whole object`.
impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            return formatter.write_str("the whole object");
        }
        self.0.iter().enumerate().try_for_each(|(position, step)| {
            let is_name = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            match (is_name, position) {
                (true, 0) => formatter.write_str(step),
                (true, _) => write!(formatter, ".{step}"),
                (false, _) => write!(formatter, "[{step}]"),
            }
        })
    }
}
