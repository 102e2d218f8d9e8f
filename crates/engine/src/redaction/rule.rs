//! What somebody configures to be redacted: `[GROUP/]KIND:PATH`.

use std::fmt;
use std::str::FromStr;

use crate::kubernetes::pod;

/// A path in the objects of a kind.
///
/// `KIND` is a kind such as `Pod`, with its group where that is not the core's (`apps/Deployment`), or `*` for every object.
/// `PATH` is made of names with dots between them; `*` is any key of a map, `[*]` any item of a list, and a key that is not
/// only letters, digits, `-` and `_` stands in brackets, as Kubernetes prints it: `metadata.annotations[example.com/token]`.
/// A path in a Pod holds for the pod templates of workloads, too.
///
/// ```
/// use admittance_engine::redaction::Rule;
///
/// assert!("Pod:spec.containers[*].env[*].value".parse::<Rule>().is_ok());
/// assert!("cert-manager.io/Issuer:spec.acme".parse::<Rule>().is_ok());
/// assert_eq!("Pod".parse::<Rule>().unwrap_err().to_string(), "expected [GROUP/]KIND:PATH, as Pod:spec.containers[*].env[*].value");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    group: String,
    kind: String,
    path: Vec<Step>,
}

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To what a map has under this key.
    Key(String),
    /// To what a map has under any key.
    AnyKey,
    /// To any item of a list.
    AnyItem,
}

/// Why a text is no [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// It is not of two parts.
    Form,
    /// The part before the colon is no kind.
    Kind(String),
    /// The path is wrong, at this byte of it.
    Path {
        /// Bytes before what is wrong.
        at: usize,
        /// What is wanted there.
        expected: &'static str,
    },
    /// It would hide what says which object it is.
    Identity(String),
}

impl fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => formatter.write_str("expected [GROUP/]KIND:PATH, as Pod:spec.containers[*].env[*].value"),
            Self::Kind(kind) => {
                write!(formatter, "{kind:?} is no kind: expected Pod, apps/Deployment or, for every object, *")
            }
            Self::Path { at, expected } => {
                write!(formatter, "expected {expected} at character {} of the path", at + 1)
            }
            Self::Identity(path) => {
                write!(
                    formatter,
                    "{path} says which object it is, and stands in the request anyway: name what is in it"
                )
            }
        }
    }
}

impl std::error::Error for RuleError {}

/// What is redacted whatever is configured.
pub(super) fn always() -> Vec<Rule> {
    let rule = |group: &str, kind: &str, path: &[Step]| Rule {
        group: group.to_owned(),
        kind: kind.to_owned(),
        path: path.to_vec(),
    };
    let key = |key: &str| Step::Key(key.to_owned());
    let values = |of: &str| rule("", "Secret", &[key(of), Step::AnyKey]);
    let tokens = ["TokenRequest", "TokenReview"].into_iter().flat_map(|kind| {
        ["spec", "status"].map(|part| rule("authentication.k8s.io", kind, &[Step::Key(part.to_owned())]))
    });
    [values("data"), values("stringData")].into_iter().chain(tokens).collect()
}

impl Rule {
    /// The path in objects of this kind; None where the rule is not about them.
    pub(super) fn path_in(&self, group: &str, kind: &str) -> Option<Vec<Step>> {
        if (self.kind == "*" && self.group.is_empty()) || (self.group == group && self.kind == kind) {
            return Some(self.path.clone());
        }
        let is_of_pods = self.group.is_empty() && self.kind == "Pod";
        let parents = pod::parents(group, kind).filter(|_| is_of_pods)?;
        let parents = parents.iter().map(|key| Step::Key((*key).to_owned()));
        Some(parents.chain(self.path.iter().cloned()).collect())
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (full_kind, path) = text.split_once(':').ok_or(RuleError::Form)?;
        let (group, kind) = full_kind.split_once('/').unwrap_or(("", full_kind));
        let is_group = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        let has_group = full_kind.contains('/');
        let is_sound_group = if has_group { !group.is_empty() && group.bytes().all(is_group) } else { true };
        let is_kind = |kind: &str| {
            kind.starts_with(|char: char| char.is_ascii_uppercase())
                && kind.bytes().all(|it| it.is_ascii_alphanumeric())
        };
        if !is_sound_group || !(is_kind(kind) || (kind == "*" && !has_group)) {
            return Err(RuleError::Kind(full_kind.to_owned()));
        }
        let steps = steps(path)?;
        let names = |wanted: &[&str]| {
            steps.len() <= wanted.len()
                && steps.iter().zip(wanted).all(|(step, wanted)| match step {
                    Step::Key(key) => key == wanted,
                    Step::AnyKey => true,
                    Step::AnyItem => false,
                })
        };
        if names(&["apiVersion"])
            || names(&["kind"])
            || names(&["metadata", "name"])
            || names(&["metadata", "namespace"])
        {
            return Err(RuleError::Identity(path.to_owned()));
        }
        Ok(Self { group: group.to_owned(), kind: kind.to_owned(), path: steps })
    }
}

fn steps(path: &str) -> Result<Vec<Step>, RuleError> {
    const NAME: &str = "a name, `*` or `[`";
    let mut steps = Vec::new();
    let mut at = 0;
    loop {
        let rest = path.get(at..).unwrap_or_default();
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').ok_or(RuleError::Path { at: path.len(), expected: "`]`" })?;
            let key = inner.get(..end).unwrap_or_default();
            if key.is_empty() || key.contains('[') {
                return Err(RuleError::Path { at: at + 1, expected: "`*` or a key" });
            }
            if key.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(RuleError::Path { at: at + 1, expected: "`*` for every item, or a key that is no number" });
            }
            steps.push(if key == "*" { Step::AnyItem } else { Step::Key(key.to_owned()) });
            at += end + 2;
        } else if let Some(after) = rest.strip_prefix('*') {
            steps.push(Step::AnyKey);
            at = path.len() - after.len();
        } else {
            let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
            let end = rest.find(|char| !is_plain(char)).unwrap_or(rest.len());
            if end == 0 {
                return Err(RuleError::Path { at, expected: NAME });
            }
            steps.push(Step::Key(rest.get(..end).unwrap_or_default().to_owned()));
            at += end;
        }
        match path.as_bytes().get(at) {
            None => return Ok(steps),
            Some(b'.') => at += 1,
            Some(b'[') => {}
            Some(_) => return Err(RuleError::Path { at, expected: "`.` or `[`" }),
        }
    }
}
