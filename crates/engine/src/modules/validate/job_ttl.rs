//! Requires finished Jobs to delete themselves in time.
//!
//! # What it checks
//! `spec.ttlSecondsAfterFinished` of Jobs: it must be there and within the range. What is absent or null means never.
//!
//! The Jobs of a CronJob pass without it: the CronJob deletes them itself, by `successfulJobsHistoryLimit` and
//! `failedJobsHistoryLimit`. Where they or the template of the CronJob have a value, it must be within the range all the
//! same. A Job of another controller is judged like any other.
//!
//! # Why
//! A finished Job stays with its pods until somebody deletes it. Thousands of them slow down the API server and every list
//! of pods.
//!
//! # Settings
//! - `minSeconds`: the lowest value; 0 by default, which deletes a Job at once.
//! - `maxSeconds`: the highest value; 604800 by default, a week.
//! - `cronJobs`: whether the templates of CronJobs, and so their Jobs, need a value too; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: job-ttl }
//! spec:
//!   module: job-ttl
//!   settings: { minSeconds: 300, maxSeconds: 86400 }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::kubernetes::owner::controller;
use crate::modules::range::Range;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// How long finished Jobs may stay.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The lowest value, in seconds.
    min_seconds: i64,
    /// The highest value, in seconds.
    max_seconds: i64,
    /// Whether the Jobs of CronJobs need a value too.
    cron_jobs: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { min_seconds: 0, max_seconds: 604_800, cron_jobs: false }
    }
}

/// See the page of `job-ttl`.
#[derive(Debug)]
pub struct JobTtl {
    range: Range,
    cron_jobs: bool,
}

const FIELD: &str = "ttlSecondsAfterFinished";

impl Module for JobTtl {
    const ID: &'static str = "job-ttl";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &["batch"],
        resources: &["jobs", "cronjobs"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[FIELD];
    const DOC: &'static str = include_str!("job_ttl.rs");
    type Settings = Settings;

    fn new(Settings { min_seconds, max_seconds, cron_jobs }: Settings) -> Result<Self, Vec<SettingsError>> {
        let range = Range::new(["minSeconds", "maxSeconds"], 0, Some(min_seconds), Some(max_seconds))?;
        Ok(Self { range, cron_jobs })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let judge = |value: &str, place: &str, needed: &str, kind: &str| {
            let is_wrong = format!(
                "request.kind.group == 'batch' && request.kind.kind == '{kind}' && request.?subResource.orValue('') == '' \
                 && ({value}.hasValue() ? !{} : {needed})",
                self.range.in_cel(&format!("{value}.orValue(0)"))
            );
            twin::one_with(&is_wrong, place, &format!("({value}.hasValue() ? string({value}.orValue(0)) : '')"))
        };
        let is_of_cron_job = "#object.?metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false))\
                              .map(o, o.kind == 'CronJob').filter(o, o).size() > 0";
        let of_jobs = judge(
            &format!("#object.?spec.?{FIELD}"),
            &format!("spec.{FIELD}"),
            &format!("({} || !({is_of_cron_job}))", self.cron_jobs),
            "Job",
        );
        let of_cron_jobs = judge(
            &format!("#object.?spec.?jobTemplate.?spec.?{FIELD}"),
            &format!("spec.jobTemplate.spec.{FIELD}"),
            &self.cron_jobs.to_string(),
            "CronJob",
        );
        let message = format!("a finished job stays too long, or for ever: set {FIELD}, {}", self.range);
        Ok(CelTwin::of(format!("{of_jobs} + {of_cron_jobs}"), message))
    }
}

impl JobTtl {
    fn judge(&self, path: &Path<'_>, found: Node<'_>, needed: bool, report: &mut Report<'_>) {
        let accepted = self.range;
        let message = if found.is_null() {
            if !needed {
                return;
            }
            format!("a finished job stays for ever: set {FIELD}, {accepted}")
        } else if found.as_i64().is_some_and(|seconds| accepted.contains(seconds)) {
            return;
        } else {
            format!("{FIELD} {} is out of range: expected {accepted}", report.show(FIELD, found))
        };
        report.finding(path, found, message);
    }
}

impl Validate for JobTtl {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let (kind, object) = (subject.review.kind, subject.object);
        if kind.group != "batch" || !subject.review.subresource.is_empty() {
            return;
        }
        let spec = Path::root("spec");
        let value = |parents: &[&str]| object.at(parents).and_then(|spec| spec.field(FIELD)).unwrap_or_default();
        match kind.kind {
            "Job" => {
                let is_of_cron_job = controller(object).is_some_and(|owner| owner.str("kind") == Some("CronJob"));
                self.judge(&spec.key(FIELD), value(&["spec"]), self.cron_jobs || !is_of_cron_job, report);
            }
            "CronJob" => {
                let found = value(&["spec", "jobTemplate", "spec"]);
                self.judge(&spec.key("jobTemplate").key("spec").key(FIELD), found, self.cron_jobs, report);
            }
            _ => {}
        }
    }
}
