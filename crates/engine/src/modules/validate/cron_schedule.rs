//! Refuses CronJobs that run too often, or while the last run still goes on.
//!
//! # What it checks
//! `spec.schedule` of CronJobs: the shortest time between two of its runs is computed, over the days of the calendar:
//! `0,55 * * * *` runs five minutes apart, and so do `*/5 * * * *` and `@every 5m`. Clocks that are put forward or back are
//! not regarded. A schedule that never runs twice passes; what is no schedule is refused.
//!
//! And `spec.concurrencyPolicy`: absent, null or empty is `Allow`, as the API server fills it in.
//!
//! A CronJob that is suspended is judged like any other.
//!
//! # Why
//! Each run makes a Job and a pod. A job every minute fills the API server with objects, and one that takes longer than its
//! interval piles up until the cluster is full.
//!
//! # Settings
//! - `minMinutes`: the shortest time between two runs; 5 by default.
//! - `concurrencyPolicies`: what `concurrencyPolicy` may be: `Allow`, `Forbid`, `Replace`. By default the last two.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: cron-schedule }
//! spec:
//!   module: cron-schedule
//!   settings:
//!     minMinutes: 15
//!     concurrencyPolicies: [Forbid]
//! ```

mod schedule;

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use self::schedule::Schedule;
use crate::json::{Node, Path};
use crate::modules::problem::problem;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// How often CronJobs may run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The shortest time between two runs, in minutes.
    min_minutes: u32,
    /// What `concurrencyPolicy` may be.
    concurrency_policies: Vec<ConcurrencyPolicy>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { min_minutes: 5, concurrency_policies: vec![ConcurrencyPolicy::Forbid, ConcurrencyPolicy::Replace] }
    }
}

/// What happens when a run is due and the last one goes on (batch/v1 ConcurrencyPolicy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum ConcurrencyPolicy {
    /// Both run.
    Allow,
    /// The new one is left out.
    Forbid,
    /// The old one is ended.
    Replace,
}

impl ConcurrencyPolicy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Forbid => "Forbid",
            Self::Replace => "Replace",
        }
    }
}

/// See the page of `cron-schedule`.
#[derive(Debug)]
pub struct CronSchedule {
    settings: Settings,
    /// `Forbid or Replace`
    accepted: String,
}

impl Module for CronSchedule {
    const ID: &'static str = "cron-schedule";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &["batch"],
        resources: &["cronjobs"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &["concurrencyPolicy", "schedule"];
    const DOC: &'static str = include_str!("cron_schedule.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        if settings.concurrency_policies.is_empty() {
            let message = "every CronJob has a policy: name at least one of Allow, Forbid and Replace";
            return Err(vec![problem("/concurrencyPolicies", message)]);
        }
        let names: Vec<_> = settings.concurrency_policies.iter().map(|policy| policy.as_str()).collect();
        let accepted = names.join(" or ");
        Ok(Self { settings, accepted })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin("it computes times from the schedule, which CEL cannot".into()))
    }
}

impl CronSchedule {
    fn judge_schedule(&self, spec: Node<'_>, report: &mut Report<'_>) {
        let found = spec.field("schedule").unwrap_or_default();
        let shown = report.show("schedule", found);
        let message = match found.as_str().map(Schedule::parse) {
            None => format!("the schedule {shown} is no text: expected one such as \"0 3 * * *\""),
            Some(Err(error)) => format!("the schedule {shown} cannot be read: {error}"),
            Some(Ok(schedule)) => {
                let least = u64::from(self.settings.min_minutes) * 60;
                let Some(interval) = schedule.shortest_interval().filter(|interval| *interval < least) else { return };
                let (interval, least) = (Interval(interval), Interval(least));
                format!("the schedule {shown} runs {interval} apart at the least: expected {least} or more")
            }
        };
        report.finding(&Path::root("spec").key("schedule"), found, message);
    }

    fn judge_concurrency(&self, spec: Node<'_>, report: &mut Report<'_>) {
        let found = spec.field("concurrencyPolicy").filter(|found| found.as_str() != Some("")).unwrap_or_default();
        let policy = if found.is_null() { Some(ConcurrencyPolicy::Allow.as_str()) } else { found.as_str() };
        if self.settings.concurrency_policies.iter().any(|accepted| Some(accepted.as_str()) == policy) {
            return;
        }
        let accepted = &self.accepted;
        let message = if found.is_null() {
            format!("concurrencyPolicy is Allow unless it is set: expected {accepted}")
        } else {
            format!(
                "concurrencyPolicy {} is not accepted: expected {accepted}",
                report.show("concurrencyPolicy", found)
            )
        };
        report.finding(&Path::root("spec").key("concurrencyPolicy"), found, message);
    }
}

/// Seconds, in minutes where there are no others.
struct Interval(u64);

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => formatter.write_str("1 second"),
            60 => formatter.write_str("1 minute"),
            seconds if seconds.is_multiple_of(60) => write!(formatter, "{} minutes", seconds / 60),
            seconds => write!(formatter, "{seconds} seconds"),
        }
    }
}

impl Validate for CronSchedule {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        if review.kind.kind != "CronJob" || !review.subresource.is_empty() {
            return;
        }
        let spec = subject.object.field("spec").unwrap_or_default();
        self.judge_schedule(spec, report);
        self.judge_concurrency(spec, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_no_cron_job_can_meet() {
        let errors = CronSchedule::new(Settings { concurrency_policies: vec![], ..Settings::default() }).unwrap_err();
        let message = "every CronJob has a policy: name at least one of Allow, Forbid and Replace";
        assert_eq!(errors, [problem("/concurrencyPolicies", message)]);
    }

    #[test]
    fn prints_intervals() {
        let text = |seconds| Interval(seconds).to_string();
        assert_eq!([text(1), text(60), text(90), text(7200)], ["1 second", "1 minute", "90 seconds", "120 minutes"]);
    }
}
