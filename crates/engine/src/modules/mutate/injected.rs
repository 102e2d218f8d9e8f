//! A container with the volumes that it needs, for pods that do not have it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::named::{Named, add_missing, text_of};
use super::open;
use crate::json::{Constant, Node, edit};
use crate::kubernetes::pod::{Changeable, ContainerList, Pod};
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{PathPattern, SettingsError};
use crate::verdict::PolicyError;

/// A place in a list of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Position {
    /// Before all others.
    First,
    /// After all others.
    Last,
}

/// What is put into pods, and where.
#[derive(Debug)]
pub(super) struct Injected {
    container: Named,
    list: ContainerList,
    position: Position,
    volumes: Vec<Named>,
}

impl Injected {
    /// From the settings `container` and `volumes`.
    pub(super) fn read(
        container: Constant,
        volumes: Vec<Constant>,
        list: ContainerList,
        position: Position,
        errors: &mut Vec<SettingsError>,
    ) -> Self {
        let container = Named::read("/container", container, errors);
        if text_of(&container.value, "image").is_empty() {
            let message = "the container has no image: expected one such as \"registry.example.com/proxy:1.0\"";
            errors.push(problem("/container/image", message));
        }
        Self { container, list, position, volumes: Named::read_all("/volumes", volumes, errors) }
    }

    /// The places that it may write.
    pub(super) fn writes(&self) -> Vec<PathPattern> {
        let container = PathPattern(format!("spec.{}[name={}]", self.list.field(), self.container.name));
        let volumes = self.volumes.iter().map(|volume| PathPattern(format!("spec.volumes[name={}]", volume.name)));
        std::iter::once(container).chain(volumes).collect()
    }

    /// Names are unique among all containers of a pod.
    fn is_in(&self, pod: &Pod<'_>) -> bool {
        let mut found = false;
        pod.visit_containers(|container| found |= container.node.str("name") == Some(&self.container.name));
        found
    }

    /// The object with the container, and those of its volumes whose names are free; as it is where the pod has a container
    /// of this name, or none can be added.
    pub(super) fn inject<'a>(&self, subject: &Subject<'_, 'a>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(subject).filter(|(pod, _)| !self.is_in(pod)) else {
            return Ok(subject.object);
        };
        let arena = subject.arena();
        let root = pod.edit_spec(arena, |spec| {
            let spec = add_missing(arena, spec, "volumes", &self.volumes)?;
            let container = self.container.value.build(arena);
            match self.position {
                Position::First => edit::insert(arena, spec, &[self.list.field()], 0, container),
                Position::Last => edit::append(arena, spec, &[self.list.field()], container),
            }
        })?;
        Ok(root)
    }
}
