//! Twins that are installed, held against the policies that they are of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Exemptions, SOURCE_DIGEST, TWIN_OF, Unchecked, export};
use crate::unit::CompiledUnit;

/// A twin in a cluster, by its annotations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    /// Its own name.
    pub name: String,
    /// The policy that it is of.
    pub policy: String,
    /// The digest of that policy as it was.
    pub digest: String,
}

impl Installed {
    /// What a ValidatingAdmissionPolicy says of itself; None if it is no twin.
    pub fn read(object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let annotation = |key: &str| metadata.get("annotations")?.get(key)?.as_str().map(ToOwned::to_owned);
        Some(Self {
            name: metadata.get("name")?.as_str()?.to_owned(),
            policy: annotation(TWIN_OF)?,
            digest: annotation(SOURCE_DIGEST).unwrap_or_default(),
        })
    }
}

/// How the twin of a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It says what its policy says.
    Current,
    /// Its policy has changed since, or is no more.
    Stale,
    /// There is none, and there could be.
    Missing,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Current, Self::Stale, Self::Missing];

    /// As metrics and pages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Stale => "stale",
            Self::Missing => "missing",
        }
    }
}

/// How all twins stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// By policy.
    pub twins: BTreeMap<String, State>,
    /// Names of twins whose policy is no more.
    pub orphans: Vec<String>,
    /// What no twin checks.
    pub unchecked: Vec<Unchecked>,
}

impl Standing {
    /// How many stand so. A twin of a policy that is no more is stale.
    pub fn count(&self, state: State) -> usize {
        let orphans = if state == State::Stale { self.orphans.len() } else { 0 };
        self.twins.values().filter(|one| **one == state).count() + orphans
    }

    /// How the twins of these units stand.
    pub fn of(units: &[Arc<CompiledUnit>], installed: &[Installed]) -> Self {
        let export = export(units, &Exemptions::default());
        let mut standing = Self { unchecked: export.unchecked, ..Self::default() };
        for twin in export.twins {
            let policy = twin.source.policy;
            let of_policy = installed.iter().filter(|one| one.policy == policy);
            let digests: BTreeSet<&str> = of_policy.map(|one| one.digest.as_str()).collect();
            let state = if digests.is_empty() {
                State::Missing
            } else if digests.len() == 1 && digests.contains(twin.source.digest.as_str()) {
                State::Current
            } else {
                State::Stale
            };
            standing.twins.insert(policy, state);
        }
        let is_orphan = |one: &&Installed| !standing.twins.contains_key(&one.policy);
        standing.orphans = installed.iter().filter(is_orphan).map(|one| one.name.clone()).collect();
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::SourceFile;
    use crate::unit::{Unit, compile};
    use serde_json::json;

    fn unit(text: &str) -> Arc<CompiledUnit> {
        compile(&Unit::of_file(SourceFile::new("p.yaml", text))).unwrap()
    }

    fn policy(name: &str, module: &str) -> String {
        format!(
            "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: {module} }}\n"
        )
    }

    #[test]
    fn tells_current_from_stale_and_missing_twins() {
        let text = policy("a", "privileged") + &policy("b", "host-ports") + &policy("c", "host-path");
        let units = [unit(&(text + &policy("d", "unique-ingress-hosts")))];
        let read = |name: &str, digest: &str| {
            Installed::read(&json!({ "metadata": { "name": format!("admittance-twin-{name}"), "annotations": {
                TWIN_OF: name, SOURCE_DIGEST: digest,
            } } }))
            .unwrap()
        };
        let digest = units[0].policy_digest("a").unwrap().to_owned();
        let standing = Standing::of(&units, &[read("a", &digest), read("b", "sha256:0"), read("gone", "sha256:1")]);
        let states: Vec<(&str, State)> = standing.twins.iter().map(|(name, state)| (name.as_str(), *state)).collect();
        assert_eq!(states, [("a", State::Current), ("b", State::Stale), ("c", State::Missing)]);
        assert_eq!(standing.orphans, ["admittance-twin-gone"]);
        assert_eq!(State::ALL.map(|state| standing.count(state)), [1, 2, 1]);
        let unchecked: Vec<&str> = standing.unchecked.iter().map(|row| row.source.policy.as_str()).collect();
        assert_eq!(unchecked, ["d"]);
        assert_eq!(Installed::read(&json!({ "metadata": { "name": "other" } })), None);
    }
}
