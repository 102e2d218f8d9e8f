//! What the labels of a Namespace ask for (k8s.io/pod-security-admission, api/helpers.go, `PolicyToEvaluate`).

use super::level::{Level, Modes, Standard, Version};
use crate::cel::kubernetes::quoted::Quoted;
use crate::json::Node;

const PREFIX: &str = "pod-security.kubernetes.io/";

/// A label that cannot be read. Until it can, its level is `restricted` for enforce and `privileged` for audit and warn, and
/// its version the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WrongLabel<'a> {
    pub(super) key: &'static str,
    pub(super) value: &'a str,
    reason: &'static str,
}

impl WrongLabel<'_> {
    /// What is wrong with the value, as the API server says it.
    pub(super) fn message(&self) -> String {
        format!("Invalid value: {}: {}", Quoted(self.value), self.reason)
    }
}

/// Those of one Namespace: there are six labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WrongLabels<'a> {
    labels: [WrongLabel<'a>; 6],
    count: usize,
}

impl<'a> WrongLabels<'a> {
    fn note(&mut self, label: WrongLabel<'a>) {
        if let Some(place) = self.labels.get_mut(self.count) {
            *place = label;
            self.count += 1;
        }
    }

    pub(super) fn all(&self) -> &[WrongLabel<'a>] {
        self.labels.get(..self.count).unwrap_or_default()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// The labels of one mode.
struct Keys {
    level: &'static str,
    version: &'static str,
}

const ENFORCE: Keys =
    Keys { level: "pod-security.kubernetes.io/enforce", version: "pod-security.kubernetes.io/enforce-version" };
const AUDIT: Keys =
    Keys { level: "pod-security.kubernetes.io/audit", version: "pod-security.kubernetes.io/audit-version" };
const WARN: Keys =
    Keys { level: "pod-security.kubernetes.io/warn", version: "pod-security.kubernetes.io/warn-version" };

/// What a Namespace with these labels asks for, and which of them cannot be read.
pub(super) fn modes<'a>(labels: Node<'a>, defaults: &Modes) -> (Modes, WrongLabels<'a>) {
    let (mut modes, mut wrong) = (*defaults, WrongLabels::default());
    if !labels.entries().iter().any(|(key, _)| key.starts_with(PREFIX)) {
        return (modes, wrong);
    }
    let enforce = read(&ENFORCE, labels, &mut modes.enforce, Level::Restricted, &mut wrong);
    read(&AUDIT, labels, &mut modes.audit, Level::Privileged, &mut wrong);
    read(&WARN, labels, &mut modes.warn, Level::Privileged, &mut wrong);
    // Whoever asks for a stricter level than users are warned about wants them to be warned as well.
    if value(labels, WARN.level).is_none() && enforce == Some(true) && modes.enforce.level > modes.warn.level {
        modes.warn.level = modes.enforce.level;
        if value(labels, WARN.version).is_none() {
            modes.warn.version = modes.enforce.version;
        }
    }
    (modes, wrong)
}

/// A label's text. One that is none is wrong for every use.
fn value<'a>(labels: Node<'a>, key: &str) -> Option<&'a str> {
    labels.get(key).map(|value| value.as_str().unwrap_or_default())
}

/// Reads the labels of a mode; whether there is a level that can be read.
fn read<'a>(
    keys: &Keys,
    labels: Node<'a>,
    standard: &mut Standard,
    otherwise: Level,
    wrong: &mut WrongLabels<'a>,
) -> Option<bool> {
    let level = value(labels, keys.level).map(|value| {
        let level = Level::parse(value);
        standard.level = level.unwrap_or(otherwise);
        if let Err(reason) = level {
            wrong.note(WrongLabel { key: keys.level, value, reason });
        }
        level.is_ok()
    });
    if let Some(value) = value(labels, keys.version) {
        let version = Version::parse(value);
        standard.version = version.unwrap_or(Version::Latest);
        if let Err(reason) = version {
            wrong.note(WrongLabel { key: keys.version, value, reason });
        }
    }
    level
}

