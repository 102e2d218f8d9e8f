//! Which parts of rules stand for which others: for whoever makes rules of rules, or holds some against others.

use std::fmt;

use super::rules::{Names, Operations, ResourcePattern, Scope};
use crate::review::Operation;

impl Names {
    /// Whether every name that `other` stands for is one of these.
    pub fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Only(_), Self::Any) => false,
            (Self::Only(_), Self::Only(names)) => names.iter().all(|name| self.has(name)),
        }
    }

    /// Whether some name is one of both.
    pub fn meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Only(names), other) => names.iter().any(|name| other.has(name)),
        }
    }

    /// The names, `*` for all.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Any => vec!["*"],
            Self::Only(names) => names.iter().map(String::as_str).collect(),
        }
    }
}

impl Operations {
    /// Each, in the order of the API's documentation.
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |operation| self.has(*operation))
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.iter().filter(|operation| other.has(*operation)).collect()
    }

    /// Those of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// Those that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        self.iter().filter(|operation| !other.has(*operation)).collect()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

impl ResourcePattern {
    /// Whether everything that `other` stands for is among what this one stands for.
    pub fn covers(&self, other: &Self) -> bool {
        let covers = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        covers(&self.resource, &other.resource) && covers(&self.subresource, &other.subresource)
    }

    /// Whether both stand for something.
    pub fn meets(&self, other: &Self) -> bool {
        let meets = |own: &Option<String>, other: &Option<String>| own.is_none() || other.is_none() || own == other;
        meets(&self.resource, &other.resource) && meets(&self.subresource, &other.subresource)
    }
}

/// As rules write it: `pods`, `pods/log`, `*/*`.
impl fmt::Display for ResourcePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        match self.subresource.as_deref() {
            Some("") => formatter.write_str(&text(&self.resource)),
            _ => write!(formatter, "{}/{}", text(&self.resource), text(&self.subresource)),
        }
    }
}

impl Scope {
    /// Whether every object of the other is one of this.
    pub fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }

    /// Whether an object may be of both.
    pub fn meets(self, other: Self) -> bool {
        self.covers(other) || other == Self::Any
    }

    /// As rules write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Cluster => "Cluster",
            Self::Namespaced => "Namespaced",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ResourcePattern {
        ResourcePattern::new(text)
    }

    #[test]
    fn a_pattern_covers_what_it_stands_for_whole() {
        for (wide, narrow, covers, meets) in [
            ("*/*", "pods/log", true, true),
            ("*/*", "*", true, true),
            ("pods/*", "pods", true, true),
            ("*", "pods", true, true),
            ("*", "pods/log", false, false),
            ("pods", "*", false, true),
            ("*/scale", "pods/*", false, true),
            ("pods", "services", false, false),
        ] {
            let (wide, narrow) = (pattern(wide), pattern(narrow));
            assert_eq!((wide.covers(&narrow), wide.meets(&narrow)), (covers, meets), "{wide} {narrow}");
        }
    }

    #[test]
    fn patterns_are_written_as_they_were_read() {
        for text in ["pods", "pods/log", "pods/*", "*", "*/scale", "*/*"] {
            assert_eq!(pattern(text).to_string(), text);
        }
    }

    #[test]
    fn operations_are_a_set() {
        let writes: Operations = [Operation::Update, Operation::Create].into_iter().collect();
        let texts = |operations: Operations| operations.iter().map(Operation::as_str).collect::<Vec<_>>();
        assert_eq!(texts(writes), ["CREATE", "UPDATE"]);
        assert_eq!(texts(Operations::ALL.without(writes)), ["DELETE", "CONNECT"]);
        assert_eq!(texts(Operations::ALL.and(writes)), ["CREATE", "UPDATE"]);
        assert!(writes.without(Operations::ALL).is_empty() && writes.or(Operations::ALL) == Operations::ALL);
    }
}
