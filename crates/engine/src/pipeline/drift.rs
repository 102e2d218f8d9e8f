//! Whether what the mutators did is still in the object when `/validate` sees it. Another webhook may have written over it,
//! or `/mutate` was not reached and the API server went on without it.
//!
//! The mutators run once more, aside, all of them in their order, exactly as on `/mutate`: what they would still change is
//! not there. One that wrote what a later one wrote over is thus not missed, nor is one that only fills in what the user left
//! out. Both objects are compared with the API server's defaults, and in its notation, so that what it fills in or writes
//! otherwise (`1000m` and `1`) is no difference. Where nothing is missing nothing is allocated.

use std::sync::Arc;

use super::{Detail, Pass, Route, Run};
use crate::json::{Node, Operation as PatchOperation, PathBuf, View, diff, patch, path};
use crate::kubernetes::defaults::Defaults;
use crate::kubernetes::list_keys;
use crate::kubernetes::public_fields::is_public;
use crate::policy::Mutator;
use crate::review::Operation;
use crate::set::PolicySet;
use crate::verdict::{Action, Drift, Edit, Finding, OnDrift, PolicyFinding, Refusal, Shown, Verdict};

/// More places than anybody reads; what is counted and denied is the policy.
const PLACES: usize = 32;

impl<'a> Pass<'_, 'a> {
    /// Runs the mutators on `/validate`, where nothing of them is sent: shadow validators judge what would come out, and what
    /// is missing in the object is found.
    pub(super) fn mutate_aside(&mut self, set: &'a PolicySet) {
        let judges = self.run.judges_drift && self.may_have_been_mutated();
        let is_wanted = judges || set.has_shadow_mutators();
        if !is_wanted || set.mutators_for(self.review).next().is_none() || self.objects().is_err() {
            return;
        }
        let run = Run { route: Route::Mutate, detail: Detail::Findings, timed: false, ..*self.run };
        let mut aside = Pass::new(self.kinds, self.review, &run);
        aside.objects.clone_from(&self.objects);
        aside.verdict.roots = self.verdict.roots;
        aside.mutate_all(set);
        self.needs.append(&mut aside.needs);
        self.verdict.doubts.append(&mut aside.verdict.doubts);
        self.verdict.roots.shadow = aside.verdict.roots.shadow;
        // Where `/mutate` refuses the request no mutation can be expected.
        if judges && aside.verdict.refusal().is_none() {
            self.judge_drift(set, &aside.verdict);
        }
    }

    /// Whether the object is one that a mutation is stored with. What mutators do to other subresources, such as `status`, the
    /// API server drops for the most part.
    fn may_have_been_mutated(&self) -> bool {
        matches!(self.review.operation, Operation::Create | Operation::Update)
            && matches!(self.review.subresource, "" | "ephemeralcontainers")
    }

    fn judge_drift(&mut self, set: &PolicySet, aside: &Verdict<'a>) {
        let (found, wanted) = (self.verdict.roots.original, aside.roots.mutated);
        if found.is_same(wanted) {
            return;
        }
        let (arena, kind) = (self.review.arena, self.review.kind);
        let with_defaults = |object| Defaults::shared().apply(arena, kind.group, kind.version, kind.kind, object);
        let mut current = with_defaults(found);
        let operations = diff(current, with_defaults(wanted), list_keys::of);
        let authors: Vec<Author> =
            aside.edits.iter().filter(|edit| !edit.shadow).map(|edit| author(set, edit)).collect();
        for operation in operations {
            let by = authors.iter().rev().find(|author| author.wrote(operation.path()));
            if let Some((mutator, action)) = by.and_then(|by| Some((by.mutator?, by.mutator?.on_drift?))) {
                self.drifted(mutator, action, current, &operation);
            }
            let Ok(next) = patch::apply(arena, current, std::slice::from_ref(&operation)) else { return };
            current = next;
        }
    }

    /// What one operation on `current` would still have to do.
    fn drifted(&mut self, mutator: &Mutator, action: OnDrift, current: Node<'a>, operation: &PatchOperation<'a>) {
        let found = match operation {
            PatchOperation::Add { .. } => None,
            _ => patch::find(current, operation.path()).ok(),
        };
        let path = PathBuf::of_pointer(current, operation.path());
        let mut places = vec![];
        match (operation.value(), found) {
            (Some(wanted), None) => leaves(path, wanted, &mut places),
            (wanted, _) => places.push((path, wanted)),
        }
        for (path, wanted) in places {
            if self.verdict.drifts.len() == PLACES {
                return;
            }
            let shows = is_public(&path);
            let text = |node: Node<'_>| Shown::of(shows, node).to_string();
            let origin = Arc::clone(&mutator.head.origin);
            let drift = Drift { origin, action, path, wanted: wanted.map(text), found: found.map(text) };
            self.verdict.findings.extend(finding(&drift, wanted.or(found).unwrap_or_default()));
            self.verdict.drifts.push(drift);
        }
    }
}

/// The values inside of maps, each with its place: a label that is missing is a label, although the whole map is.
fn leaves<'a>(path: PathBuf, value: Node<'a>, into: &mut Vec<(PathBuf, Option<Node<'a>>)>) {
    match value.view() {
        View::Map(map) if !map.is_empty() => {
            for (key, value) in map.entries().iter().take(PLACES) {
                let mut below = path.clone();
                below.0.push(path::Segment::Key(key).into());
                leaves(below, *value, into);
            }
        }
        _ => into.push((path, Some(value))),
    }
}

/// The same as a finding, where somebody is to see it.
fn finding(drift: &Drift, value: Node<'_>) -> Option<PolicyFinding> {
    let action = match drift.action {
        OnDrift::Report => return None,
        OnDrift::Warn => Action::Warn,
        OnDrift::Deny => Action::Deny,
    };
    let finding = Finding {
        path: drift.path.clone(),
        value: path::hash_of(value),
        message: drift.message(),
        refusal: Refusal::FORBIDDEN,
        gravest: action,
    };
    Some(PolicyFinding { origin: Arc::clone(&drift.origin), action, audited: false, finding })
}

/// Who made an edit, and where.
struct Author<'s> {
    mutator: Option<&'s Mutator>,
    paths: Vec<String>,
}

fn author<'s>(set: &'s PolicySet, edit: &Edit<'_>) -> Author<'s> {
    let mutator = set.mutators().iter().find(|mutator| Arc::ptr_eq(&mutator.head.origin, &edit.origin));
    let paths = diff(edit.before, edit.after, list_keys::of).iter().map(|one| one.path().to_owned()).collect();
    Author { mutator: mutator.map(Arc::as_ref), paths }
}

impl Author<'_> {
    /// Whether one of its operations is at this place, above or below it. Positions in lists may have moved since.
    fn wrote(&self, pointer: &str) -> bool {
        let parts = |pointer: &'_ str| -> Vec<String> {
            let is_position = |part: &str| part == "-" || part.bytes().all(|byte| byte.is_ascii_digit());
            let part = |part: &str| if is_position(part) { "-".to_owned() } else { part.to_owned() };
            pointer.split('/').skip(1).map(part).collect()
        };
        let asked = parts(pointer);
        self.paths.iter().map(|path| parts(path)).any(|path| path.iter().zip(&asked).all(|(left, right)| left == right))
    }
}
