//! `sysctls`: sysctls can disable security mechanisms or affect all containers on a host, and should be disallowed except for
//! an allowed "safe" subset.

use super::{Check, Forbidden, Level, PodFields, Revision};

pub(super) const CHECK: Check = Check {
    id: "sysctls",
    level: Level::Baseline,
    revisions: &[
        Revision::since(0, |pod| judge(pod, 0)),
        Revision::since(27, |pod| judge(pod, 27)),
        Revision::since(29, |pod| judge(pod, 29)),
        Revision::since(32, |pod| judge(pod, 32)),
        Revision::since(37, |pod| judge(pod, 37)),
    ],
};

/// What is safe, and the version of Kubernetes since which it is known to be.
pub(in crate::modules::validate) const SAFE: &[(&str, usize)] = &[
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

fn judge(pod: &PodFields<'_>, minor: usize) -> Option<Forbidden> {
    let is_safe = |name: &&str| SAFE.iter().any(|(safe, since)| safe == name && *since <= minor);
    let names = pod.security.items_of("sysctls").iter().map(|sysctl| sysctl.str("name").unwrap_or_default());
    let forbidden: Vec<&str> = names.filter(|name| !is_safe(name)).collect();
    (!forbidden.is_empty()).then(|| Forbidden { reason: "forbidden sysctls", detail: forbidden.join(", ") })
}
