//! The policies that a hardened cluster has, as one set.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use admittance_engine::deadline::Deadline;
use admittance_engine::document::SourceFile;
use admittance_engine::json::Arena;
use admittance_engine::modules::MODULES;
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::rule::Group;
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{Unit, compile};
use serde_json::{Value, json};

use crate::Failure;
use crate::measure::{self, Bench};
use crate::settings::{documents, entries, root};

/// Where they stand, if they are shipped.
const FOLDER: &str = "manifests/policies/hardened";

pub(crate) struct Hardened {
    name: String,
    set: PolicySet,
}

impl Hardened {
    /// What is shipped, else the catalogue's group with the settings that need none.
    pub(crate) fn read() -> Result<Self, Failure> {
        let (mut texts, mut name) = (shipped()?, FOLDER.to_owned());
        if texts.is_empty() {
            texts = of_group();
            name = format!("{} modules of {}", texts.len(), Group::PodHardening.title());
        }
        let mut units = vec![];
        for (position, text) in texts.into_iter().enumerate() {
            let unit = Unit::of_file(SourceFile::new(format!("{position}.yaml"), text));
            units.push(compile(&unit).map_err(|problems| format!("{problems:?}"))?);
        }
        let (set, problems) = link(&units);
        if let Some(problem) = problems.first() {
            return Err(problem.to_string().into());
        }
        Ok(Self { name, set })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Nanoseconds of judging the pod by all of them, in the best batch. The tree is there.
    pub(crate) fn measure(&self, body: &str) -> Result<f64, Failure> {
        let mut arena = Arena::with_limit(1 << 24);
        measure::best(|count| {
            arena.reset();
            let review = measure::review(&arena, body)?;
            review.judged()?;
            let (budget, lookups) = (Budget::default(), &Bench);
            let run = Run {
                route: Route::Validate,
                deadline: Deadline::never(),
                budget,
                lookups,
                detail: Detail::Findings,
                timed: false,
                judges_drift: false,
            };
            let begin = Instant::now();
            for _ in 0..count {
                black_box(admit(&self.set, black_box(&review), &run).map_err(|needs| format!("{needs:?}"))?);
            }
            Ok(begin.elapsed())
        })
    }
}

/// The policy files in the ConfigMaps of the folder.
fn shipped() -> Result<Vec<String>, Failure> {
    let mut texts = vec![];
    for file in entries(&root().join(FOLDER))? {
        for manifest in documents(&fs::read_to_string(file)?)? {
            let data = manifest.get("data").and_then(Value::as_object);
            texts.extend(data.into_iter().flat_map(|data| data.values()).filter_map(Value::as_str).map(str::to_owned));
        }
    }
    Ok(texts)
}

/// The validators of the group, with no settings; the Pod Security Standards at `restricted`.
fn of_group() -> Vec<String> {
    let modules = MODULES.iter().filter(|module| module.group == Group::PodHardening && !module.mutates);
    let policy = |id: &str| {
        let settings = if id == "pod-security" { json!({ "enforce": "restricted" }) } else { json!({}) };
        json!({
            "apiVersion": "admittance.dev/v1alpha1",
            "kind": "Policy",
            "metadata": { "name": id },
            "spec": { "module": id, "settings": settings },
        })
    };
    let policies = modules.map(|module| policy(module.id).to_string());
    policies.filter(|text| compile(&Unit::of_file(SourceFile::new("policy", text.as_str()))).is_ok()).collect()
}
