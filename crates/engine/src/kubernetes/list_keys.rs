//! Which fields tell the items of a list apart: `name` for containers, `containerPort` and `protocol` for their ports.
//!
//! Two things rest on it. The patch of a change is written item by item ([`mod@crate::json::diff`]), so that a container which
//! moved is not written anew; and a finding about an item is the same finding when the item stands elsewhere
//! ([`crate::json::path`]).
//!
//! The facts are the tags of the Go types of Kubernetes 1.36.3: `listMapKey` (also as `k8s:listMapKey` where a list is
//! atomic and yet unique by a key) and `patchMergeKey`, in `k8s.io/api`, `meta/v1` and `apiextensions/v1`. A list is known by
//! its name, where that is not enough by the name of the field around it as well, and not by its kind: custom resources
//! reuse the names with the types. Where one means something else by such a name, its items lack the keys or repeat them,
//! and whoever asks must check that anyway: the API server does not enforce all of these keys (a node may have two
//! addresses of one type).

use crate::json::diff::ListKey;

/// The keys of the list under `field` in a map under `parent`: the name of the nearest field around it, so for maps in a
/// list the list's name; empty at the root of an object. None if its items have no identity but their position.
///
/// ```
/// use admittance_engine::kubernetes::list_keys;
///
/// let fields = |parent, field| list_keys::of(parent, field).iter().map(|key| key.field).collect::<Vec<_>>();
/// assert_eq!(fields("spec", "containers"), ["name"]);
/// assert_eq!(fields("containers", "ports"), ["containerPort", "protocol"]);
/// assert_eq!(fields("spec", "ports"), ["port", "protocol"]);
/// assert!(fields("spec", "tolerations").is_empty());
/// ```
pub fn of(parent: &str, field: &str) -> &'static [ListKey] {
    let first = ROWS.partition_point(|row| row.field < field);
    let rows = ROWS.get(first..).unwrap_or(&[]).iter().take_while(|row| row.field == field);
    let mut fitting = rows.filter(|row| row.parents.is_empty() || row.parents.contains(&parent));
    fitting.next().map_or(&[], |row| row.keys)
}

struct Row {
    field: &'static str,
    /// Names of the field around it; any if there are none.
    parents: &'static [&'static str],
    keys: &'static [ListKey],
}

const fn row(field: &'static str, keys: &'static [ListKey]) -> Row {
    Row { field, parents: &[], keys }
}

const fn row_in(parents: &'static [&'static str], field: &'static str, keys: &'static [ListKey]) -> Row {
    Row { field, parents, keys }
}

const NAME: &[ListKey] = &[ListKey::new("name")];
const TYPE: &[ListKey] = &[ListKey::new("type")];
const UID: &[ListKey] = &[ListKey::new("uid")];
const IP: &[ListKey] = &[ListKey::new("ip")];
const MOUNT_PATH: &[ListKey] = &[ListKey::new("mountPath")];
/// The API's default: most ports are written without a protocol, and the API server adds it.
const PROTOCOL: ListKey = ListKey::with_default("protocol", "TCP");

