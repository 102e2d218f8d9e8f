//! Checks of modules said once more in CEL, so that the API server itself can make them while no webhook answers.
//!
//! A twin is text with a few words in it that begin with `#`; `export` replaces them by variables of the policy that it
//! writes, once for the object of the request and once for the stored one:
//!
//! | word | stands for |
//! |---|---|
//! | `#object` | the object that is judged: of a DELETE the stored one |
//! | `#pod` | the pod in it, or the template of pods; an empty map where there is none |
//! | `#spec` | that pod's spec; an empty map where there is none |
//! | `#containers` | a list of `{at, it}`: the place of each init, regular and ephemeral container, and the container |
//! | `#contexts` | a list of `{at, it, of}`: the security context of the pod, whose `of` is null, and that of each container `of` |
//!
//! The API server hands over objects of built-in kinds as their types have them: no null, no value of a wrong type, no
//! container without a name. Expressions rely on it; what they are evaluated on elsewhere fails instead of passing.

mod image;
mod text;

pub(crate) use image::{covered, pinned, readable};
pub(crate) use text::{escaped_text, expression_of, fits, lists, quoted, whole};

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

/// A validator's checks in CEL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CelTwin {
    /// What it looks for.
    pub checks: Vec<CelCheck>,
    /// What it sees otherwise than the module, as phrases: `takes …`.
    pub differs: Vec<Cow<'static, str>>,
}

/// One of the things that a validator looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CelCheck {
    /// CEL that makes a list of texts, one for each finding: its place, which a message may show; where several values at
    /// one place are different findings, a line break and the value follow, which no message shows.
    pub findings: String,
    /// What is said behind the places.
    pub message: String,
    /// Whether it judges the change, not what is stored: nothing is wrong with the stored object by itself.
    pub is_of_change: bool,
}

/// Why CEL cannot say what a module checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoTwin(pub Cow<'static, str>);

impl NoTwin {
    /// Nobody has written it yet.
    pub const UNWRITTEN: Self = Self(Cow::Borrowed("its check is not written in CEL"));
    /// A ValidatingAdmissionPolicy sees the request, the object and its namespace alone.
    pub const LOOKS_UP: Self =
        Self(Cow::Borrowed("it looks up other objects in the cluster, which a ValidatingAdmissionPolicy cannot"));
}

impl CelTwin {
    /// A twin that makes one check.
    pub(crate) fn of(findings: impl Into<String>, message: impl Into<String>) -> Self {
        Self::default().and(findings, message)
    }

    /// One more check.
    pub(crate) fn and(mut self, findings: impl Into<String>, message: impl Into<String>) -> Self {
        let (findings, message) = (findings.into(), message.into());
        self.checks.push(CelCheck { findings, message, is_of_change: false });
        self
    }

    /// The last check is of the change.
    pub(crate) fn of_change(mut self) -> Self {
        if let Some(check) = self.checks.last_mut() {
            check.is_of_change = true;
        }
        self
    }

    /// What it sees otherwise.
    pub(crate) fn differing(mut self, phrase: impl Into<Cow<'static, str>>) -> Self {
        self.differs.push(phrase.into());
        self
    }
}

/// Whether a pod says that it runs on Windows.
pub(crate) const IS_WINDOWS: &str = "#spec.?os.?name.orValue('') == 'windows'";

/// Places `SUFFIX` in the containers `c` for which CEL says so of `c.it`.
pub(crate) fn containers(is_wrong: &str, suffix: &str) -> String {
    format!("#containers.filter(c, {is_wrong}).map(c, c.at + {})", quoted(&format!(".{suffix}")))
}

/// The same, with the value there as CEL says it, a text.
pub(crate) fn containers_with(is_wrong: &str, suffix: &str, value: &str) -> String {
    format!("#containers.filter(c, {is_wrong}).map(c, c.at + {} + {value})", quoted(&format!(".{suffix}\n")))
}

/// The same of security contexts `c`, the pod's and those of containers.
pub(crate) fn contexts(is_wrong: &str, suffix: &str, value: &str) -> String {
    format!("#contexts.filter(c, {is_wrong}).map(c, c.at + {} + {value})", quoted(&format!(".{suffix}\n")))
}

/// All texts of the lists that `inner` makes for each `variable` of the list `outer`; none of them may be empty.
pub(crate) fn nested(outer: &str, variable: &str, inner: &str) -> String {
    // `flatten` is known to new expressions since Kubernetes 1.35 alone.
    format!("{outer}.map({variable}, ({inner}).join('\\t')).join('\\t').split('\\t').filter(f, f != '')")
}

/// The same for each `item` at `index`. Positions tell things apart that have no name.
pub(crate) fn nested_at(outer: &str, (index, item): (&str, &str), inner: &str) -> String {
    format!("{outer}.transformList({index}, {item}, ({inner}).join('\\t')).join('\\t').split('\\t').filter(f, f != '')")
}

/// One finding at `place`, where CEL says so.
pub(crate) fn one(is_wrong: &str, place: &str) -> String {
    format!("(({is_wrong}) ? [{}] : [])", quoted(place))
}

/// The same, with the value there, a text.
pub(crate) fn one_with(is_wrong: &str, place: &str, value: &str) -> String {
    format!("(({is_wrong}) ? [{} + {value}] : [])", quoted(&format!("{place}\n")))
}

/// What pods name as images, as the variable `i`, where CEL says so of it: of containers, then of volumes.
pub(crate) fn images(is_wrong: &str) -> String {
    let of = |image: &str| format!("[{image}].exists(i, i != '' && {is_wrong})");
    let of_volumes = format!(
        "#spec.?volumes.orValue([]).filter(v, {}).map(v, 'volumes[' + v.name + '].image.reference\\n' + v.image.reference)",
        of("v.?image.?reference.orValue('')")
    );
    let of_containers = containers_with(&of("c.it.?image.orValue('')"), "image", "c.it.image");
    format!("{of_containers} + {of_volumes}")
}

/// The name to match: the request's, else the object's.
pub(crate) const OBJECT_NAME: &str =
    "(request.?name.orValue('') != '' ? request.name : #object.?metadata.?name.orValue(''))";
/// The request's namespace.
pub(crate) const NAMESPACE: &str = "request.?namespace.orValue('')";
/// Whether it is about a Namespace itself.
pub(crate) const IS_NAMESPACE: &str = "(request.kind.group == '' && request.kind.kind == 'Namespace')";
/// Whether a controller made the object.
pub(crate) const IS_CONTROLLED: &str =
    "#object.?metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false))";

/// The same, of pods that are not for Windows.
pub(crate) fn unless_windows(findings: &str) -> String {
    format!("({IS_WINDOWS} ? [] : {findings})")
}

/// Whether the whole number that CEL says is in one of the ranges.
pub(crate) fn in_ranges<T: fmt::Display>(value: &str, ranges: &[RangeInclusive<T>]) -> String {
    let parts: Vec<String> =
        ranges.iter().map(|range| format!("{value} >= {} && {value} <= {}", range.start(), range.end())).collect();
    if parts.is_empty() { "false".to_owned() } else { format!("({})", parts.join(" || ")) }
}