/// What is said of all wrong labels in the audit log.
pub(super) fn failure(wrong: &WrongLabels<'_>) -> String {
    let wrong = wrong.all();
    let each = wrong.iter().map(|label| format!("metadata.labels[{}]: {}", label.key, label.message()));
    let all = each.collect::<Vec<_>>().join(", ");
    if wrong.len() == 1 { format!("Failed to parse policy: {all}") } else { format!("Failed to parse policy: [{all}]") }
}

/// Which modes the labels set to something else than `privileged`: `enforce=baseline:latest, warn=restricted:v1.30`.
pub(super) fn asked(labels: Node<'_>, modes: &Modes) -> String {
    let of = [("enforce", &ENFORCE, modes.enforce), ("audit", &AUDIT, modes.audit), ("warn", &WARN, modes.warn)];
    let is_set = |keys: &Keys| labels.get(keys.level).is_some() || labels.get(keys.version).is_some();
    let set = of.into_iter().filter(|(_, keys, standard)| standard.level != Level::Privileged && is_set(keys));
    set.map(|(name, _, standard)| format!("{name}={standard}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    const NOTHING: Standard = Standard { level: Level::Privileged, version: Version::Latest };
    const DEFAULTS: Modes = Modes { enforce: NOTHING, audit: NOTHING, warn: NOTHING };

    fn of(labels: &str) -> (String, String) {
        let arena = Arena::with_limit(1 << 20);
        let text = format!("{{{}}}", labels.replace('~', PREFIX));
        let (Modes { enforce, audit, warn }, wrong) = modes(read(&arena, &text).unwrap(), &DEFAULTS);
        let failure = if wrong.is_empty() { String::new() } else { failure(&wrong) };
        (format!("{enforce} {audit} {warn}"), failure)
    }

    fn read_well(labels: &str) -> String {
        let (modes, failure) = of(labels);
        assert_eq!(failure, "");
        modes
    }

    #[test]
    fn takes_what_the_labels_say_and_warns_of_what_is_enforced() {
        assert_eq!(read_well(""), "privileged:latest privileged:latest privileged:latest");
        assert_eq!(read_well(r#""other":"x""#), "privileged:latest privileged:latest privileged:latest");
        assert_eq!(read_well(r#""~enforce":"baseline""#), "baseline:latest privileged:latest baseline:latest");
        assert_eq!(
            read_well(r#""~enforce":"baseline","~enforce-version":"v1.30""#),
            "baseline:v1.30 privileged:latest baseline:v1.30"
        );
        assert_eq!(
            read_well(r#""~enforce":"baseline","~enforce-version":"v1.30","~warn-version":"v1.2""#),
            "baseline:v1.30 privileged:latest baseline:v1.2"
        );
        assert_eq!(
            read_well(r#""~enforce":"baseline","~audit":"restricted","~warn":"privileged""#),
            "baseline:latest restricted:latest privileged:latest"
        );
    }

    #[test]
    fn enforces_the_most_where_a_label_cannot_be_read() {
        assert_eq!(
            of(r#""~enforce":"Baseline""#),
            (
                "restricted:latest privileged:latest privileged:latest".to_owned(),
                "Failed to parse policy: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"Baseline\": \
                 must be one of privileged, baseline, restricted"
                    .to_owned()
            )
        );
        assert_eq!(
            of(r#""~enforce":"baseline","~enforce-version":"1.30","~warn":"x""#),
            (
                "baseline:latest privileged:latest privileged:latest".to_owned(),
                "Failed to parse policy: [metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: \"1.30\": \
                 must be \"latest\" or \"v1.x\", metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: \"x\": must be \
                 one of privileged, baseline, restricted]"
                    .to_owned()
            )
        );
    }
}
