//! Groups of namespaces: what metrics say instead of a namespace, of which there may be thousands.

use std::str::FromStr;

use admittance_engine::matching::{fits, is_pattern};

/// A group of namespaces, as `NAME=PATTERN[,PATTERN]...` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceGroup {
    name: String,
    patterns: Vec<String>,
}

/// All groups. A namespace is in the first that it fits.
#[derive(Clone, Debug, Default)]
pub struct NamespaceGroups(Vec<NamespaceGroup>);

/// How many there may be: each is a value of a label.
const MOST: usize = 16;

impl NamespaceGroups {
    /// These groups.
    ///
    /// # Errors
    /// More than 16, or a name that stands twice or means something else.
    pub fn new(groups: Vec<NamespaceGroup>) -> Result<Self, String> {
        if groups.len() > MOST {
            return Err(format!(
                "{} groups of namespaces are too many, at most {MOST} can be counted apart",
                groups.len()
            ));
        }
        for (position, NamespaceGroup { name, .. }) in groups.iter().enumerate() {
            if ["cluster", "other"].contains(&name.as_str()) {
                return Err(format!("a group of namespaces cannot be called `{name}`: that is what is in none"));
            }
            if groups.iter().take(position).any(|other| other.name == *name) {
                return Err(format!("the group of namespaces `{name}` is named twice: list its patterns with commas"));
            }
        }
        Ok(Self(groups))
    }

    /// The group of a namespace; `cluster` for what is in no namespace, `other` for one that no group has.
    pub fn of(&self, namespace: &str) -> &str {
        if namespace.is_empty() {
            return "cluster";
        }
        let group = self.0.iter().find(|group| group.patterns.iter().any(|pattern| fits(pattern, namespace)));
        group.map_or("other", |group| &group.name)
    }
}

impl FromStr for NamespaceGroup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, patterns) = text
            .split_once('=')
            .ok_or_else(|| "expected NAME=PATTERN, as in platform=kube-*,istio-system".to_owned())?;
        if !is_pattern(name) || name.contains(['*', '?']) {
            return Err(format!("`{name}` is no name for a group: use lower-case letters, digits and `-`"));
        }
        let patterns: Vec<String> = patterns.split(',').map(ToOwned::to_owned).collect();
        match patterns.iter().find(|pattern| !is_pattern(pattern)) {
            Some(pattern) => Err(format!("`{pattern}` fits no namespace")),
            None => Ok(Self { name: name.to_owned(), patterns }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(texts: &[&str]) -> Result<NamespaceGroups, String> {
        NamespaceGroups::new(texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?)
    }

    #[test]
    fn takes_the_first_group_that_fits() {
        let groups = groups(&["platform=kube-*,istio-system", "shops=shop-?,kube-shop"]).unwrap();
        let found =
            ["kube-system", "istio-system", "shop-1", "kube-shop", "shop", ""].map(|namespace| groups.of(namespace));
        assert_eq!(found, ["platform", "platform", "shops", "platform", "other", "cluster"]);
    }

    #[test]
    fn rejects_what_names_no_group() {
        for (texts, expected) in [
            (&["platform"][..], "expected NAME=PATTERN, as in platform=kube-*,istio-system"),
            (&["a b=x"], "`a b` is no name for a group: use lower-case letters, digits and `-`"),
            (&["a=X"], "`X` fits no namespace"),
            (&["a="], "`` fits no namespace"),
            (&["other=x"], "a group of namespaces cannot be called `other`: that is what is in none"),
            (&["a=x", "a=y"], "the group of namespaces `a` is named twice: list its patterns with commas"),
        ] {
            assert_eq!(groups(texts).unwrap_err(), expected);
        }
        let many: Vec<String> = (0..17).map(|n| format!("g{n}=x")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(groups(&many).unwrap_err(), "17 groups of namespaces are too many, at most 16 can be counted apart");
    }
}
