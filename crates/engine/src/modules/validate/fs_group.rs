//! Refuses pods whose volumes are given to root's group, or to groups outside of given ranges.
//!
//! # What it checks
//! `securityContext.fsGroup` of pods and of the templates of workloads: the group that owns the files of the pod's volumes,
//! and that all of its containers are in. If it is written, it must be allowed; absent or null leaves volumes as they are,
//! and passes unless `required` is set.
//!
//! Pods for Windows (`spec.os.name: windows`) pass: the API server does not let them set the field. For the groups that
//! containers run in see `run-as-group`.
//!
//! # Why
//! Storage that several teams share is kept apart by groups. Whoever chooses a group freely reads the files of the others.
//!
//! # Settings
//! - `allowed`: groups that volumes may be given to: `"1000"`, or a range with both ends: `"1000-65535"`. By default every
//!   one but root's, `"1-2147483647"`.
//! - `required`: whether every pod must name a group; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: fs-group }
//! spec:
//!   module: fs-group
//!   settings:
//!     allowed: ["2000-2999"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::ids::{self, Ids};
use crate::json::Node;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// To whom volumes may be given.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Ids of groups (`"1000"`) and ranges of them (`"1000-65535"`).
    allowed: Vec<String>,
    /// Whether every pod must name a group.
    required: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: ids::all_but_root(), required: false }
    }
}

/// See the page of `fs-group`.
#[derive(Debug)]
pub struct FsGroup {
    allowed: Ids,
    required: bool,
}

impl Module for FsGroup {
    const ID: &'static str = "fs-group";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/fsgroup", "gatekeeper-library/users"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("fs_group.rs");
    type Settings = Settings;

    fn new(Settings { allowed, required }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { allowed: Ids::new(&allowed)?, required })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let group = "#spec.?securityContext.?fsGroup";
        let allowed = self.allowed.hold_in_cel(&format!("{group}.orValue(0)"));
        let is_wrong = format!("!(#pod == {{}}) && ({group}.hasValue() ? !{allowed} : {})", self.required);
        let value = format!("({group}.hasValue() ? string({group}.orValue(0)) : '')");
        let findings = twin::one_with(&is_wrong, "securityContext.fsGroup", &value);
        let message = format!("this group, or none, is not allowed for volumes; {}", self.allowed.accepted());
        Ok(CelTwin::of(twin::unless_windows(&findings), message))
    }
}

impl Validate for FsGroup {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(|pod| !pod.is_windows()) else { return };
        let group = pod.security().field("fsGroup");
        let accepted = self.allowed.accepted();
        let message = match group {
            Some(group) if !self.allowed.hold(group) => format!("this group is not allowed; {accepted}"),
            None if self.required => format!("volumes belong to no group: name one; {accepted}"),
            _ => return,
        };
        pod.with_spec_path(|spec| {
            report.finding(&spec.key("securityContext").key("fsGroup"), group.unwrap_or(Node::NULL), message);
        });
    }
}