/// Sorted by field.
static ROWS: &[Row] = &[
    row_in(&["status"], "addresses", TYPE),
    row("allocatedResourcesStatus", NAME),
    row_in(&["resources"], "claims", NAME),
    row("conditions", TYPE),
    row("consumesCounters", &[ListKey::new("counterSet")]),
    row("containers", NAME),
    row_in(
        &["status"],
        "devices",
        &[ListKey::new("driver"), ListKey::new("device"), ListKey::new("pool"), ListKey::new("shareID")],
    ),
    row_in(&["spec"], "drivers", NAME),
    row("env", NAME),
    row("ephemeralContainers", NAME),
    row("firstAvailable", NAME),
    row("hostAliases", IP),
    row("hostIPs", IP),
    row("imagePullSecrets", NAME),
    row("initContainers", NAME),
    row("matchConditions", NAME),
    row("ownerReferences", UID),
    row("podGroupTemplates", NAME),
    row("podIPs", IP),
    row_in(
        &["containers", "initContainers", "ephemeralContainers"],
        "ports",
        &[ListKey::new("containerPort"), PROTOCOL],
    ),
    row_in(&["spec"], "ports", &[ListKey::new("port"), PROTOCOL]),
    row_in(&["devices"], "requests", NAME),
    row_in(&["status"], "reservedFor", UID),
    row("resourceClaimStatuses", NAME),
    row("resourceClaims", NAME),
    row_in(&["allocatedResourcesStatus"], "resources", &[ListKey::new("resourceID")]),
    row("schedulingGates", NAME),
    row_in(&[""], "secrets", NAME),
    row("sharedCounters", NAME),
    row_in(&["status"], "storageVersions", &[ListKey::new("apiServerID")]),
    row("topologySpreadConstraints", &[ListKey::new("topologyKey"), ListKey::new("whenUnsatisfiable")]),
    row("variables", NAME),
    row("volumeDevices", &[ListKey::new("devicePath")]),
    row("volumeMounts", MOUNT_PATH),
    row("volumes", NAME),
    row_in(&[""], "webhooks", NAME),
    row("x-kubernetes-validations", &[ListKey::new("rule")]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, diff, read};

    fn fields(parent: &str, field: &str) -> Vec<&'static str> {
        of(parent, field).iter().map(|key| key.field).collect()
    }

    #[test]
    fn keeps_its_rows_sorted_and_each_reachable() {
        assert!(ROWS.windows(2).all(|pair| pair[0].field <= pair[1].field));
        for row in ROWS {
            let parents = if row.parents.is_empty() { &["anything"] } else { row.parents };
            for parent in parents {
                assert_eq!(of(parent, row.field), row.keys, "{parent} {}", row.field);
            }
            assert!(!row.keys.is_empty());
        }
    }

    #[test]
    fn knows_an_ambiguous_name_by_the_field_around_it() {
        assert_eq!(fields("ephemeralContainers", "ports"), ["containerPort", "protocol"]);
        assert_eq!(fields("spec", "ports"), ["port", "protocol"]);
        // Of an EndpointSlice and of a rule of a NetworkPolicy: atomic.
        assert_eq!((fields("", "ports"), fields("ingress", "ports")), (vec![], vec![]));
        assert_eq!((fields("status", "addresses"), fields("subsets", "addresses")), (vec!["type"], vec![]));
        assert_eq!((fields("", "secrets"), fields("spec", "secrets")), (vec!["name"], vec![]));
    }

    #[test]
    fn leaves_atomic_and_unknown_lists_alone() {
        for field in
            ["tolerations", "args", "command", "envFrom", "finalizers", "subjects", "rules", "items", "", "zzz"]
        {
            assert_eq!(of("spec", field), [], "{field}");
        }
    }

    #[test]
    fn serves_the_diff_of_what_webhooks_change() {
        let from = r#"{"spec":{"containers":[{"name":"web","ports":[{"containerPort":53,"protocol":"UDP"}],"volumeMounts":[{"mountPath":"/tmp","name":"tmp"}]}],"volumes":[{"name":"tmp"}]},"metadata":{"ownerReferences":[{"uid":"1"}]}}"#;
        let to = r#"{"spec":{"containers":[{"name":"proxy"},{"name":"web","ports":[{"containerPort":53},{"containerPort":53,"protocol":"UDP"}],"volumeMounts":[{"mountPath":"/certs","name":"certs"},{"mountPath":"/tmp","name":"tmp","readOnly":true}]}],"volumes":[{"name":"certs"},{"name":"tmp"}]},"metadata":{"ownerReferences":[{"uid":"1"}]}}"#;
        let arena = Arena::with_limit(1 << 20);
        let operations = diff(read(&arena, from).unwrap(), read(&arena, to).unwrap(), of);
        let places: Vec<String> = operations.iter().map(|one| format!("{} {}", one.op(), one.path())).collect();
        assert_eq!(
            places,
            [
                "add /spec/containers/0",
                "add /spec/containers/1/ports/0",
                "add /spec/containers/1/volumeMounts/0",
                "add /spec/containers/1/volumeMounts/1/readOnly",
                "add /spec/volumes/0",
            ]
        );
    }
}
