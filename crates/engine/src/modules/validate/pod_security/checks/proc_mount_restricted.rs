//! `procMount_restricted`: the default /proc masks are set up to reduce attack surface, and should be required.

use super::{Check, Level, Revision, proc_mount_baseline};

pub(super) const CHECK: Check = Check {
    id: "procMount_restricted",
    level: Level::Restricted,
    // `baseline` lets pods in user namespaces pass since 1.35; `restricted` goes on as before.
    revisions: &[Revision { since: 35, replaces: &[proc_mount_baseline::ID], judge: proc_mount_baseline::judge }],
};
