//! Containers that a policy about what containers may do lets pass, by their images.

use crate::json::Node;
use crate::kubernetes::image::{Image, ImagePattern};
use crate::kubernetes::pod::{Container, Pod};
use crate::kubernetes::security::Context;
use crate::modules::patterns;
use crate::rule::SettingsError;
use crate::twin;

/// The setting `exemptImages`: patterns in the notation of `allowed-registries`. An image that no runtime could read is
/// never exempt.
#[derive(Debug, Default)]
pub(super) struct ExemptImages(Vec<ImagePattern>);

impl ExemptImages {
    /// The patterns.
    ///
    /// # Errors
    /// Each that no image can begin with.
    pub(super) fn new(texts: &[String]) -> Result<Self, Vec<SettingsError>> {
        patterns::of_images("/exemptImages", texts).map(Self)
    }

    /// Whether this container is let pass.
    pub(super) fn covers(&self, container: Node<'_>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let image = container.str("image").and_then(|image| Image::parse(image).ok());
        image.is_some_and(|image| self.covers_image(&image))
    }

    /// Whether this image is.
    pub(super) fn covers_image(&self, image: &Image<'_>) -> bool {
        self.0.iter().any(|pattern| pattern.covers(image))
    }

    /// ` && …`: that a container, as CEL names it, is not let pass.
    pub(super) fn and_not(&self, container: &str) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        format!(" && !{}", self.covers_in_cel(container))
    }

    /// The same of the security context `c`: the pod's is let pass if all of its containers are.
    pub(super) fn and_no_context(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let all = format!("#containers.size() > 0 && #containers.all(d, {})", self.covers_in_cel("d.it"));
        format!(" && !(c.of == null ? {all} : {})", self.covers_in_cel("c.of"))
    }

    /// ` && …`: that an image, as CEL names it, is not let pass.
    pub(super) fn and_not_image(&self, image: &str) -> String {
        if self.0.is_empty() { String::new() } else { format!(" && !{}", twin::covered(image, &self.0)) }
    }

    fn covers_in_cel(&self, container: &str) -> String {
        twin::covered(&format!("{container}.?image.orValue('')"), &self.0)
    }

    /// ` && …`: that not all containers of this name, which CEL says, are let pass, or that there is none.
    pub(super) fn and_no_name(&self, name: &str) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let named = format!("#containers.filter(d, d.it.?name.orValue('') == {name})");
        format!(" && !({named}.size() > 0 && {named}.all(d, {}))", self.covers_in_cel("d.it"))
    }

    /// Calls `visit` with each container that is not let pass.
    pub(super) fn visit_containers<'a>(&self, pod: &Pod<'a>, mut visit: impl FnMut(&Container<'_, 'a>)) {
        pod.visit_containers(|container| {
            if !self.covers(container.node) {
                visit(container);
            }
        });
    }

    /// Calls `visit` with the pod's security context, unless all of its containers are let pass, and with that of each
    /// container which is not.
    pub(super) fn visit_security<'a>(&self, pod: &Pod<'a>, mut visit: impl FnMut(&Context<'_, 'a>)) {
        let judges_pod = !self.covers_all(pod);
        pod.visit_security(|context| {
            if context.container.map_or(judges_pod, |container| !self.covers(container)) {
                visit(context);
            }
        });
    }

    fn covers_all(&self, pod: &Pod<'_>) -> bool {
        let (mut containers, mut covered) = (0, 0);
        if !self.0.is_empty() {
            pod.visit_containers(|container| {
                containers += 1;
                covered += u32::from(self.covers(container.node));
            });
        }
        containers > 0 && covered == containers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    fn visited(exempt: &[&str], images: &[&str]) -> Vec<String> {
        let exempt: Vec<String> = exempt.iter().map(ToString::to_string).collect();
        let containers: Vec<_> = images.iter().map(|image| serde_json::json!({"image": image})).collect();
        let text = serde_json::json!({"spec": {"containers": containers}}).to_string();
        let arena = Arena::with_limit(1 << 20);
        let pod = Pod::of("", "Pod", read(&arena, &text).unwrap()).unwrap();
        let mut paths = vec![];
        ExemptImages::new(&exempt)
            .unwrap()
            .visit_security(&pod, |context| paths.push(context.path.to_buf().to_string()));
        paths
    }

    #[test]
    fn leaves_out_what_is_exempt_and_the_pod_if_all_are() {
        let (pod, first, second) =
            ("spec.securityContext", "spec.containers[0].securityContext", "spec.containers[1].securityContext");
        let exempt = ["ghcr.io/acme/agents", "docker.io/library/busybox"];
        assert_eq!(visited(&[], &["nginx", "busybox"]), [pod, first, second]);
        assert_eq!(visited(&exempt, &["nginx", "busybox:1"]), [pod, first]);
        assert_eq!(visited(&exempt, &["ghcr.io/acme/agents/node:1", "busybox"]), [""; 0]);
        assert_eq!(visited(&exempt, &["ghcr.io/acme/agents-evil/node", "Busybox"]), [pod, first, second]);
        assert_eq!(visited(&exempt, &[]), [pod]);
    }

    #[test]
    fn rejects_what_no_image_begins_with() {
        let errors = ExemptImages::new(&["ghcr.io/acme".into(), "nginx".into()]).unwrap_err();
        let expected = SettingsError {
            pointer: "/exemptImages/1".to_owned(),
            message: "\"nginx\" names no registry: expected a host and perhaps a path, `docker.io/library/nginx` or \
                      `ghcr.io/acme`"
                .to_owned(),
        };
        assert_eq!(errors, [expected]);
    }
}
