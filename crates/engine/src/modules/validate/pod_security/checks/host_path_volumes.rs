//! `hostPathVolumes`: hostPath volumes must be forbidden.

use super::{Check, Forbidden, Level, PodFields, Revision, plural, quoted};

pub(super) const ID: &str = "hostPathVolumes";

pub(super) const CHECK: Check = Check { id: ID, level: Level::Baseline, revisions: &[Revision::since(0, judge)] };

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let volumes = pod.spec.items_of("volumes").iter().filter(|volume| volume.field("hostPath").is_some());
    let names: Vec<&str> = volumes.map(|volume| volume.str("name").unwrap_or_default()).collect();
    (!names.is_empty()).then(|| Forbidden {
        reason: "hostPath volumes",
        detail: format!("{} {}", plural("volume", "volumes", names.len()), quoted(&names)),
    })
}
