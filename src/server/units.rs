//! A request about a ConfigMap with policies, of the entry `units.admittance.dev`: what is broken is refused when somebody
//! applies it, with its place, and never gets as far as to be kept out of force.
//!
//! The entry fails open, and a broken ConfigMap that gets in all the same leaves the last good version in force: so this is
//! for people, and nothing depends on it.

use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Paint, Severity};
use admittance_engine::proof::{Proof, Steps};
use admittance_engine::response;
use admittance_engine::set::{Entries, Unreached, link_by_precedence, unreached};
use admittance_engine::unit::{CompiledUnit, LABEL, compile};
use admittance_engine::verdict::Refusal;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use serde::Deserialize;

use crate::source::config_maps::unit_of;
use crate::source::{Active, Read, too_large_for_kubectl};

/// The longest message: several diagnostics with their excerpts.
const MESSAGE: usize = 16 << 10;
/// What stands above problems of documents.
const BROKEN: &str = "the policies are broken";
/// Who deletes what belongs to something that is gone; it must never be kept from that.
const CLEANERS: [&str; 2] = [
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
];

#[derive(Deserialize)]
struct Review {
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    uid: String,
    operation: String,
    #[serde(default)]
    user_info: User,
    object: Option<ConfigMap>,
    old_object: Option<ConfigMap>,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

/// The bytes of the answer: what the unit would be, beside the others that run, of what the entries send where that is known.
///
/// # Errors
/// A body that is no review of a ConfigMap.
pub(super) fn judge(body: &[u8], active: &Active, entries: Option<&Entries>) -> Result<Vec<u8>, String> {
    let Review { request } =
        serde_json::from_slice(body).map_err(|error| format!("expected an AdmissionReview of a ConfigMap: {error}"))?;
    let uid = request.uid.as_str();
    if CLEANERS.contains(&request.user_info.username.as_str()) {
        return Ok(response::allow(uid, &[]));
    }
    let holds_policies = |object: &&ConfigMap| object.labels().get(LABEL).is_some_and(|value| value == "true");
    let is_there = request.operation != "DELETE";
    let unit = request.object.as_ref().filter(|_| is_there).filter(holds_policies);
    let before = request.old_object.as_ref().filter(holds_policies);
    let verdict = match (unit, before) {
        (Some(unit), Some(before)) if unit.data == before.data && unit.binary_data == before.binary_data => Ok(vec![]),
        (Some(unit), _) => check(unit, active, entries),
        (None, Some(before)) => Ok(farewell(before, active)),
        (None, None) => Ok(vec![]),
    };
    Ok(match verdict {
        Ok(warnings) => response::allow(uid, &warnings),
        Err(message) => response::refuse(uid, Refusal::INVALID, &message),
    })
}

/// What to warn about; or why it is refused.
fn check(object: &ConfigMap, active: &Active, entries: Option<&Entries>) -> Result<Vec<String>, String> {
    let unit = match unit_of(object) {
        Read::Unit(unit, _) => unit,
        Read::Unreadable(name, reason, _) => return Err(format!("{name}: {reason}")),
        Read::Malformed(_, problem) => return Err(problem.to_string()),
    };
    let compiled = compile(&unit).map_err(|problems| message(BROKEN, &problems))?;
    let pending = match active.prover.prove(&compiled, Steps::default()) {
        Proof::Proven => None,
        Proof::Refused(problems) => return Err(message("the policies are not proven", &problems)),
        Proof::Pending => Some(format!(
            "{}: its proof takes longer than an answer may: until it is done the version before stays in force",
            unit.name
        )),
    };
    // The others go first: it is this one that is about to change.
    let others = active.compiled.iter().filter(|other| other.name() != unit.name);
    let units: Vec<Arc<CompiledUnit>> = others.chain([&compiled]).cloned().collect();
    let (set, problems) = link_by_precedence(&units);
    let is_own = |problem: &&Diagnostic| unit.files.iter().any(|file| file.name() == problem.place.file.name());
    let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
        problems.iter().filter(is_own).cloned().partition(|problem| problem.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(message(BROKEN, &errors));
    }
    // A conflict that runs already is warned about: whoever resolves it must be let.
    let known = active.prover.conflicts(&active.compiled, &active.set);
    let is_known = |conflict: &Diagnostic| known.iter().any(|one| one.message == conflict.message);
    let conflicts = active.prover.conflicts(&units, &set);
    let is_about = |conflict: &&Diagnostic| {
        let files = std::iter::once(&conflict.place).chain(conflict.related.iter().map(|(place, _)| place));
        files.into_iter().any(|place| unit.files.iter().any(|file| file.name() == place.file.name()))
    };
    let (old, new): (Vec<Diagnostic>, Vec<Diagnostic>) =
        conflicts.iter().filter(is_about).cloned().partition(|conflict| is_known(conflict));
    if !new.is_empty() {
        return Err(message("policies want different values for one field", &new));
    }
    let is_of_unit = |one: &Unreached| compiled.policies().iter().any(|policy| policy.name == one.policy);
    let unreached = entries.map(|entries| unreached(&set, entries)).unwrap_or_default();
    let (never, partly): (Vec<Unreached>, Vec<Unreached>) =
        unreached.into_iter().filter(is_of_unit).partition(|one| one.is_whole);
    if !never.is_empty() {
        let texts: Vec<String> = never.into_iter().map(|one| one.text).collect();
        return Err(format!("policies would never be asked\n{}", texts.join("\n")));
    }
    let mut said: Vec<String> = pending.into_iter().collect();
    said.extend(compiled.warnings().iter().chain(&warnings).chain(&old).map(ToString::to_string));
    said.extend(partly.into_iter().map(|one| one.text));
    said.extend(too_large_for_kubectl(&unit));
    Ok(said)
}

/// What to warn about when a unit goes.
fn farewell(object: &ConfigMap, active: &Active) -> Vec<String> {
    let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
    let enforces = |unit: &&Arc<CompiledUnit>| {
        unit.policies().iter().any(|policy| ["Deny", "Mutate", "Bound"].contains(&policy.action))
    };
    let mut enforcing = active.compiled.iter().filter(enforces).map(|unit| unit.name());
    if enforcing.next() == Some(name.as_str()) && enforcing.next().is_none() {
        return vec![format!("{name} is the last one with policies that deny or mutate: nothing is enforced any more")];
    }
    vec![]
}

fn message(title: &str, problems: &[Diagnostic]) -> String {
    let pages: Vec<String> = problems.iter().map(|problem| problem.render(Paint::Plain)).collect();
    let mut message = format!("{title}\n{}", pages.join("\n"));
    if message.len() > MESSAGE {
        message.truncate(message.floor_char_boundary(MESSAGE));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests;
