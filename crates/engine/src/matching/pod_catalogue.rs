//! Where pods and templates of pods stand: what modules about pods match when the policy does not say.

use crate::review::Operation;
use crate::rule::Resources;

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

/// For validators. Ephemeral containers and resizes change pods past their own UPDATE; a template that no pod may be made
/// of is refused where its author sees it. `pods/status` is the kubelet's, and no policy about the specification needs it.
pub const VALIDATED: &[Resources] = &[
    Resources {
        groups: &[""],
        resources: &["pods", "pods/ephemeralcontainers", "pods/resize", "podtemplates", "replicationcontrollers"],
        operations: WRITES,
    },
    Resources {
        groups: &["apps"],
        resources: &["replicasets", "deployments", "statefulsets", "daemonsets"],
        operations: WRITES,
    },
    Resources { groups: &["batch"], resources: &["jobs", "cronjobs"], operations: WRITES },
];

/// For mutators: the pods alone, so that nobody sees drift in a controller. A pod's specification cannot change
/// afterwards, but for ephemeral containers, which are added by an UPDATE of the subresource.
pub const MUTATED: &[Resources] = &[
    Resources { groups: &[""], resources: &["pods"], operations: &[Operation::Create] },
    Resources { groups: &[""], resources: &["pods/ephemeralcontainers"], operations: &[Operation::Update] },
];
