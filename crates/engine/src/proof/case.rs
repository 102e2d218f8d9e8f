//! One case of a PolicyTest, run through the one function that decides.

mod compare;
mod known;
mod report;

use std::fmt;

use self::known::Known;
use crate::deadline::Deadline;
use crate::document::Spanned;
use crate::json::{Arena, Node};
use crate::kubernetes::defaults::Defaults;
use crate::pipeline::offline::Judged;
use crate::pipeline::{Budget, Detail, Needs, Route, Run};
use crate::review::sent::{self, Asked, NoRequest, Written};
use crate::review::{GroupVersionResource, Lazy, Review, User};
use crate::set::PolicySet;
use crate::unit::policy_test::{Case, ResourceName, UserInfo};

pub use self::compare::Failure;
pub use self::report::{Acted, Observed, Report};

/// A case that was run.
#[derive(Debug)]
pub struct Ran<'a> {
    /// The case.
    pub case: &'a Case,
    /// What the policies made of it.
    pub judged: Judged<'a>,
}

/// Why a case cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseError {
    /// No request can be made of its objects.
    NoRequest(NoRequest),
    /// A policy asks what a case cannot say.
    Needs(Needs),
}

impl fmt::Display for CaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRequest(error) => error.fmt(formatter),
            Self::Needs(Needs(lookups)) => {
                let lookups: Vec<String> = lookups.iter().map(ToString::to_string).collect();
                write!(formatter, "not known: {}", lookups.join(", "))
            }
        }
    }
}

impl std::error::Error for CaseError {}

/// Runs a case against these policies: mutate, then validate, as `check` does, with the API server's defaults filled in.
/// Pure and total; nothing is asked of anybody.
///
/// # Errors
/// When no request can be made of it.
pub fn run<'a>(
    case: &'a Case,
    set: &'a PolicySet,
    defaults: &Defaults,
    arena: &'a Arena,
) -> Result<Ran<'a>, CaseError> {
    let asked = asked(case, arena);
    let written = |object: &'a Option<Spanned>| object.as_ref().map(|object| Written::of(object.to_node(arena)));
    let (object, old) = (written(&case.object), written(&case.old_object));
    let review = sent::request(arena, (set.kinds(), Some(defaults)), &asked, (object, old));
    let review = review.map_err(CaseError::NoRequest)?;
    let written = object.or(old).map(|written| written.object).unwrap_or_default();
    let judged = judge(case, set, review, written).map_err(CaseError::Needs)?;
    Ok(Ran { case, judged })
}

fn judge<'a>(case: &'a Case, set: &'a PolicySet, review: Review<'a>, written: Node<'a>) -> Result<Judged<'a>, Needs> {
    let known = Known::of(case, set, review.namespace);
    let run = Run {
        route: Route::Offline,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &known,
        detail: Detail::Trace,
        timed: false,
        judges_drift: false,
    };
    Judged::of(set, review, written, &run)
}

impl Ran<'_> {
    /// What is not as expected; empty where the case passes.
    pub fn failures(&self) -> Vec<Failure> {
        compare::failures(self.case, &self.judged)
    }
}

impl<'a> Ran<'a> {
    /// The same once more, on the object that came out.
    fn again(&self, set: &'a PolicySet) -> Option<Judged<'a>> {
        let (review, object) = (&self.judged.review, self.judged.verdict.roots.mutated);
        let review = Review { object: Some(Lazy::of(review.arena, object)), ..review.clone() };
        judge(self.case, set, review, object).ok()
    }
}

fn asked<'a>(case: &'a Case, arena: &'a Arena) -> Asked<'a> {
    let judged = case.object.as_ref().or(case.old_object.as_ref());
    let api_version = judged.and_then(|object| object.at("/apiVersion")?.as_str()).unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    Asked {
        name: &case.request_name,
        resource: case.resource.as_ref().map(|resource| match resource {
            ResourceName::Plural(resource) => GroupVersionResource { group, version, resource },
            ResourceName::Whole { group, version, resource } => GroupVersionResource { group, version, resource },
        }),
        subresource: &case.subresource,
        options: case.options.as_ref().map(|options| options.to_node(arena)),
        dry_run: case.dry_run,
        ..Asked::new(case.operation, user(&case.user, arena), &case.namespace)
    }
}

fn user<'a>(info: &'a UserInfo, arena: &'a Arena) -> User<'a> {
    let texts = |texts: &'a [String]| {
        let texts: Vec<Node<'a>> = texts.iter().map(|text| Node::string(text)).collect();
        arena.list(&texts)
    };
    let extra: Vec<(&str, Node<'a>)> = info.extra.iter().map(|(key, values)| (key.as_str(), texts(values))).collect();
    User {
        uid: &info.uid,
        extra: if extra.is_empty() { Node::NULL } else { arena.map(&extra) },
        ..sent::user(arena, &info.username, info.groups.iter().map(String::as_str))
    }
}
