//! Paths of the node, compared part by part.

use super::AllowedPath;
use crate::modules::validate::accepted::accepted;
use crate::rule::SettingsError;
use crate::twin;

/// What may be mounted.
#[derive(Debug)]
pub(super) struct Rules {
    /// The longest first.
    rules: Vec<Rule>,
    /// The end of messages.
    accepted: String,
}

/// What holds for everything under a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    parts: Vec<String>,
    /// Whether every mount must be read-only.
    pub(super) read_only: bool,
}

impl Rules {
    /// Checked rules.
    ///
    /// # Errors
    /// Paths under which nothing lies, and paths that are named twice.
    pub(super) fn new(allowed: &[AllowedPath]) -> Result<Self, Vec<SettingsError>> {
        let (mut rules, mut errors) = (Vec::<Rule>::new(), vec![]);
        for (position, AllowedPath { path, read_only }) in allowed.iter().enumerate() {
            let mut refuse = |message: String| {
                errors.push(SettingsError { pointer: format!("/allowed/{position}/path"), message });
            };
            match parts(path) {
                None => {
                    refuse(format!("{path:?} is no path of a node: expected one such as \"/var/log\", without `..`"));
                }
                Some(read) => {
                    let parts: Vec<String> = read.map(str::to_owned).collect();
                    if rules.iter().any(|rule| rule.parts == parts) {
                        refuse(format!("{path:?} is named twice: leave one of the two"));
                    }
                    rules.push(Rule { parts, read_only: *read_only });
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let texts: Vec<String> = rules.iter().map(Rule::text).collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.parts.len()));
        Ok(Self { rules, accepted: accepted(&texts) })
    }

    /// The rule for a path; None if it is not allowed.
    pub(super) fn of(&self, path: &str) -> Option<&Rule> {
        let found = parts(path)?;
        self.rules.iter().find(|rule| {
            let mut found = found.clone();
            rule.parts.iter().all(|wanted| found.next() == Some(wanted))
        })
    }

    /// Regular expressions of the paths for which each rule holds, and whether it says read-only; the longest first.
    pub(super) fn patterns(&self) -> Vec<(String, bool)> {
        let between = "/(?:[.]?/)*";
        let pattern = |rule: &Rule| {
            let parts = rule.parts.iter().map(|part| format!("{between}{}", twin::escaped_text(part)));
            format!("{}(?:/.*)?", parts.collect::<String>())
        };
        self.rules.iter().map(|rule| (pattern(rule), rule.read_only)).collect()
    }

    /// What is allowed, for messages.
    pub(super) fn accepted(&self) -> &str {
        &self.accepted
    }
}

impl Rule {
    fn text(&self) -> String {
        format!("/{}{}", self.parts.join("/"), if self.read_only { " (read-only)" } else { "" })
    }
}

/// The names on the way to a path; None if it is not absolute, or leads back up.
fn parts(path: &str) -> Option<impl Iterator<Item = &str> + Clone> {
    let is_plain = path.starts_with('/') && !path.contains('\\') && path.split('/').all(|part| part != "..");
    is_plain.then(|| path.split('/').filter(|part| !matches!(*part, "" | ".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[(&str, bool)]) -> Result<Rules, Vec<SettingsError>> {
        let allowed: Vec<AllowedPath> =
            allowed.iter().map(|&(path, read_only)| AllowedPath { path: path.to_owned(), read_only }).collect();
        Rules::new(&allowed)
    }

    #[test]
    fn compares_paths_part_by_part() {
        let rules = rules(&[("/var//log/", true), ("/data/./a", false)]).unwrap();
        assert_eq!(rules.accepted(), "allowed: /var/log (read-only), /data/a");
        for path in ["/var/log", "/var/log/", "//var/./log//pods/", "/data/a", "/data/a/b"] {
            assert!(rules.of(path).is_some(), "{path}");
        }
        for path in [
            "",
            "/",
            "/var",
            "/var/logs",
            "var/log",
            "/var/log/../lib",
            "/var/log/..",
            "/var/log\\..\\lib",
            "C:\\",
            "/data",
        ] {
            assert!(rules.of(path).is_none(), "{path}");
        }
    }

    #[test]
    fn decides_by_the_longest_path() {
        let rules = rules(&[("/", true), ("/var/log", false), ("/var/log/audit", true)]).unwrap();
        for (path, read_only) in [("/etc", true), ("/", true), ("/var/log/pods", false), ("/var/log/audit/a", true)] {
            assert_eq!(rules.of(path).unwrap().read_only, read_only, "{path}");
        }
    }

    #[test]
    fn rejects_paths_under_which_nothing_lies() {
        let errors = rules(&[("/var/log", true), ("var", true), ("/a/../b", true), ("/var/log/", false)]).unwrap_err();
        let expected = |position: usize, message: &str| SettingsError {
            pointer: format!("/allowed/{position}/path"),
            message: message.to_owned(),
        };
        let path =
            |text: &str| format!("{text:?} is no path of a node: expected one such as \"/var/log\", without `..`");
        assert_eq!(
            errors,
            [
                expected(1, &path("var")),
                expected(2, &path("/a/../b")),
                expected(3, "\"/var/log/\" is named twice: leave one of the two")
            ]
        );
    }
}
