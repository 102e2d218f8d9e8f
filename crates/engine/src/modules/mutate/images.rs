//! Whatever names an image in a pod: its containers, and the volumes that are images.

use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::pod::{Changeable, Pod};

/// The field of a volume's source that names an image; of containers it is `image`.
pub(super) const OF_VOLUME: &str = "reference";

/// The root of the whole object, with what `with` makes of each map that names an image, given the field that does.
///
/// # Errors
/// Those of `with`, and lists that are none.
pub(super) fn map<'a>(
    arena: &'a Arena,
    pod: &Pod<'a>,
    changeable: Changeable<'a>,
    mut with: impl FnMut(Node<'a>, &'static str) -> Edited<'a>,
) -> Edited<'a> {
    let root = pod.map_containers(arena, changeable, |container| with(container, "image"))?;
    match changeable {
        Changeable::NewEphemeral { .. } => Ok(root),
        Changeable::All => pod.with_root(root).edit_spec(arena, |spec| {
            edit::update(arena, spec, &["volumes"], |volumes| {
                edit::map_items(arena, volumes, |_, volume| match volume.field("image") {
                    None => Ok(volume),
                    Some(source) => edit::set(arena, volume, &["image"], with(source, OF_VOLUME)?),
                })
            })
        }),
    }
}
