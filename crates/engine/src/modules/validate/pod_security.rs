//! Holds pods to the Pod Security Standards, as the API server's own admission does.
//!
//! # What it checks
//! All checks of the levels `baseline` and `restricted`, in the form of any Kubernetes version from v1.0 to v1.37; newer
//! versions mean the newest known. Ids, reasons and details are those of Kubernetes' own admission (PodSecurity), word for
//! word, with all violations of a pod in one message. Init, regular and ephemeral containers count alike.
//!
//! - `baseline`: hostNamespaces, hostPathVolumes, hostPorts, privileged, windowsHostProcess, capabilities_baseline,
//!   appArmorProfile, seLinuxOptions, procMount, seccompProfile_baseline, sysctls, and since v1.34
//!   hostProbesAndHostLifecycle.
//! - `restricted`: all of these, or a stricter check in their place, and restrictedVolumes, runAsNonRoot, since v1.8
//!   allowPrivilegeEscalation, since v1.19 seccompProfile_restricted, since v1.22 capabilities_restricted, since v1.23
//!   runAsUser, since v1.35 procMount_restricted. Since v1.25 a pod with `spec.os.name: windows` need not set what Windows
//!   does not know; since v1.35 a pod with `hostUsers: false` may run as root inside.
//!
//! Pods are refused for what violates `enforce` and warned about for what violates `warn`; what violates `audit` goes into
//! the audit log. The templates of workloads are never refused, only warned about and audited. The policy's own `actions`
//! can weaken this, not strengthen it: with `[Warn]` nothing is refused, with `[Audit]` all of it goes into the audit log.
//! A warning is cut after 256 bytes; a denial and the audit log hold the whole text.
//!
//! An update of a pod is judged when it changes an image, the number of its containers, or adds an ephemeral container;
//! nothing else that the standards look at can change. `pods/status` is the kubelet's. What the stored object violates in
//! the very same way is let pass unless the policy says `existing: Deny`, which is what Kubernetes' own admission does.
//!
//! A volume without a source is an `emptyDir`, as the API server fills it in; one with a source that nobody knows yet is
//! restricted.
//!
//! The audit log holds under the policy's name `enforce-policy` (the standard a pod was held to), `audit-violations`,
//! `exempt` (`namespace`, `user` or `runtimeClass`) and `error`.
//!
//! # Why
//! A container with the node's namespaces, paths or privileges is as good as root on the node, and with that in the
//! cluster. The standards name what a pod needs for it, and what most pods never need.
//!
//! Beside Kubernetes' own admission this one brings the newest standards to older clusters, exemptions and defaults that
//! need no restart of the API server, and the same answer offline.
//!
//! # Settings
//! - `enforce`, `audit`, `warn`: the levels: `privileged` (anything), `baseline`, or `restricted`, the default of each.
//! - `enforceVersion`, `auditVersion`, `warnVersion`: the versions: `v1.30`, or `latest`, the default of each.
//! - `namespaceLabels`: whether the labels `pod-security.kubernetes.io/enforce`, `enforce-version`, `audit`,
//!   `audit-version`, `warn` and `warn-version` of a Namespace replace these levels and versions there. By default they do
//!   not. Where they do, a Namespace whose labels cannot be read is refused, and a stricter label is answered with warnings
//!   that name the pods which violate it.
//! - `exemptions`: what is never judged, as exact names: `usernames` (who asks; for pods of a controller that is the
//!   controller), `runtimeClasses` and `namespaces`.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: pod-security }
//! spec:
//!   module: pod-security
//!   settings:
//!     enforce: baseline
//!     warn: restricted
//!     audit: restricted
//!     namespaceLabels: true
//!     exemptions:
//!       namespaces: [kube-system]
//! ```

mod check;
mod checks;
mod labels;
mod level;
mod namespace;
mod relabel;
mod settings;
mod table;
mod twin;
mod update;
mod wording;

use std::fmt;

use self::check::PodFields;
pub(super) use self::checks::RESTRICTED_VOLUMES;
use self::level::{Level, Modes, Standard};
use self::settings::Exemptions;
pub use self::settings::Settings;
use self::table::{Table, details};
use crate::json::Node;
use crate::kubernetes::pod::Pod;
use crate::review::{Answer, Lookup, Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::{Action, PolicyError, Report};

/// See the page of `pod-security`.
pub struct PodSecurity {
    table: Table,
    /// What holds where labels say nothing, or are not asked.
    defaults: Modes,
    namespace_labels: bool,
    exemptions: Exemptions,
}

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

impl Module for PodSecurity {
    const ID: &'static str = "pod-security";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::To(&[
        Resources {
            groups: &[""],
            resources: &[
                "pods",
                "pods/ephemeralcontainers",
                "pods/resize",
                "podtemplates",
                "replicationcontrollers",
                "namespaces",
            ],
            operations: WRITES,
        },
        Resources {
            groups: &["apps"],
            resources: &["replicasets", "deployments", "statefulsets", "daemonsets"],
            operations: WRITES,
        },
        Resources { groups: &["batch"], resources: &["jobs", "cronjobs"], operations: WRITES },
    ]);
    const REPLACES: &'static [&'static str] = settings::REPLACES;
    const PUBLIC: &'static [&'static str] = settings::PUBLIC;
    const DOC: &'static str = include_str!("pod_security.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let defaults = settings.modes()?;
        let Settings { namespace_labels, exemptions, .. } = settings;
        Ok(Self { table: Table::new(), defaults, namespace_labels, exemptions })
    }

    fn lookups(&self) -> Vec<Lookup<'static>> {
        if self.namespace_labels { vec![Lookup::Namespace("".into()), Lookup::Pods("".into())] } else { vec![] }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        twin::of(self)
    }
}

