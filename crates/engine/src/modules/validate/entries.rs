//! What labels or annotations must look like: of an object, and of what controllers make of it.

use crate::json::{Node, Path};
use crate::kubernetes::names::is_label_key;
use crate::modules::value_pattern::ValuePattern;
use crate::review::{Operation, Subject};
use crate::rule::{Resources, SettingsError};
use crate::twin::{self, CelTwin};
use crate::verdict::Report;

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

/// Where labels and annotations are written.
pub(super) const RESOURCES: &[Resources] = &resources(WRITES);

/// Pods, the workloads that make pods, Services and Namespaces. Labels of pods and Namespaces can be changed through their
/// status as well.
pub(super) const fn resources(operations: &'static [Operation]) -> [Resources; 3] {
    [
        Resources {
            groups: &[""],
            resources: &[
                "namespaces",
                "namespaces/status",
                "pods",
                "pods/status",
                "podtemplates",
                "replicationcontrollers",
                "services",
            ],
            operations,
        },
        Resources {
            groups: &["apps"],
            resources: &["daemonsets", "deployments", "replicasets", "statefulsets"],
            operations,
        },
        Resources { groups: &["batch"], resources: &["cronjobs", "jobs"], operations },
    ]
}

/// Requirements for the entries of one map of the metadata.
#[derive(Debug)]
pub(super) struct Entries {
    /// `labels` or `annotations`, also of the settings.
    pub(super) field: &'static str,
    pub(super) requirements: Vec<Requirement>,
    /// Whether templates are judged as well.
    pub(super) templates: bool,
}

/// What holds for one key.
#[derive(Debug)]
pub(super) struct Requirement {
    pub(super) key: String,
    /// Whether the entry must be there.
    pub(super) is_required: bool,
    pub(super) values: Values,
}

/// Which values will do.
#[derive(Debug)]
pub(super) enum Values {
    /// Every one.
    Any,
    /// Those that match.
    Pattern(ValuePattern),
    /// These.
    OneOf(Vec<String>),
}

impl Values {
    /// Those that match, or every one; what is wrong with the pattern is refused at `pointer`.
    pub(super) fn of_pattern(pattern: Option<String>, pointer: String, errors: &mut Vec<SettingsError>) -> Self {
        match pattern.map(ValuePattern::new).transpose() {
            Ok(pattern) => pattern.map_or(Self::Any, Self::Pattern),
            Err(message) => {
                errors.push(SettingsError { pointer, message });
                Self::Any
            }
        }
    }

    fn include(&self, value: Node<'_>) -> bool {
        match (self, value.as_str()) {
            (Self::Any, _) => true,
            (_, None) => false,
            (Self::Pattern(pattern), Some(value)) => pattern.fits(value),
            (Self::OneOf(values), Some(value)) => values.iter().any(|one| one == value),
        }
    }

    /// Whether they include the text that CEL says.
    fn include_in_cel(&self, value: &str) -> String {
        match self {
            Self::Any => "true".to_owned(),
            Self::Pattern(pattern) => twin::whole(value, &pattern.source),
            Self::OneOf(values) => format!("{value} in {}", twin::lists(values)),
        }
    }

    /// `does not match "dev|prod"`
    fn offence(&self) -> String {
        match self {
            Self::Any => String::new(),
            Self::Pattern(pattern) => format!("does not match {:?}", pattern.source),
            Self::OneOf(values) => {
                let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
                format!("is not allowed; allowed: {}", values.join(", "))
            }
        }
    }
}

/// Refuses what can be no label's key, at `/labels/POSITION/key`.
pub(super) fn check_label_key(position: usize, key: &str, errors: &mut Vec<SettingsError>) {
    if !is_label_key(key) {
        errors.push(SettingsError {
            pointer: format!("/labels/{position}/key"),
            message: format!("{key:?} can be no label's key: expected one such as \"team\" or \"example.com/team\""),
        });
    }
}

/// Refuses keys that stand in the list before.
pub(super) fn check_repeats<'k>(field: &str, keys: impl Iterator<Item = &'k String>, errors: &mut Vec<SettingsError>) {
    let mut seen: Vec<&String> = vec![];
    for (position, key) in keys.enumerate() {
        if let Some(first) = seen.iter().position(|other| *other == key) {
            errors.push(SettingsError {
                pointer: format!("/{field}/{position}/key"),
                message: format!("{key:?} stands at /{field}/{first} already: say all of it there"),
            });
        }
        seen.push(key);
    }
}

impl Entries {
    /// [`Entries::judge`] in CEL.
    pub(super) fn twin(&self) -> CelTwin {
        let templates = "#object.kind != 'Pod' && #pod.size() > 0";
        let of_jobs = format!("#object.kind == 'CronJob' && {templates}");
        let mut holders = vec![("#object", "metadata", "true")];
        if self.templates {
            holders.push(("#object.?spec.?jobTemplate", "spec.jobTemplate.metadata", of_jobs.as_str()));
            holders.push(("#pod", "template.metadata", templates));
        }
        let mut parts = vec![];
        for (holder, place, is_there) in holders {
            for Requirement { key, is_required, values } in &self.requirements {
                let found = format!("{holder}.?metadata.?{}[?{}]", self.field, twin::quoted(key));
                let value = format!("{found}.orValue('')");
                let is_wrong = format!(
                    "{is_there} && ({found}.hasValue() ? !({}) : {is_required})",
                    values.include_in_cel(&value)
                );
                let shown = format!("({found}.hasValue() ? '=' + {value} : '')");
                parts.push(twin::one_with(&is_wrong, &format!("{place}.{}[{key}]", self.field), &shown));
            }
        }
        let what = self.field;
        CelTwin::of(parts.join(" + "), format!("these {what} are required, or have other values than are allowed"))
    }

    /// The object itself, and the templates in it.
    pub(super) fn judge(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        self.judge_at(subject.object, &Path::root("metadata"), report);
        let Some(pod) = subject.pod().filter(|pod| self.templates && pod.is_template()) else { return };
        if let Some(jobs) = subject.object.at(&["spec", "jobTemplate"]) {
            self.judge_at(jobs, &Path::root("spec").key("jobTemplate").key("metadata"), report);
        }
        pod.with_metadata_path(|place| self.judge_at(pod.node(), place, report));
    }

    /// `holder` has the metadata whose place is `place`.
    fn judge_at(&self, holder: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        let entries = holder.at(&["metadata", self.field]).unwrap_or_default();
        let what = self.field.trim_end_matches('s');
        for Requirement { key, is_required, values } in &self.requirements {
            let (found, message) = match (entries.field(key), values) {
                (None, _) if !is_required => continue,
                (None, Values::Pattern(pattern)) => {
                    (Node::NULL, format!("the {what} is required, with a value that matches {:?}", pattern.source))
                }
                (None, _) => (Node::NULL, format!("the {what} is required")),
                (Some(value), values) if values.include(value) => continue,
                (Some(value), values) => {
                    (value, format!("the value {} {}", report.show(self.field, value), values.offence()))
                }
            };
            report.finding(&place.key(self.field).key(key), found, message);
        }
    }
}
