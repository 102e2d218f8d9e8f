//! The pod in every object that holds one: a pod itself, or the template of a workload.
//!
//! Sources: core/v1 PodTemplateSpec and its users in core/v1, apps/v1 and batch/v1.

use crate::json::{Node, Path};

/// The lists of a pod spec that hold containers, in the order in which they are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContainerList {
    /// `initContainers`, native sidecars among them.
    Init,
    /// `containers`
    Regular,
    /// `ephemeralContainers`
    Ephemeral,
}

impl ContainerList {
    /// All three; init containers first, as they run first.
    pub const ALL: [Self; 3] = [Self::Init, Self::Regular, Self::Ephemeral];

    /// The field of the pod spec.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Regular => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

/// A container where it stands.
#[derive(Clone, Copy)]
pub struct Container<'p, 'a> {
    /// The container.
    pub node: Node<'a>,
    /// Its place in the whole object.
    pub path: Path<'p>,
    /// Which list it is in.
    pub list: ContainerList,
}

/// The pod, or the pod template, of an object.
#[derive(Clone, Copy, Debug)]
pub struct Pod<'a> {
    object: Node<'a>,
    parents: &'static [&'static str],
}

/// The keys that lead from an object of this kind to its pod template (none for a pod itself); None for kinds without pods.
pub fn parents(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    match (group, kind) {
        ("", "Pod") => Some(&[]),
        ("", "PodTemplate") => Some(&["template"]),
        ("", "ReplicationController")
        | ("apps", "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => Some(&["spec", "template"]),
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

impl<'a> Pod<'a> {
    /// The pod in an object of this group and kind; None if such objects hold none, or this one lacks its template.
    pub fn of(group: &str, kind: &str, object: Node<'a>) -> Option<Self> {
        let parents = parents(group, kind)?;
        object.at(parents)?.as_map()?;
        Some(Self { object, parents })
    }

    /// Whether it stands in a workload's template.
    pub fn is_template(&self) -> bool {
        !self.parents.is_empty()
    }

    /// The keys that lead to the pod from the object's root.
    pub fn parents(&self) -> &'static [&'static str] {
        self.parents
    }

    /// The pod or template itself.
    pub fn node(&self) -> Node<'a> {
        self.object.at(self.parents).unwrap_or_default()
    }

    /// The pod's spec; null if it has none.
    pub fn spec(&self) -> Node<'a> {
        self.node().get("spec").unwrap_or_default()
    }

    /// The pod's metadata; null if it has none.
    pub fn metadata(&self) -> Node<'a> {
        self.node().get("metadata").unwrap_or_default()
    }

    /// Calls `visit` with the place of the pod's spec.
    pub fn with_spec_path(&self, visit: impl FnOnce(&Path<'_>)) {
        self.with_path("spec", visit);
    }

    /// Calls `visit` with the place of the pod's metadata.
    pub fn with_metadata_path(&self, visit: impl FnOnce(&Path<'_>)) {
        self.with_path("metadata", visit);
    }

    /// Calls `visit` with each container: init, regular, ephemeral.
    pub fn visit_containers(&self, mut visit: impl FnMut(&Container<'_, 'a>)) {
        let spec = self.spec();
        self.with_spec_path(|spec_path| {
            for list in ContainerList::ALL {
                let list_path = spec_path.key(list.field());
                for (index, node) in spec.items_of(list.field()).iter().enumerate() {
                    visit(&Container { node: *node, path: list_path.item(index, "name", *node), list });
                }
            }
        });
    }

    fn with_path(&self, key: &str, visit: impl FnOnce(&Path<'_>)) {
        // A path is a chain on the stack: each depth has its own arm. CronJob is the deepest.
        fn descend<'p>(path: &Path<'p>, keys: &[&'p str], last: &'p str, visit: impl FnOnce(&Path<'_>)) {
            match keys {
                [] => visit(&path.key(last)),
                [one] => visit(&path.key(one).key(last)),
                [one, two] => visit(&path.key(one).key(two).key(last)),
                [one, two, three, ..] => visit(&path.key(one).key(two).key(three).key(last)),
            }
        }
        match self.parents {
            [] => visit(&Path::root(key)),
            [first, rest @ ..] => descend(&Path::root(first), rest, key, visit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    fn paths(group: &str, kind: &str, text: &str) -> Vec<String> {
        let arena = Arena::with_limit(1 << 20);
        let mut paths = vec![];
        if let Some(pod) = Pod::of(group, kind, read(&arena, text).unwrap()) {
            pod.visit_containers(|container| paths.push(container.path.key("image").to_buf().to_string()));
            pod.with_metadata_path(|path| paths.push(path.to_buf().to_string()));
        }
        paths
    }

    #[test]
    fn visits_init_regular_and_ephemeral_containers() {
        let pod =
            r#"{"spec":{"containers":[{"name":"a"},{"name":"b"}],"ephemeralContainers":[{}],"initContainers":[{}]}}"#;
        assert_eq!(
            paths("", "Pod", pod),
            [
                "spec.initContainers[0].image",
                "spec.containers[0].image",
                "spec.containers[1].image",
                "spec.ephemeralContainers[0].image",
                "metadata"
            ]
        );
    }

    #[test]
    fn finds_the_template_of_every_workload() {
        let template = r#"{"spec":{"containers":[{}]}}"#;
        for (group, kind) in [
            ("", "ReplicationController"),
            ("apps", "ReplicaSet"),
            ("apps", "Deployment"),
            ("apps", "StatefulSet"),
            ("apps", "DaemonSet"),
            ("batch", "Job"),
        ] {
            let object = format!(r#"{{"spec":{{"template":{template}}}}}"#);
            assert_eq!(
                paths(group, kind, &object),
                ["spec.template.spec.containers[0].image", "spec.template.metadata"]
            );
        }
        assert_eq!(
            paths("", "PodTemplate", &format!(r#"{{"template":{template}}}"#)),
            ["template.spec.containers[0].image", "template.metadata"]
        );
        let cron = format!(r#"{{"spec":{{"jobTemplate":{{"spec":{{"template":{template}}}}}}}}}"#);
        assert_eq!(
            paths("batch", "CronJob", &cron),
            ["spec.jobTemplate.spec.template.spec.containers[0].image", "spec.jobTemplate.spec.template.metadata"]
        );
    }

    #[test]
    fn passes_over_other_kinds_and_wrong_types() {
        assert!(paths("", "Service", r#"{"spec":{"containers":[{}]}}"#).is_empty());
        assert!(paths("example.com", "Pod", r#"{"spec":{"containers":[{}]}}"#).is_empty());
        assert!(paths("apps", "Deployment", r#"{"spec":{"template":[]}}"#).is_empty());
        assert_eq!(paths("", "Pod", r#"{"spec":{"containers":"x"}}"#), ["metadata"]);
    }
}
