//! The annotations that set profiles of seccomp and AppArmor before there were fields.

use super::exempt_images::ExemptImages;
use crate::json::{Node, Path};
use crate::kubernetes::pod::Pod;

/// Calls `visit` with the place and the value of each such annotation: the one of the whole pod, if there is such a key, and
/// those of containers, whose name follows the prefix. Those of exempt containers are left out.
pub(super) fn visit_annotations<'a>(
    pod: &Pod<'a>,
    exempt: &ExemptImages,
    of_pod: Option<&str>,
    of_container: &str,
    mut visit: impl FnMut(&Path<'_>, Node<'a>),
) {
    let is_exempt = |name: &str| {
        let (mut named, mut covered) = (0, 0);
        pod.visit_containers(|container| {
            if container.node.str("name") == Some(name) {
                named += 1;
                covered += u32::from(exempt.covers(container.node));
            }
        });
        named > 0 && named == covered
    };
    for (key, value) in pod.metadata().entries_of("annotations") {
        let is_meant = match key.strip_prefix(of_container) {
            Some(name) => !is_exempt(name),
            None => Some(*key) == of_pod,
        };
        // To Kubernetes null is no annotation.
        if is_meant && !value.is_null() {
            pod.with_metadata_path(|metadata| visit(&metadata.key("annotations").key(key), *value));
        }
    }
}
