//! When built-in APIs are deprecated and removed, and what to use instead.
//!
//! Source: the markers in Kubernetes' own types, from which the API server makes its warnings.

use super::kinds::Kinds;

const TABLE: &str = include_str!("../../data/lifecycles.tsv");

/// A kind of one version of a group that has an end. Releases are minors: 25 for v1.25.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// `batch`; empty for the core group.
    pub group: &'static str,
    /// `v1beta1`
    pub version: &'static str,
    /// `CronJob`
    pub kind: &'static str,
    /// The release in which it is deprecated.
    pub deprecated: Option<u16>,
    /// The release in which it is no longer served.
    pub removed: Option<u16>,
    /// `batch/v1/CronJob`, by the marker alone.
    replacement: Option<&'static str>,
}

impl Lifecycle {
    /// As a manifest names it: `batch/v1beta1`.
    pub fn api_version(&self) -> String {
        api_version(self.group, self.version)
    }
}

/// Group and version as a manifest names them: `batch/v1`, `v1`.
pub fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Lifecycles(Vec<Lifecycle>);

impl Lifecycles {
    /// The newest release that the table knows of.
    pub const NEWEST: u16 = 36;

    /// What Kubernetes says of its own kinds.
    pub fn built_in() -> Self {
        Self(TABLE.lines().filter_map(row).collect())
    }

    /// All rows, sorted by group, version and kind.
    pub fn rows(&self) -> &[Lifecycle] {
        &self.0
    }

    /// The row of a kind; None for kinds that stay.
    pub fn find(&self, group: &str, version: &str, kind: &str) -> Option<&Lifecycle> {
        self.0.iter().find(|row| row.kind == kind && row.version == version && row.group == group)
    }

    /// What to use instead, as group and version: what the markers lead to, or else another version of the kind that is
    /// served. None where there is nothing.
    pub fn replacement(&self, row: &Lifecycle, kinds: &Kinds) -> Option<(&'static str, &'static str)> {
        let mut here = *row;
        // Each step leads to a row that was not seen before, or the markers go round in circles.
        for _ in 0..self.0.len() {
            let Some((group, version, kind)) = here.replacement.and_then(parts) else { break };
            match self.find(group, version, kind) {
                Some(next) => here = *next,
                None => return Some((group, version)),
            }
        }
        let stays = |kind: &&super::kinds::Kind| {
            kind.kind == row.kind && kind.group == row.group && self.find(kind.group, kind.version, kind.kind).is_none()
        };
        kinds.rows().iter().find(stays).map(|kind| (kind.group, kind.version))
    }
}

/// A line of the table; None for the lines of its head. That every other line can be read is tested.
fn row(line: &'static str) -> Option<Lifecycle> {
    let mut fields = line.split('\t');
    let mut next = || fields.next().map(|field| if field == "-" { "" } else { field });
    let (group, version, kind) = (next()?, next()?, next()?);
    let (deprecated, removed, replacement) = (next()?, next()?, next()?);
    let replacement = Some(replacement).filter(|text| !text.is_empty());
    Some(Lifecycle {
        group,
        version,
        kind,
        deprecated: deprecated.parse().ok(),
        removed: removed.parse().ok(),
        replacement,
    })
}

/// Group, version and kind of a replacement.
fn parts(text: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (group, rest) = text.split_once('/')?;
    let (version, kind) = rest.split_once('/')?;
    Some((if group == "-" { "" } else { group }, version, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_line_of_the_table() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        let lifecycles = Lifecycles::built_in();
        assert_eq!(lifecycles.rows().len(), lines);
        assert!(lines > 90, "{lines}");
        for row in lifecycles.rows() {
            assert!(row.deprecated.is_some() || row.removed.is_some(), "{row:?}");
            assert_eq!(row.replacement.is_some(), row.replacement.and_then(parts).is_some(), "{row:?}");
        }
        assert!(TABLE.contains(&format!("up to v1.{}.", Lifecycles::NEWEST)), "NEWEST is another than the table's");
    }

    #[test]
    fn follows_replacements_to_one_that_stays() {
        let (lifecycles, kinds) = (Lifecycles::built_in(), Kinds::built_in());
        let of = |group, version, kind| lifecycles.replacement(lifecycles.find(group, version, kind).unwrap(), &kinds);
        assert_eq!(of("batch", "v1beta1", "CronJob"), Some(("batch", "v1")));
        assert_eq!(of("extensions", "v1beta1", "Ingress"), Some(("networking.k8s.io", "v1")));
        // The marker names a version that is gone by now.
        assert_eq!(
            of("flowcontrol.apiserver.k8s.io", "v1beta1", "FlowSchema"),
            Some(("flowcontrol.apiserver.k8s.io", "v1"))
        );
        // No marker, but the kind is still there.
        assert_eq!(of("networking.k8s.io", "v1beta1", "IPAddress"), Some(("networking.k8s.io", "v1")));
        assert_eq!(of("policy", "v1beta1", "PodSecurityPolicy"), None);
        assert_eq!(of("extensions", "v1beta1", "PodSecurityPolicy"), None);
        assert!(lifecycles.find("apps", "v1", "Deployment").is_none());
    }
}
