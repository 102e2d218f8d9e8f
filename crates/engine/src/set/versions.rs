//! The one version of each resource that an API server is told to send.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::webhook_rules::{Part, named};
use crate::kubernetes::kinds::Kinds;
use crate::matching::{Names, ResourcePattern};

/// A policy, and the versions that it takes.
type Wish<'p> = (&'p str, &'p [String]);

/// A version for each group and resource whose version some policy names.
pub(super) struct Versions(BTreeMap<(String, String), String>);

impl Versions {
    /// Of the versions that policies name, the one that serves most of them; then the one that the API server prefers, then
    /// the most mature. Policies that it does not serve are noted.
    pub(super) fn of<'p>(
        parts: impl Iterator<Item = (&'p str, &'p Part)>,
        kinds: &Kinds,
        notes: &mut BTreeSet<String>,
    ) -> Self {
        let mut wanted: BTreeMap<(String, String), Vec<Wish<'_>>> = BTreeMap::new();
        for (policy, part) in parts {
            if let (Some(key), Names::Only(versions)) = (key(part), &part.versions) {
                wanted.entry(key).or_default().push((policy, versions));
            }
        }
        let chosen = wanted.into_iter().filter_map(|((group, resource), wanted)| {
            let served = |version: &str| wanted.iter().filter(|(_, versions)| versions.iter().any(|it| it == version)).count();
            let is_preferred =
                |version: &str| kinds.resource(&group, version, &resource).is_some_and(|kind| kind.is_preferred);
            let all: BTreeSet<&String> = wanted.iter().flat_map(|(_, versions)| versions.iter()).collect();
            let version = all
                .into_iter()
                .max_by_key(|version| (served(version), is_preferred(version), maturity(version)))?
                .clone();
            for (policy, _) in wanted.iter().filter(|(_, versions)| !versions.contains(&version)) {
                notes.insert(format!(
                    "policy `{policy}` is for another version of {} than {version}, which other policies need: only one can \
                     be sent, and others are evaluation errors of the policy",
                    named(&group, &ResourcePattern::new(&resource))
                ));
            }
            Some(((group, resource), version))
        });
        Self(chosen.collect())
    }

    /// The version of a part; `*` where no policy minds.
    pub(super) fn get(&self, part: &Part) -> String {
        if let Some(version) = key(part).and_then(|key| self.0.get(&key)) {
            return version.clone();
        }
        // A pattern for several resources has none of its own, and one version where the policy names but one.
        match &part.versions {
            Names::Only(versions) if key(part).is_none() && versions.len() == 1 => versions.concat(),
            _ => "*".to_owned(),
        }
    }
}

/// Group and resource, where both are said.
fn key(part: &Part) -> Option<(String, String)> {
    let resource = part.pattern.resource.clone()?;
    (part.group != "*").then(|| (part.group.clone(), resource))
}

/// `v2` before `v1` before `v1beta2` before `v1alpha1` (apimachinery, version.CompareKubeAwareVersionStrings).
fn maturity(version: &str) -> (Reverse<u8>, u32, u32) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let Some(rest) = version.strip_prefix('v') else { return (Reverse(3), 0, 0) };
    let (major, rest) = rest.split_at(digits(rest));
    let stage = match rest.trim_end_matches(|char: char| char.is_ascii_digit()) {
        "" => 0,
        "beta" => 1,
        "alpha" => 2,
        _ => 3,
    };
    let minor = rest.trim_start_matches(|char: char| char.is_ascii_alphabetic());
    (Reverse(stage), major.parse().unwrap_or_default(), minor.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_versions_as_the_api_server_does() {
        let mut versions = ["v1beta1", "v10", "foo", "v2", "v1alpha2", "v1beta2", "v1"];
        versions.sort_by_key(|version| Reverse(maturity(version)));
        assert_eq!(versions, ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha2", "foo"]);
    }
}
