//! Holds the names of new objects to a pattern.
//!
//! # What it checks
//! `metadata.name` of objects when they are created; names cannot change afterwards. The API server makes names out of
//! `generateName` before it asks; offline, a name that is still to be made is judged with five letters and digits behind it.
//!
//! By default it judges what people name themselves: Namespaces, Services, Ingresses, Deployments, StatefulSets, DaemonSets
//! and CronJobs. Name other kinds in the policy's `matchConstraints`, but mind those that controllers make (ReplicaSets,
//! Jobs, pods, EndpointSlices): they choose the names.
//!
//! # Why
//! A name tells who owns an object and where it belongs, in every list, alert and bill, and it is the one thing that
//! can never be corrected.
//!
//! # Settings
//! - `pattern`: a regular expression in RE2 syntax that the whole name must match: `team-(a|b)-.+`. It is needed.
//! - `except`: patterns of names that need not match, with `*` for any text: `kube-*`. By default none.
//! - `hint`: what to do, in words, for the end of the message: `names begin with the team, as in shop-web`.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: namespaces-of-teams }
//! spec:
//!   module: name-pattern
//!   settings:
//!     pattern: "(shop|bank)-[a-z0-9-]+"
//!     except: ["kube-*"]
//!     hint: names begin with the team, as in shop-web
//!   matchConstraints:
//!     resourceRules:
//!       - apiGroups: [""]
//!         apiVersions: [v1]
//!         operations: [CREATE]
//!         resources: [namespaces]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::matching::glob;
use crate::modules::value_pattern::ValuePattern;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which names objects may have.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// A regular expression (RE2 syntax) that the whole name must match.
    pattern: String,
    /// Patterns of names that need not match.
    except: Vec<String>,
    /// What to do, for the end of the message.
    hint: Option<String>,
}

/// See the page of `name-pattern`.
#[derive(Debug)]
pub struct NamePattern {
    pattern: ValuePattern,
    except: Vec<String>,
    hint: Option<String>,
}

const CREATE: &[Operation] = &[Operation::Create];

/// What the API server may put behind `generateName`: five of `bcdfghjklmnpqrstvwxz2456789`
/// (k8s.io/apiserver, pkg/storage/names).
const GENERATED: &str = "b2d4f";

impl Module for NamePattern {
    const ID: &'static str = "name-pattern";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies = Applies::To(&[
        Resources { groups: &[""], resources: &["namespaces", "services"], operations: CREATE },
        Resources { groups: &["apps"], resources: &["daemonsets", "deployments", "statefulsets"], operations: CREATE },
        Resources { groups: &["batch"], resources: &["cronjobs"], operations: CREATE },
        Resources { groups: &["networking.k8s.io"], resources: &["ingresses"], operations: CREATE },
    ]);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &["name", "generateName"];
    const DOC: &'static str = include_str!("name_pattern.rs");
    type Settings = Settings;

    fn new(Settings { pattern, except, hint }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let mut refuse = |pointer: &str, message: String| {
            errors.push(SettingsError { pointer: pointer.to_owned(), message });
        };
        if pattern.is_empty() {
            let message = "no name matches the empty pattern: expected a regular expression such as \"team-.+\"";
            refuse("/pattern", message.to_owned());
        }
        let pattern = ValuePattern::new(pattern).map_err(|message| refuse("/pattern", message));
        for (position, name) in except.iter().enumerate() {
            if !is_pattern(name) {
                let message = format!(
                    "{name:?} fits no name: expected letters, digits, `-`, `.` and `:`, with `*` for any text and `?` for one \
                     character"
                );
                refuse(&format!("/except/{position}"), message);
            }
            if name.bytes().all(|byte| byte == b'*') && !name.is_empty() {
                refuse(
                    &format!("/except/{position}"),
                    format!("{name:?} excepts every name: the pattern would hold nothing"),
                );
            }
        }
        if hint.as_ref().is_some_and(|hint| hint.trim().is_empty()) {
            refuse("/hint", "the hint is empty: say what to do, or leave it out".to_owned());
        }
        match pattern {
            Ok(pattern) if errors.is_empty() => Ok(Self { pattern, except, hint }),
            _ => Err(errors),
        }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_allowed = format!("{} || {}", twin::whole("n", &self.pattern.source), twin::fits("n", &self.except));
        let name = "#object.?metadata.?name.orValue('')";
        let generated = "#object.?metadata.?generateName.orValue('')";
        let shown = format!("({name} != '' ? {name} : {generated} == '' ? '' : {generated} + '{GENERATED}')");
        let is_wrong = format!("request.operation == 'CREATE' && [{shown}].exists(n, n != '' && !({is_allowed}))");
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
        let message = format!("the name does not match {:?}{hint}", self.pattern.source);
        Ok(CelTwin::of(twin::one(&is_wrong, "metadata.name"), message).of_change())
    }
}

/// Whether some object may be called so. Names of roles may hold colons and capital letters.
fn is_pattern(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:_*?".contains(&byte))
}

impl NamePattern {
    fn allows(&self, name: &str) -> bool {
        self.pattern.fits(name) || self.except.iter().any(|pattern| glob::fits(pattern, name))
    }

    /// What is wrong with `name`, which stands under `field`, is said of the place of the name, where it will stand.
    fn judge(&self, field: &str, name: Node<'_>, report: &mut Report<'_>) {
        let hint = self.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
        let shown = report.show(field, name);
        let message = format!("the name {shown} does not match {:?}{hint}", self.pattern.source);
        report.finding(&Path::root("metadata").key("name"), name, message);
    }
}

impl Validate for NamePattern {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        if subject.review.operation != Operation::Create {
            return;
        }
        let metadata = subject.object.field("metadata").unwrap_or_default();
        let name = metadata.field("name").filter(|name| name.as_str() != Some(""));
        match (name, metadata.str("generateName")) {
            (Some(name), _) if name.as_str().is_some_and(|name| self.allows(name)) => {}
            (Some(name), _) => self.judge("name", name, report),
            (None, Some(prefix))
                if !prefix.is_empty() && !self.allows(subject.arena().format(format_args!("{prefix}{GENERATED}"))) =>
            {
                self.judge("generateName", Node::string(prefix), report);
            }
            // Without any name the API server refuses the object.
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_hold_nothing() {
        let settings = Settings {
            pattern: "a(".into(),
            except: vec!["kube-*".into(), "a b".into(), "**".into()],
            hint: Some(" ".into()),
        };
        let errors = NamePattern::new(settings).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                ("/pattern", "\"a(\" is no regular expression of RE2 syntax: missing closing ): `a(`"),
                (
                    "/except/1",
                    "\"a b\" fits no name: expected letters, digits, `-`, `.` and `:`, with `*` for any text and `?` for one \
                     character"
                ),
                ("/except/2", "\"**\" excepts every name: the pattern would hold nothing"),
                ("/hint", "the hint is empty: say what to do, or leave it out"),
            ]
        );
        let none = NamePattern::new(Settings::default()).unwrap_err();
        assert_eq!(
            none.first().unwrap().message,
            "no name matches the empty pattern: expected a regular expression such as \"team-.+\""
        );
    }
}
