//! Sets how long pods get to end.
//!
//! # What it does
//! Sets `terminationGracePeriodSeconds` of pods whose author did not choose it. The API server fills in 30 before anybody
//! else sees the pod, so 30 counts as not chosen; everything else stays unless `overwrite` is set.
//!
//! A pod is left alone where a `preStop` hook of one of its containers sleeps longer than the new time: the API server would
//! refuse it. Pods are changed when they are created, never mirror pods.
//!
//! # Why
//! Behind a load balancer that takes a minute to notice, 30 seconds cut off requests. For jobs that lose nothing they only
//! hold up the drain of a node.
//!
//! # Settings
//! - `seconds`: the time; required, at least 0. With 0 pods are killed at once.
//! - `overwrite`: whether a choice is replaced; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: time-to-drain }
//! spec:
//!   module: set-termination-grace
//!   settings: { seconds: 90 }
//!   namespaces: { include: ["web-*"] }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Node, edit};
use crate::kubernetes::pod::{Changeable, Pod};
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// How long pods get.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The time, in seconds.
    seconds: Option<i64>,
    /// Whether a choice is replaced.
    overwrite: bool,
}

/// See the page of `set-termination-grace`.
#[derive(Debug)]
pub struct SetTerminationGrace {
    seconds: i64,
    overwrite: bool,
}

const FIELD: &str = "terminationGracePeriodSeconds";

/// What the API server fills in (core/v1, `DefaultTerminationGracePeriodSeconds`).
const DEFAULT: i64 = 30;

impl Module for SetTerminationGrace {
    const ID: &'static str = "set-termination-grace";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/mutate-large-termination-gps"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_termination_grace.rs");
    type Settings = Settings;

    fn new(Settings { seconds, overwrite }: Settings) -> Result<Self, Vec<SettingsError>> {
        match seconds {
            None => Err(vec![problem("/seconds", "no time is given: expected a number of seconds, such as 60")]),
            Some(seconds) if seconds < 0 => {
                Err(vec![problem("/seconds", format!("{seconds} is too low: expected at least 0"))])
            }
            Some(seconds) => Ok(Self { seconds, overwrite }),
        }
    }

    fn writes(&self) -> Vec<PathPattern> {
        vec![PathPattern(format!("spec.{FIELD}"))]
    }
}

/// Whether a hook sleeps longer than this.
fn sleeps_longer(pod: &Pod<'_>, seconds: i64) -> bool {
    let mut found = false;
    pod.visit_containers(|container| {
        let sleep = container.node.at(&["lifecycle", "preStop", "sleep", "seconds"]).and_then(Node::as_i64);
        found |= sleep.is_some_and(|sleep| sleep > seconds);
    });
    found
}

impl Mutate for SetTerminationGrace {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let found = pod.spec().field(FIELD);
        let present = found.map_or(Some(DEFAULT), Node::as_i64);
        let is_meant = present == Some(DEFAULT) || (self.overwrite && found.is_none_or(open::is_replaceable));
        if present == Some(self.seconds) || !is_meant || sleeps_longer(&pod, self.seconds) {
            return Ok(subject.object);
        }
        let arena = subject.arena();
        Ok(pod.edit_spec(arena, |spec| edit::set(arena, spec, &[FIELD], Node::int(self.seconds)))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_no_time() {
        let errors = |seconds| SetTerminationGrace::new(Settings { seconds, overwrite: false }).unwrap_err();
        assert_eq!(errors(None), [problem("/seconds", "no time is given: expected a number of seconds, such as 60")]);
        assert_eq!(errors(Some(-1)), [problem("/seconds", "-1 is too low: expected at least 0")]);
    }
}
