//! Label selectors (`metav1.LabelSelector`), and the syntax of labels.

use std::fmt;

use super::check::{self, Problem, Problems};
use super::raw::RawLabelSelector;
use crate::json::Node;

/// Conditions on labels, all of which must hold. The empty one holds for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

/// A condition on the label `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `app.kubernetes.io/name`
    pub key: String,
    /// What must be true of its value.
    pub test: Test,
}

/// The four operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The label is there, with one of these values.
    In(Vec<String>),
    /// The label is not there, or has another value.
    NotIn(Vec<String>),
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

impl LabelSelector {
    /// All of these.
    pub fn new(requirements: Vec<Requirement>) -> Self {
        Self(requirements)
    }

    /// The checked form.
    ///
    /// # Errors
    /// All that the API server would refuse.
    pub fn read(raw: &RawLabelSelector) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let selector = check::selector(raw, "", &mut problems);
        problems.none_or(selector)
    }

    /// Whether it holds for everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the document: first matchLabels by key, then matchExpressions.
    pub fn requirements(&self) -> &[Requirement] {
        &self.0
    }

    /// The position of the first requirement that the labels do not satisfy; None if they satisfy all. `labels` is a map
    /// of strings. As upstream reads it (apimachinery, `NestedNullCoercingStringMap`), null is the empty text, and with any
    /// other value in it there are no labels at all.
    pub fn unmet(&self, labels: Node<'_>) -> Option<usize> {
        let is_text = |(_, value): &(&str, Node<'_>)| value.is_null() || value.as_str().is_some();
        let labels = labels.as_map().filter(|labels| labels.entries().iter().all(is_text));
        let value =
            |key: &str| labels.and_then(|labels| labels.get(key)).map(|value| value.as_str().unwrap_or_default());
        self.0.iter().position(|requirement| !requirement.is_met(value(&requirement.key)))
    }
}

impl Requirement {
    fn is_met(&self, value: Option<&str>) -> bool {
        let is_among = |values: &[String]| value.is_some_and(|value| values.iter().any(|known| known == value));
        match &self.test {
            Test::In(values) => is_among(values),
            Test::NotIn(values) => !is_among(values),
            Test::Exists => value.is_some(),
            Test::DoesNotExist => value.is_none(),
        }
    }
}

/// As `kubectl -l` writes it: `app in (web)`, `!canary`.
impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.test {
            Test::In(values) => write!(formatter, "{key} in ({})", values.join(",")),
            Test::NotIn(values) => write!(formatter, "{key} notin ({})", values.join(",")),
            Test::Exists => formatter.write_str(key),
            Test::DoesNotExist => write!(formatter, "!{key}"),
        }
    }
}
