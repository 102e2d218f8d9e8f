//! Pods that are put on a node by other means than the scheduler's choice.

use crate::kubernetes::owner::controller;
use crate::kubernetes::pod::Pod;

/// Whether the pod's node is settled: it names one, or a DaemonSet made it for one. A demand on nodes that this one does not
/// meet would keep the first from starting and leave the second waiting for ever, while the DaemonSet makes no other. A
/// template of a DaemonSet is not settled: its controller reads the demand.
pub(super) fn is_placed(pod: &Pod<'_>) -> bool {
    let is_named = pod.spec().field("nodeName").is_some_and(|name| name.as_str() != Some(""));
    let is_of_daemon_set = controller(pod.node()).is_some_and(|owner| owner.str("kind") == Some("DaemonSet"));
    is_named || is_of_daemon_set
}
