//! The table of requests that create or change what is stored of a kind.

use std::sync::LazyLock;

use super::path::FieldPath;
use crate::kubernetes::kinds::Kind;
use crate::review::Operation;

/// The exceptions; the table's head explains the columns.
const TABLE: &str = include_str!("../../../data/routes.tsv");

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

/// What nobody can choose or change once it is stored (apimachinery, pkg/api/validation/objectmeta.go
/// `ValidateObjectMetaAccessorUpdate`; apiserver, pkg/registry/rest/{create,update}.go).
const FIXED: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.generateName",
    "metadata.namespace",
    "metadata.uid",
    "metadata.creationTimestamp",
];

#[derive(Debug)]
struct Row {
    group: &'static str,
    resource: &'static str,
    route: Route,
}

/// A kind of request that creates or changes what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// `pods`, `pods/resize`
    pub request: String,
    pub operation: Operation,
    /// Whether components of the cluster alone have the right, as a rule.
    pub is_systems: bool,
    /// What it can change.
    pub changes: Vec<FieldPath>,
    /// And what of it not.
    pub but: Vec<FieldPath>,
}

impl Route {
    /// Of these fields what it changes; of `presence`, where only that counts, what it can make come and go.
    pub(super) fn hits(&self, fields: &[FieldPath], presence: &[FieldPath]) -> Vec<FieldPath> {
        let is_free = |field: &FieldPath| !self.but.iter().any(|but| field.is_below(but));
        let mut hits: Vec<FieldPath> = vec![];
        for field in fields.iter().filter(|field| is_free(field)) {
            let below = self.changes.iter().filter(|change| change.meets(field));
            hits.extend(
                below.map(|change| if change.depth() > field.depth() { change.clone() } else { field.clone() }),
            );
        }
        for field in presence.iter().filter(|field| is_free(field)) {
            hits.extend(self.changes.iter().any(|change| field.is_below(change)).then(|| field.clone()));
        }
        hits.sort();
        hits.dedup();
        hits
    }
}

/// The requests by which objects of a resource are created and changed. `kind` is None for what is not built in.
pub(super) fn routes(group: &str, resource: &str, kind: Option<&Kind>) -> Vec<Route> {
    let rows = ROWS.iter().filter(|row| row.group == group && row.resource == resource);
    let mut routes: Vec<Route> = rows.map(|row| row.route.clone()).collect();
    for (operation, verb) in [(Operation::Create, "create"), (Operation::Update, "update")] {
        let is_told = routes.iter().any(|route| route.operation == operation && route.request == resource);
        if is_told || kind.is_some_and(|kind| !kind.verbs.contains(&verb)) {
            continue;
        }
        let mut but = if operation == Operation::Update { paths(&FIXED) } else { vec![] };
        if kind.is_none_or(|kind| kind.has("status")) {
            but.push(FieldPath::parse("status"));
        }
        let changes = vec![FieldPath::default()];
        routes.push(Route { request: resource.to_owned(), operation, is_systems: false, changes, but });
    }
    routes
}

fn paths(texts: &[&str]) -> Vec<FieldPath> {
    texts.iter().map(|text| FieldPath::parse(text)).collect()
}

fn row(line: &'static str) -> Option<Row> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = line.split('\t');
    let group = fields.next().map(|group| if group == "-" { "" } else { group })?;
    let (resource, request) = (fields.next()?, fields.next()?);
    let operation = Operation::ALL.into_iter().find(|operation| Some(operation.as_str()) == line.split('\t').nth(3))?;
    let is_systems = fields.nth(1)? == "system";
    let (mut changes, mut but) = (vec![], vec![]);
    for text in fields.next()?.split(',') {
        match (text, text.strip_prefix('!')) {
            ("*", _) => changes.push(FieldPath::default()),
            (_, Some(text)) => but.push(FieldPath::parse(text)),
            (text, None) => changes.push(FieldPath::parse(text)),
        }
    }
    if operation == Operation::Update {
        but.extend(paths(&FIXED));
    }
    Some(Row { group, resource, route: Route { request: request.to_owned(), operation, is_systems, changes, but } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::kinds::Kinds;

    #[test]
    fn every_line_is_read_and_names_what_the_api_server_serves() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(ROWS.len(), lines.clone().count());
        assert!(lines.clone().is_sorted());
        for line in lines {
            assert_eq!(line.split('\t').filter(|field| !field.is_empty()).count(), 7, "{line}");
        }
        let kinds = Kinds::built_in();
        for Row { group, resource, route } in ROWS.iter() {
            let (of, subresource) = route.request.split_once('/').unwrap_or((&route.request, ""));
            let kind = kinds.by_resource(group, of).first().unwrap_or_else(|| panic!("{group}/{of}"));
            assert!(kind.has(subresource), "{}", route.request);
            assert!(!kinds.by_resource(group, resource).is_empty(), "{resource}");
        }
    }

    #[test]
    fn a_route_hits_what_it_changes() {
        let hits = |request: &str, operation, fields: &[&str], presence: &[&str]| {
            let kinds = Kinds::built_in();
            let kind = kinds.resource("", "v1", "pods");
            let all = routes("", "pods", kind);
            let route = all.iter().find(|route| route.request == request && route.operation == operation).unwrap();
            let hits = route.hits(&paths(fields), &paths(presence));
            hits.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let update = Operation::Update;
        assert_eq!(hits("pods", update, &["spec.containers[*].image"], &[]), ["spec.containers[*].image"]);
        assert_eq!(hits("pods", update, &["spec.hostNetwork", "metadata.name"], &[]), [""; 0]);
        assert_eq!(hits("pods", update, &["metadata.labels.team"], &[]), ["metadata.labels.team"]);
        assert_eq!(hits("pods", Operation::Create, &["spec.ephemeralContainers[*].image"], &[]), [""; 0]);
        let resize = "pods/resize";
        let limits = "spec.initContainers[*].resources.limits";
        assert_eq!(hits(resize, update, &[limits], &["spec.initContainers"]), [limits]);
        assert_eq!(hits(resize, update, &[], &["spec.initContainers"]), [""; 0]);
        assert_eq!(
            hits(resize, update, &["spec.containers"], &[]),
            ["spec.containers[*].resizePolicy", "spec.containers[*].resources"]
        );
    }
}