/// Subresources of pods whose objects are no pods, and the one that is the kubelet's; upstream's list.
const IGNORED: &[&str] = &["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"];

impl Validate for PodSecurity {
    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        let review = subject.review;
        if !matches!(review.operation, Operation::Create | Operation::Update) {
            return;
        }
        if review.is_of_namespace() {
            if self.namespace_labels {
                self.judge_namespace(subject, report);
            }
            return;
        }
        let Some(pod) = subject.pod() else { return };
        let ignored =
            if pod.is_template() { !review.subresource.is_empty() } else { IGNORED.contains(&review.subresource) };
        if ignored {
            return;
        }
        if self.exempts_namespace(review.namespace) {
            return report.annotate("exempt", "namespace");
        }
        if contains(&self.exemptions.usernames, review.user.username) {
            return report.annotate("exempt", "user");
        }
        let Some(modes) = self.modes(subject, &pod, report) else { return };
        if pod.is_template() && modes.warn.level == Level::Privileged && modes.audit.level == Level::Privileged {
            return;
        }
        let is_significant = || {
            let old = subject.old_object.filter(|_| review.operation == Operation::Update);
            old.is_none_or(|old| update::is_significant(pod.spec(), old.get("spec").unwrap_or_default()))
        };
        if !pod.is_template() && !is_significant() {
            return;
        }
        if self.exempts_runtime_class(pod.spec()) {
            return report.annotate("exempt", "runtimeClass");
        }
        self.judge(&PodFields::of(subject.arena(), pod.metadata(), pod.spec()), !pod.is_template(), &modes, report);
    }

    fn asks(&self) -> Option<&'static str> {
        self.namespace_labels.then_some("reads the labels of namespaces")
    }
}

impl PodSecurity {
    /// What holds for this pod; None where nothing is to be judged, or it cannot be known.
    fn modes(&self, subject: Subject<'_, '_>, pod: &Pod<'_>, report: &mut Report<'_>) -> Option<Modes> {
        let mut modes = self.defaults;
        let mut is_wrong = false;
        if self.namespace_labels {
            let labels = namespace::labels_of(namespace(subject, pod, report)?);
            let (asked, wrong) = labels::modes(labels, &self.defaults);
            modes = asked;
            is_wrong = !wrong.is_empty();
            if is_wrong {
                report.annotate("error", labels::failure(&wrong));
            }
        }
        if !pod.is_template() && !is_wrong && modes.is_privileged() {
            report.annotate("enforce-policy", "privileged:latest");
            return None;
        }
        Some(modes)
    }

    fn judge(&self, pod: &PodFields<'_>, enforces: bool, modes: &Modes, report: &mut Report<'_>) {
        // Modes often agree: what one standard says of the pod is asked once.
        let mut known: [Option<(Standard, String)>; 2] = [None, None];
        let mut ask = |standard: Standard| {
            let before = known.iter().flatten().find(|(asked, _)| *asked == standard);
            let text = before.map_or_else(|| details(&self.table.judge(standard, pod)), |(_, text)| text.clone());
            if let Some(free) = known.iter_mut().find(|known| known.is_none()) {
                *free = Some((standard, text.clone()));
            }
            (!text.is_empty()).then_some(text)
        };
        let mut is_refused = false;
        if enforces {
            report.annotate("enforce-policy", modes.enforce.to_string());
            if let Some(text) = ask(modes.enforce) {
                is_refused = true;
                let message = format!("violates PodSecurity \"{}\": {text}", modes.enforce);
                report.finding_of_object(Action::Deny, message);
            }
        }
        let would = |standard, text| format!("would violate PodSecurity \"{standard}\": {text}");
        if let Some(text) = ask(modes.audit) {
            report.annotate("audit-violations", would(modes.audit, text));
        }
        // What is refused need not be warned about.
        if !is_refused && let Some(text) = ask(modes.warn) {
            report.finding_of_object(Action::Warn, would(modes.warn, text));
        }
    }

    fn exempts_namespace(&self, name: &str) -> bool {
        contains(&self.exemptions.namespaces, name)
    }

    fn exempts_runtime_class(&self, spec: Node<'_>) -> bool {
        spec.str("runtimeClassName").is_some_and(|name| contains(&self.exemptions.runtime_classes, name))
    }
}

/// The Namespace. A pod is refused where it cannot be known; a template is let pass, as its pods will be judged.
fn namespace<'a>(subject: Subject<'_, 'a>, pod: &Pod<'_>, report: &mut Report<'_>) -> Option<Node<'a>> {
    let (name, arena) = (subject.review.namespace, subject.arena());
    let lookup = Lookup::Namespace(name.into());
    let reason = match report.answer(&lookup, arena) {
        Answer::Found(namespace) => return Some(namespace),
        Answer::Unknown => {
            report.need(lookup.into_owned());
            return None;
        }
        Answer::Missing => "it does not exist",
        Answer::Unavailable(reason) => reason,
    };
    if pod.is_template() {
        report.annotate("error", format!("failed to lookup namespace {name:?}: {reason}"));
    } else {
        report.error(PolicyError::Unanswered { lookup: lookup.into_owned(), reason });
    }
    None
}

/// Whether the list has the name; nobody and nothing has none.
fn contains(list: &[String], name: &str) -> bool {
    !name.is_empty() && list.iter().any(|item| item == name)
}

impl fmt::Debug for PodSecurity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PodSecurity({})", self.defaults.enforce)
    }
}

#[cfg(test)]
mod tests;
