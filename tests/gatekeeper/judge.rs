//! What policies say of a row, with its inventory for a cluster.

use admittance_engine::deadline::Deadline;
use admittance_engine::document::SourceFile;
use admittance_engine::json::{Arena, Constant};
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::{Answer, Envelope, Lookup, Lookups, ObjectName};
use admittance_engine::set::link;
use admittance_engine::unit::{Unit, compile};
use serde_json::{Value, json};

use crate::row::Row;

/// What was said.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) allowed: bool,
    /// `PATH: MESSAGE` of each denial.
    pub(crate) findings: Vec<String>,
}

/// Answers from the objects that the row says are there.
struct Inventory<'r>(&'r [Value]);

impl Inventory<'_> {
    /// A cluster serves an object in all versions of its kind, and some kinds in several groups.
    fn objects(&self, wanted: &ObjectName<'_>) -> Vec<Value> {
        let is_it = |object: &&Value| {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
            object["kind"] == *wanted.kind.kind
                && (wanted.namespace.is_empty() || namespace == wanted.namespace)
                && (wanted.name.is_empty() || object["metadata"]["name"] == *wanted.name)
        };
        self.0.iter().filter(is_it).cloned().collect()
    }
}

impl Lookups for Inventory<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let built = |value: Value| Answer::Found(Constant::from(value).build(arena));
        match lookup {
            Lookup::Namespace(name) => {
                let own = |object: &&Value| object["kind"] == "Namespace" && object["metadata"]["name"] == **name;
                let otherwise = || json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
                built(self.0.iter().find(own).cloned().unwrap_or_else(otherwise))
            }
            Lookup::Object(wanted) => self.objects(wanted).into_iter().next().map_or(Answer::Missing, built),
            Lookup::Objects(wanted) => built(self.objects(wanted).into()),
            Lookup::Scope(_) | Lookup::Access(_) | Lookup::Pods(_) => Answer::Unavailable("no constraint asks for it"),
        }
    }
}

/// Judges the row's request.
///
/// # Errors
/// What is wrong with the policies.
pub(crate) fn judge(policies: &[Value], row: &Row) -> Result<Judged, String> {
    let compiled = policies.iter().enumerate().map(|(index, policy)| {
        let unit = Unit::of_file(SourceFile::new(format!("{index}.json").as_str(), policy.to_string().as_str()));
        compile(&unit).map_err(|problems| format!("{problems:?}\n{policy:#}"))
    });
    let (set, problems) = link(&compiled.collect::<Result<Vec<_>, _>>()?);
    assert!(problems.is_empty(), "{}: {problems:?}", row.id);
    let (arena, body) = (Arena::with_limit(Budget::REVIEW), row.body());
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    let run = Run {
        route: Route::Validate,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &Inventory(&row.inventory),
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    let verdict = admit(&set, &review, &run).unwrap();
    assert!(verdict.failures.is_empty(), "{}: {:?}", row.id, verdict.failures);
    let line = |path: String, message: &str| format!("{path}: {message}");
    Ok(Judged {
        allowed: verdict.is_allowed(),
        findings: verdict
            .denials()
            .map(|denial| line(denial.finding.path.to_string(), &denial.finding.message))
            .collect(),
    })
}
