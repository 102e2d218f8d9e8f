//! The pod in every object that holds one: a pod itself, or the template of a workload.
//!
//! Sources: core/v1 PodTemplateSpec and its users in core/v1, apps/v1 and batch/v1.

use crate::json::edit::{self, Edited};
use crate::json::{Arena, List, Node, Path};

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

/// Which containers of a pod may be changed.
#[derive(Clone, Copy, Debug)]
pub enum Changeable<'a> {
    /// All of them: there is no pod yet.
    All,
    /// The ephemeral containers that are not in this list of those which the pod has.
    NewEphemeral {
        /// `ephemeralContainers` of the stored pod.
        existing: List<'a>,
    },
}

impl Changeable<'_> {
    fn includes(&self, list: ContainerList, container: Node<'_>) -> bool {
        match self {
            Self::All => true,
            Self::NewEphemeral { existing } => {
                let name = container.str("name");
                list == ContainerList::Ephemeral && existing.iter().all(|other| other.str("name") != name)
            }
        }
    }
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

    /// The same pod in another root of the same object.
    pub fn with_root(&self, object: Node<'a>) -> Self {
        Self { object, parents: self.parents }
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

    /// Calls `visit` with each image that the pod names and its place: those of its containers, then those that it mounts
    /// as volumes (`spec.volumes[*].image.reference`). What is absent, null or empty names none.
    pub fn visit_images(&self, mut visit: impl FnMut(&Path<'_>, Node<'a>)) {
        let named = |holder: Node<'a>, key| holder.field(key).filter(|image| image.as_str() != Some(""));
        self.visit_containers(|container| {
            if let Some(image) = named(container.node, "image") {
                visit(&container.path.key("image"), image);
            }
        });
        let spec = self.spec();
        self.with_spec_path(|spec_path| {
            let list_path = spec_path.key("volumes");
            for (index, volume) in spec.items_of("volumes").iter().enumerate() {
                if let Some(image) = volume.field("image").and_then(|source| named(source, "reference")) {
                    visit(&list_path.item(index, "name", *volume).key("image").key("reference"), image);
                }
            }
        });
    }

    /// The root of the whole object, with what `with` makes of the pod's spec; as it is where there is no spec.
    ///
    /// # Errors
    /// Those of `with`, with their path seen from the root.
    pub fn edit_spec(&self, arena: &'a Arena, with: impl FnOnce(Node<'a>) -> Edited<'a>) -> Edited<'a> {
        if self.spec().is_null() {
            return Ok(self.object);
        }
        edit::update(arena, self.object, self.parents, |pod| edit::update(arena, pod, &["spec"], with))
    }

    /// The root of the whole object, with what `with` makes of each container that may be changed.
    ///
    /// # Errors
    /// Those of `with`, and a list of containers that is none.
    pub fn map_containers(
        &self,
        arena: &'a Arena,
        changeable: Changeable<'a>,
        mut with: impl FnMut(Node<'a>) -> Edited<'a>,
    ) -> Edited<'a> {
        self.map_lists(arena, changeable, |_, container| with(container))
    }

    /// The same, where `with` is told which list the container is in.
    ///
    /// # Errors
    /// The same.
    pub fn map_lists(
        &self,
        arena: &'a Arena,
        changeable: Changeable<'a>,
        mut with: impl FnMut(ContainerList, Node<'a>) -> Edited<'a>,
    ) -> Edited<'a> {
        self.edit_spec(arena, |spec| {
            ContainerList::ALL.into_iter().try_fold(spec, |spec, list| {
                edit::update(arena, spec, &[list.field()], |containers| {
                    edit::map_items(arena, containers, |_, container| {
                        if changeable.includes(list, container) { with(list, container) } else { Ok(container) }
                    })
                })
            })
        })
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
    fn visits_images_of_containers_and_of_volumes() {
        let text = r#"{"spec":{"containers":[{"image":"a"},{"image":""},{"image":null},{}],"volumes":[
            {"name":"m","image":{"reference":"b"}},{"name":"n","image":{}},{"name":"o","emptyDir":{}}]}}"#;
        let arena = Arena::with_limit(1 << 20);
        let mut images = vec![];
        Pod::of("", "Pod", read(&arena, text).unwrap())
            .unwrap()
            .visit_images(|path, image| images.push((path.to_buf().to_string(), image.as_str().unwrap())));
        assert_eq!(
            images,
            [("spec.containers[0].image".to_owned(), "a"), ("spec.volumes[0].image.reference".to_owned(), "b")]
        );
    }

    #[test]
    fn changes_the_containers_that_may_be_changed() {
        let pod = r#"{"spec":{"containers":[{"name":"a"}],"ephemeralContainers":[{"name":"b"},{"name":"c"}]}}"#;
        let cron = format!(r#"{{"spec":{{"jobTemplate":{{"spec":{{"template":{pod}}}}}}}}}"#);
        let arena = Arena::with_limit(1 << 20);
        let existing = read(&arena, r#"[{"name":"b"}]"#).unwrap().items();
        let marked = |group, kind, text, changeable| {
            let pod = Pod::of(group, kind, read(&arena, text).unwrap()).unwrap();
            let root = pod.map_containers(&arena, changeable, |container| {
                edit::set(&arena, container, &["tty"], Node::bool(true))
            });
            serde_json::to_string(&root.unwrap()).unwrap()
        };
        let new_only = pod.replace(r#""c"}"#, r#""c","tty":true}"#);
        assert_eq!(marked("", "Pod", pod, Changeable::NewEphemeral { existing }), new_only);
        assert_eq!(
            marked("batch", "CronJob", &cron, Changeable::All),
            cron.replace(r#""a"}"#, r#""a","tty":true}"#)
                .replace(r#""b"}"#, r#""b","tty":true}"#)
                .replace(r#""c"}"#, r#""c","tty":true}"#)
        );
        for nothing in ["{}", r#"{"spec":null}"#, r#"{"spec":{"containers":null}}"#] {
            assert_eq!(marked("", "Pod", nothing, Changeable::All), nothing);
        }
    }

    #[test]
    fn passes_over_other_kinds_and_wrong_types() {
        assert!(paths("", "Service", r#"{"spec":{"containers":[{}]}}"#).is_empty());
        assert!(paths("example.com", "Pod", r#"{"spec":{"containers":[{}]}}"#).is_empty());
        assert!(paths("apps", "Deployment", r#"{"spec":{"template":[]}}"#).is_empty());
        assert_eq!(paths("", "Pod", r#"{"spec":{"containers":"x"}}"#), ["metadata"]);
    }
}
