//! The table of built-in kinds: which group, version and resource an object of a kind belongs to.

use std::fmt;
use std::sync::LazyLock;

/// The table as it was generated from a real API server's discovery; its head explains the columns.
const TABLE: &str = include_str!("../../data/kinds.tsv");

/// Read once: every policy set has it. By resource, group and version.
static BUILT_IN: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let mut rows: Vec<Kind> = TABLE.lines().filter_map(row).collect();
    rows.sort_by_key(|row| (row.resource, row.group, row.version));
    rows
});

/// The built-in kinds of Kubernetes. Kinds of CustomResourceDefinitions are not in it.
///
/// Building it reads some hundred lines: whoever keeps the policies keeps it beside them.
pub struct Kinds {
    /// Sorted by resource, group, version.
    rows: &'static [Kind],
}

/// One kind in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `apps`; empty for the core group.
    pub group: &'static str,
    /// `v1`
    pub version: &'static str,
    /// `Deployment`
    pub kind: &'static str,
    /// `deployments`
    pub resource: &'static str,
    /// Whether its objects live in namespaces.
    pub scope: Scope,
    /// Whether an API server serves it without being told to.
    pub is_default: bool,
    /// Whether this is the version that the API server prefers in its group.
    pub is_preferred: bool,
    /// What can be done with the resource itself: `create`, `list`.
    pub verbs: Vec<&'static str>,
    /// `status`, `scale`, `exec`.
    pub subresources: Vec<Subresource>,
}

/// Where the objects of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In namespaces.
    Namespaced,
    /// In none.
    Cluster,
}

/// A part of a resource with a URL of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subresource {
    /// `scale`
    pub name: &'static str,
    /// `autoscaling/v1` and `Scale`, where a request carries another kind than the resource does.
    pub kind: Option<(&'static str, &'static str)>,
}

impl Kinds {
    /// What the API server of the version named in the table knows.
    pub fn built_in() -> Self {
        Self { rows: &BUILT_IN }
    }

    /// All rows, sorted by resource, group and version.
    pub fn rows(&self) -> &[Kind] {
        self.rows
    }

    /// The versions in which a group serves a resource; none for what is not built in.
    pub fn by_resource(&self, group: &str, resource: &str) -> &[Kind] {
        let key = (resource, group);
        let start = self.rows.partition_point(|row| (row.resource, row.group) < key);
        let end = self.rows.partition_point(|row| (row.resource, row.group) <= key);
        self.rows.get(start..end).unwrap_or_default()
    }

    /// The row of one resource in one version.
    pub fn resource(&self, group: &str, version: &str, resource: &str) -> Option<&Kind> {
        self.by_resource(group, resource).iter().find(|row| row.version == version)
    }

    /// The row of a kind: what offline commands need to make a request out of a manifest.
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&Kind> {
        self.rows.iter().find(|row| row.kind == kind && row.version == version && row.group == group)
    }
}

impl Kind {
    /// The subresource of this name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|subresource| subresource.name == name)
    }

    /// Whether requests for this subresource exist; the empty name stands for the resource itself.
    pub fn has(&self, subresource: &str) -> bool {
        subresource.is_empty() || self.subresource(subresource).is_some()
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Kinds({} rows)", self.rows.len())
    }
}

/// A line of the table; None for the lines of its head. That every other line can be read is tested.
fn row(line: &'static str) -> Option<Kind> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split('\t').map(|field| if field == "-" { "" } else { field });
    Some(Kind {
        group: fields.next()?,
        version: fields.next()?,
        kind: fields.next()?,
        resource: fields.next()?,
        scope: if fields.next()? == "Namespaced" { Scope::Namespaced } else { Scope::Cluster },
        is_default: fields.next()? == "default",
        is_preferred: fields.next()? == "yes",
        verbs: list(fields.next()?).collect(),
        subresources: list(fields.next()?).map(subresource).collect(),
    })
}

fn list(field: &'static str) -> impl Iterator<Item = &'static str> {
    field.split(',').filter(|item| !item.is_empty())
}

fn subresource(item: &'static str) -> Subresource {
    let Some((name, kind)) = item.split_once('=') else { return Subresource { name: item, kind: None } };
    Subresource { name, kind: kind.rsplit_once('/') }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn reads_every_line_of_the_table() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(Kinds::built_in().rows().len(), lines.clone().count());
        for line in lines {
            let fields: Vec<_> = line.split('\t').collect();
            assert_eq!(fields.len(), 9, "{line}");
            assert!(["Namespaced", "Cluster"].contains(&fields[4]), "{line}");
            assert!(["default", "on-request"].contains(&fields[5]), "{line}");
            assert!(["yes", "no"].contains(&fields[6]), "{line}");
        }
    }

    #[test]
    fn knows_no_resource_and_no_kind_twice() {
        let kinds = Kinds::built_in();
        let resources: BTreeSet<_> = kinds.rows().iter().map(|row| (row.group, row.version, row.resource)).collect();
        let names: BTreeSet<_> = kinds.rows().iter().map(|row| (row.group, row.version, row.kind)).collect();
        assert_eq!((resources.len(), names.len()), (kinds.rows().len(), kinds.rows().len()));
    }

    #[test]
    fn finds_rows_by_resource_and_by_kind() {
        let kinds = Kinds::built_in();
        let pods = kinds.resource("", "v1", "pods").unwrap();
        assert_eq!((pods.kind, pods.scope, pods.is_default, pods.is_preferred), ("Pod", Scope::Namespaced, true, true));
        assert!(pods.has("") && pods.has("ephemeralcontainers") && pods.has("resize") && !pods.has("scale"));
        assert_eq!(pods.subresource("exec").unwrap().kind, Some(("v1", "PodExecOptions")));
        assert_eq!(pods.subresource("eviction").unwrap().kind, Some(("policy/v1", "Eviction")));
        assert_eq!(pods.subresource("status").unwrap().kind, None);
        assert_eq!(kinds.kind("apps", "v1", "Deployment").unwrap().resource, "deployments");
        assert_eq!(kinds.kind("", "v1", "Namespace").unwrap().scope, Scope::Cluster);
        assert!(kinds.kind("apps", "v1", "Pod").is_none() && kinds.kind("apps", "v1beta1", "Deployment").is_none());
        let versions =
            |group, resource| kinds.by_resource(group, resource).iter().map(|row| row.version).collect::<Vec<_>>();
        assert_eq!(versions("autoscaling", "horizontalpodautoscalers"), ["v1", "v2"]);
        assert_eq!(versions("", "deployments"), [""; 0]);
    }
}
