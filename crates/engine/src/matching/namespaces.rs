//! Namespaces by name: the field `namespaces` of our Policy documents, which the API server's documents do not have.

use super::check::{Problem, Problems};
use super::glob::fits;
use super::outcome::Reason;
use super::raw::RawNamespaceGlobs;
use crate::review::Review;

/// Checked patterns of namespaces. The empty one lets every request through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceGlobs {
    include: Vec<String>,
    exclude: Vec<String>,
}

impl NamespaceGlobs {
    /// The checked form.
    ///
    /// # Errors
    /// Patterns that no namespace's name can fit, at their places.
    pub fn new(raw: &RawNamespaceGlobs) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let include = raw.include.clone().unwrap_or_default();
        let exclude = raw.exclude.clone().unwrap_or_default();
        for (field, patterns) in [("include", &include), ("exclude", &exclude)] {
            for (position, pattern) in patterns.iter().enumerate() {
                if !is_pattern(pattern) {
                    problems.add(
                        format!("/{field}/{position}"),
                        format!(
                            "{pattern:?} fits no namespace: a pattern is made of at most 63 lower-case letters, digits and `-`, \
                             with `*` for any text and `?` for one character"
                        ),
                    );
                }
            }
        }
        problems.none_or(Self { include, exclude })
    }

    /// The patterns of which one must fit; none where every namespace will do.
    pub fn included(&self) -> &[String] {
        &self.include
    }

    /// The patterns of which none may fit.
    pub fn excluded(&self) -> &[String] {
        &self.exclude
    }

    /// Whether the namespace of this request, or the Namespace that it is about, may pass. Other cluster-scoped objects
    /// always do.
    ///
    /// # Errors
    /// Which of the two lists keeps it out.
    pub fn check(&self, review: &Review<'_>) -> Result<(), Reason> {
        if self.include.is_empty() && self.exclude.is_empty() {
            return Ok(());
        }
        let is_namespace = review.resource.group.is_empty() && review.resource.resource == "namespaces";
        let name = if is_namespace { review.object_name() } else { review.namespace };
        if name.is_empty() {
            return Ok(());
        }
        if let Some(pattern) = self.exclude.iter().position(|pattern| fits(pattern, name)) {
            return Err(Reason::NamespaceExcluded(pattern));
        }
        if !self.include.is_empty() && !self.include.iter().any(|pattern| fits(pattern, name)) {
            return Err(Reason::NotIncluded);
        }
        Ok(())
    }
}

/// Whether some DNS label (RFC 1123) may fit.
pub fn is_pattern(pattern: &str) -> bool {
    let text = pattern.bytes().filter(|&byte| byte != b'*').count();
    !pattern.is_empty()
        && text <= 63
        && !pattern.starts_with('-')
        && !pattern.ends_with('-')
        && pattern.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'*' | b'?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(include: &[&str], exclude: &[&str]) -> Result<NamespaceGlobs, Vec<Problem>> {
        let owned = |patterns: &[&str]| Some(patterns.iter().map(ToString::to_string).collect());
        NamespaceGlobs::new(&RawNamespaceGlobs { include: owned(include), exclude: owned(exclude) })
    }

    #[test]
    fn rejects_what_no_namespace_is_called() {
        let problems = globs(&["shop", "Shop", ""], &["a.b", "-x", "x-", "sandbox-*"]).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/include/1", "/include/2", "/exclude/0", "/exclude/1", "/exclude/2"]);
        assert_eq!(
            problems.first().unwrap().message,
            "\"Shop\" fits no namespace: a pattern is made of at most 63 lower-case letters, digits and `-`, with `*` for \
             any text and `?` for one character"
        );
    }
}
