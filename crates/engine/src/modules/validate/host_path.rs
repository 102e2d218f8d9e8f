//! Refuses files of the node but for those under allowed paths.
//!
//! # What it checks
//! `hostPath` volumes of pods and of the templates of workloads: `path` must lie under an allowed one. Paths are compared
//! part by part, so that `/var/log` allows `/var/log/pods` and not `/var/logs`; empty parts, `.` and a slash at the end do
//! not count. A path with `..` or `\`, and one that does not begin with `/`, lies under none: on Linux nobody needs them,
//! and the drives of Windows cannot be named here. Where several allowed paths fit, the longest decides.
//!
//! Where it says read-only, every mount of the volume must have `readOnly: true`, in init, regular and ephemeral
//! containers; absent and null mean false to Kubernetes.
//!
//! Links on the node cannot be seen: whoever can write to an allowed path can put a link there that leads elsewhere. A
//! read-only mount does not cover what is mounted below it on the node, unless `recursiveReadOnly` says so. Volumes of
//! other types, and PersistentVolumes that lead to the node, are not concerned.
//!
//! # Why
//! The node's files hold the credentials of its kubelet, the sockets of its container runtime and the data of all its
//! pods. The Pod Security Standards forbid hostPath volumes from `baseline` on.
//!
//! # Settings
//! - `allowed`: what may be mounted, each with `path` and `readOnly`, which is true by default. By default nothing.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: host-path }
//! spec:
//!   module: host-path
//!   settings:
//!     allowed:
//!       - path: /var/log
//!       - { path: /var/lib/node-agent, readOnly: false }
//! ```

mod rules;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::kubernetes::pod::Pod;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;
use rules::Rules;

/// What of the node may be mounted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Paths of the node under which everything may be mounted.
    allowed: Vec<AllowedPath>,
}

/// A path of the node.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct AllowedPath {
    /// Absolute: `/var/log`.
    path: String,
    /// Whether it may be mounted read-only alone.
    read_only: bool,
}

impl Default for AllowedPath {
    fn default() -> Self {
        Self { path: String::new(), read_only: true }
    }
}

/// See the page of `host-path`.
#[derive(Debug)]
pub struct HostPath {
    rules: Rules,
}

impl Module for HostPath {
    const ID: &'static str = "host-path";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/host-filesystem",
        "kyverno/disallow-host-path",
        "kyverno/ensure-readonly-hostpath",
        "pss/hostPathVolumes",
    ];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("host_path.rs");
    type Settings = Settings;

    fn new(Settings { allowed }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { rules: Rules::new(&allowed)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let path = "v.hostPath.?path.orValue('')";
        let is_plain =
            format!("{path}.startsWith('/') && !{path}.contains('\\\\') && !{path}.matches('(?:^|/)[.][.](?:/|$)')");
        let volumes = "#spec.?volumes.orValue([]).filter(v, v.?hostPath.hasValue())";
        let under = self.rules.patterns();
        let any: Vec<String> = under.iter().map(|(pattern, _)| twin::whole(path, pattern)).collect();
        let is_allowed = if any.is_empty() { "false".to_owned() } else { any.join(" || ") };
        let outside = format!(
            "{volumes}.filter(v, !({is_plain} && ({is_allowed}))).map(v, 'volumes[' + v.name + '].hostPath.path\\n' + {path})"
        );
        let twin = CelTwin::of(outside, format!("the host path is not allowed; {}", self.rules.accepted()));
        if !under.iter().any(|(_, read_only)| *read_only) {
            return Ok(twin);
        }
        // The longest rule decides: it stands first.
        let decides = under.iter().fold(String::new(), |text, (pattern, read_only)| {
            format!("{text}{} ? {read_only} : ", twin::whole(path, pattern))
        });
        let fields = ["name", "mountPath", "subPath", "subPathExpr", "mountPropagation", "recursiveReadOnly"];
        let whole: Vec<String> = fields.iter().map(|field| format!("m.?{field}.orValue('')")).collect();
        let mounts = format!(
            "c.it.?volumeMounts.orValue([]).filter(m, !m.?readOnly.orValue(false)).map(m, \
             {volumes}.filter(v, v.name == m.name && {is_plain} && ({decides}false)).map(v, c.at + '.volumeMounts[' + \
             m.mountPath + '].readOnly\\n' + {path} + ' ' + {}).join('\\t'))",
            whole.join(" + ' ' + ")
        );
        let message = "the host path may be mounted read-only alone: set it to true";
        Ok(twin.and(twin::nested("#containers", "c", &mounts), message))
    }
}

impl HostPath {
    fn judge(&self, pod: &Pod<'_>, index: usize, volume: Node<'_>, subject: &Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(source) = volume.field("hostPath") else { return };
        let path = source.get("path").unwrap_or_default();
        match path.as_str().and_then(|path| self.rules.of(path)) {
            None => pod.with_spec_path(|spec| {
                let list = spec.key("volumes");
                let place = list.item(index, "name", volume);
                let message = format!("the host path is not allowed; {}", self.rules.accepted());
                report.finding(&place.key("hostPath").key("path"), path, message);
            }),
            Some(rule) if rule.read_only => visit_mounts(pod, volume, |place, mount| {
                let read_only = mount.field("readOnly");
                if read_only.and_then(Node::as_bool) != Some(true) {
                    // Another path under the same mount, or another mount, is another violation.
                    let value = subject.arena().list(&[path, mount]);
                    let message = "the host path may be mounted read-only alone: set it to true";
                    report.finding(&place.key("readOnly"), value, message);
                }
            }),
            Some(_) => {}
        }
    }
}

/// Calls `visit` with each mount of this volume and its place.
fn visit_mounts<'a>(pod: &Pod<'a>, volume: Node<'_>, mut visit: impl FnMut(&Path<'_>, Node<'a>)) {
    let Some(name) = volume.str("name") else { return };
    pod.visit_containers(|container| {
        let list = container.path.key("volumeMounts");
        for (index, mount) in container.node.items_of("volumeMounts").iter().enumerate() {
            if mount.str("name") == Some(name) {
                visit(&list.item(index, "mountPath", *mount), *mount);
            }
        }
    });
}

impl Validate for HostPath {
    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        for (index, volume) in pod.spec().items_of("volumes").iter().enumerate() {
            self.judge(&pod, index, *volume, &subject, report);
        }
    }
}
