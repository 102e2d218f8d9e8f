//! The units that are loaded, the last good version of each, and the set that they make.
//!
//! What runs is a function of what the units say now and of their last good versions, so that replicas which see the same
//! run the same, in whatever order they saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Paint, Severity};
use admittance_engine::set::{Parameters, PolicySet, link_by_precedence, missing_parameters};
use admittance_engine::unit::{CompiledUnit, PolicySummary, Unit, compile};
use serde::Serialize;

use super::last_good::{LastGood, LastGoods};
use super::prover::{Prover, Tests};
use super::read::{Read, Revision};

/// What the server runs, and what there is to say about it.
#[derive(Debug, Default)]
pub struct Active {
    /// The policies.
    pub set: PolicySet,
    /// Their parameters among the policy documents, for a server without a cluster.
    pub parameters: Parameters,
    /// Every unit, by name.
    pub units: Vec<UnitStatus>,
    /// The versions that run, for judging a unit that is about to change beside the others.
    pub compiled: Vec<Arc<CompiledUnit>>,
    /// What a unit must show to become active.
    pub prover: Arc<Prover>,
}

/// How a unit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UnitState {
    /// Its present version runs.
    Active,
    /// Its present version is broken; the last good one runs.
    Stale,
    /// It is broken and there is no good version of it: nothing of it runs.
    Broken,
}

/// A unit on the `/policies` page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitStatus {
    /// The path of the file, or `NAMESPACE/NAME` of the ConfigMap.
    pub name: String,
    /// How it stands.
    pub state: UnitState,
    /// The digest of the version that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The policies that run.
    pub policies: Vec<PolicySummary>,
    /// Errors of the present version, and warnings, as one-line texts with file, line and column.
    pub problems: Vec<String>,
}

/// What became of a look at the sources.
#[derive(Debug, Default)]
pub struct Update {
    /// What runs from now on.
    pub active: Active,
    /// What is newly wrong, each as a page for people.
    pub reports: Vec<String>,
    /// Versions that run now and are to be kept for later.
    pub good: Vec<LastGood>,
    /// Units that stand otherwise than before.
    pub changes: Vec<Change>,
}

/// A unit that stands otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The unit.
    pub unit: String,
    /// Its version.
    pub revision: Revision,
    /// How it stands.
    pub state: UnitState,
    /// The digest of the version that runs.
    pub digest: Option<String>,
    /// What is wrong with it, one line each.
    pub problems: Vec<String>,
}

/// Keeps units from one look to the next.
#[derive(Debug)]
pub struct Loaded {
    units: BTreeMap<String, Kept>,
    /// Whether policies may ask a cluster: without one those that must are refused here, not on every request.
    has_cluster: bool,
    /// What a version must show that has not run before.
    prover: Arc<Prover>,
    /// The digest of the set, and which of its policies are in conflict.
    conflicts: (String, Vec<Diagnostic>),
}

#[derive(Debug, Default)]
struct Kept {
    /// The digest of the present version, and which one it is.
    seen: String,
    revision: Revision,
    /// The present version, if it compiles; and what is wrong with it if it does not.
    present: Option<Version>,
    errors: Vec<Problem>,
    /// The last good one, which may be the present one.
    good: Option<Version>,
    /// Last good versions that could not be used, by digest: said once.
    useless: BTreeSet<String>,
    /// What was said about it the last time.
    said: Option<(UnitState, Option<String>, Vec<Problem>)>,
}

/// What is known of a version before it is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Nothing: its tests are run.
    Nothing,
    /// It has run somewhere: its tests have passed, and are not run again.
    HasRun,
    /// It is what runs while a later version is broken, whatever is asked of later ones.
    LastGood,
}

/// A version that compiles.
#[derive(Clone, Debug)]
struct Version {
    source: Unit,
    revision: Revision,
    compiled: Arc<CompiledUnit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    line: String,
    page: String,
}

impl Problem {
    fn of(diagnostic: &Diagnostic) -> Self {
        Self { line: diagnostic.to_string(), page: diagnostic.render(Paint::Plain) }
    }
}

impl Kept {
    /// Whether the present version is the one that ran already.
    fn is_established(&self) -> bool {
        let digest = |version: &Option<Version>| version.as_ref().map(|version| version.compiled.digest().to_owned());
        self.present.is_some() && digest(&self.present) == digest(&self.good)
    }

    /// The version to run: the present one, unless it is known to be unfit.
    fn version(&self, is_unfit: bool) -> Option<&Version> {
        if is_unfit { self.good.as_ref() } else { self.present.as_ref().or(self.good.as_ref()) }
    }
}

impl Loaded {
    /// Nothing yet.
    pub fn new(has_cluster: bool, tests: Tests) -> Self {
        Self {
            units: BTreeMap::new(),
            has_cluster,
            prover: Arc::new(Prover::new(tests)),
            conflicts: Default::default(),
        }
    }

    /// Takes over what the sources hold now: units that are gone are dropped, changed ones compiled, broken ones replaced by
    /// their last good version: the one that ran here, or the one among `kept`, which somebody may have run later.
    pub fn update(&mut self, units: Vec<Read>, kept: &LastGoods) -> Update {
        let mut update = Update::default();
        let mut before = std::mem::take(&mut self.units);
        for read in units {
            let name = read.name().to_owned();
            let earlier = before.remove(&name).unwrap_or_default();
            let mut unit = self.take(read, earlier, kept.get(&name));
            self.take_last_good(&mut unit, kept.get(&name), &mut update.reports);
            self.units.insert(name, unit);
        }
        let unfit = self.unfit();
        let compiled = self.to_run(&unfit);
        let (set, mut problems) = link_by_precedence(&compiled);
        if !self.has_cluster {
            problems.extend(missing_parameters(&compiled));
        }
        if self.conflicts.0 != set.digest() {
            self.conflicts = (set.digest().to_owned(), self.prover.conflicts(&compiled, &set));
            self.conflicts.1.iter().for_each(|conflict| tracing::warn!("{conflict}"));
        }
        problems.extend(self.conflicts.1.iter().cloned());
        let left_out: BTreeSet<&str> = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .filter_map(|problem| self.unit_of(problem))
            .collect();
        let left_out: BTreeSet<String> = left_out.into_iter().map(ToOwned::to_owned).collect();
        let mut found: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
        for problem in unfit.values().flatten().chain(&problems) {
            if let Some(unit) = self.unit_of(problem) {
                found.entry(unit.to_owned()).or_default().push(Problem::of(problem));
            }
        }
        let compiled = compiled.into_iter().filter(|unit| !left_out.contains(unit.name())).collect();
        let mut statuses = Vec::new();
        for (name, unit) in &mut self.units {
            let problems = found.remove(name).unwrap_or_default();
            let version = unit.version(unfit.contains_key(name)).filter(|_| !left_out.contains(name)).cloned();
            statuses.push(settle(name, unit, version, problems, kept.get(name), &mut update));
        }
        let mut parameters = Parameters::default();
        parameters.take(set.kinds(), "default", set.parameters());
        update.active = Active { set, parameters, units: statuses, compiled, prover: Arc::clone(&self.prover) };
        update
    }

    /// A unit as it is found now. The version that is kept has run: it has been proven before.
    fn take(&self, read: Read, before: Kept, kept: Option<&LastGood>) -> Kept {
        let revision = read.revision();
        let (seen, result) = match read {
            Read::Unit(unit, _) => {
                let seen = unit.digest();
                if before.seen == seen {
                    return Kept { revision, ..before };
                }
                let has_run = kept.is_some_and(|kept| kept.unit.digest() == seen);
                let trust = if has_run { Trust::HasRun } else { Trust::Nothing };
                (seen, self.compile(unit, &revision, trust))
            }
            Read::Malformed(_, problem) => (String::new(), Err(vec![Problem::of(&problem)])),
            Read::Unreadable(name, reason, _) => {
                let line = format!("{name}: error: {reason}");
                (String::new(), Err(vec![Problem { page: line.clone(), line }]))
            }
        };
        let (present, errors) = match result {
            Ok(version) => (Some(version), vec![]),
            Err(errors) => (None, errors),
        };
        Kept { seen, revision, present, errors, ..before }
    }

    fn compile(&self, source: Unit, revision: &Revision, trust: Trust) -> Result<Version, Vec<Problem>> {
        let compiled = compile(&source).and_then(|mut compiled| {
            let problems = if self.has_cluster { vec![] } else { compiled.needing_a_cluster() };
            if !problems.is_empty() {
                return Err(problems);
            }
            match trust {
                Trust::Nothing => self.prover.check(&compiled)?,
                Trust::HasRun => self.prover.check_presence(&compiled)?,
                Trust::LastGood => {}
            }
            if let Some(compiled) = Arc::get_mut(&mut compiled) {
                compiled.forget_tests();
            }
            Ok(compiled)
        });
        let compiled = compiled.map_err(|problems| problems.iter().map(Problem::of).collect::<Vec<_>>())?;
        Ok(Version { source, revision: revision.clone(), compiled })
    }

    /// Takes over the kept version where it is that of the same object, and not older than the one that ran here.
    fn take_last_good(&self, unit: &mut Kept, kept: Option<&LastGood>, reports: &mut Vec<String>) {
        if unit.good.as_ref().is_some_and(|good| good.revision.uid != unit.revision.uid) {
            unit.good = None;
        }
        let Some(kept) = kept.filter(|kept| kept.revision.uid == unit.revision.uid) else { return };
        let digest = kept.unit.digest();
        let is_news = unit
            .good
            .as_ref()
            .is_none_or(|good| good.compiled.digest() != digest && good.revision.version <= kept.revision.version);
        if !is_news || unit.useless.contains(&digest) {
            return;
        }
        match self.compile(kept.unit.clone(), &kept.revision, Trust::LastGood) {
            Ok(version) => unit.good = Some(version),
            Err(problems) => {
                reports.extend(
                    problems.into_iter().map(|problem| format!("a last good version is broken now: {}", problem.page)),
                );
                unit.useless.insert(digest);
            }
        }
    }

    /// The units whose present version cannot stand beside the others, and why. Those whose version ran already go first: an
    /// edit never puts another unit out of force.
    fn unfit(&self) -> BTreeMap<String, Vec<Diagnostic>> {
        let mut unfit: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
        loop {
            let (_, problems) = link_by_precedence(&self.to_run(&unfit));
            let mut found: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
            for problem in problems.into_iter().filter(|problem| problem.severity == Severity::Error) {
                let name = self.unit_of(&problem).map(ToOwned::to_owned);
                let can_fall_back = |name: &String| {
                    !unfit.contains_key(name)
                        && self.units.get(name).is_some_and(|unit| !unit.is_established() && unit.good.is_some())
                };
                if let Some(name) = name.filter(can_fall_back) {
                    found.entry(name).or_default().push(problem);
                }
            }
            if found.is_empty() {
                return unfit;
            }
            unfit.extend(found);
        }
    }

    /// The versions to run, those first that ran already.
    fn to_run(&self, unfit: &BTreeMap<String, Vec<Diagnostic>>) -> Vec<Arc<CompiledUnit>> {
        let (established, new): (Vec<_>, Vec<_>) = self
            .units
            .iter()
            .partition(|(name, unit)| unit.is_established() || unit.present.is_none() || unfit.contains_key(*name));
        let versions = established.into_iter().chain(new);
        versions
            .filter_map(|(name, unit)| unit.version(unfit.contains_key(name)))
            .map(|it| Arc::clone(&it.compiled))
            .collect()
    }

    /// The unit that a problem is in: a file of a ConfigMap is called `UNIT/KEY`.
    fn unit_of(&self, problem: &Diagnostic) -> Option<&str> {
        let file = problem.place.file.name();
        let unit = |name: &str| self.units.get_key_value(name).map(|(name, _)| name.as_str());
        unit(file).or_else(|| unit(file.rsplit_once('/')?.0))
    }
}

/// Says how a unit stands after a look, and what follows from it.
fn settle(
    name: &str,
    unit: &mut Kept,
    version: Option<Version>,
    problems: Vec<Problem>,
    kept: Option<&LastGood>,
    update: &mut Update,
) -> UnitStatus {
    let is_present = |version: &Version| version.compiled.digest() == unit.seen && unit.errors.is_empty();
    let state = match &version {
        Some(version) if is_present(version) => UnitState::Active,
        Some(_) => UnitState::Stale,
        None => UnitState::Broken,
    };
    let errors: Vec<Problem> = unit.errors.iter().cloned().chain(problems).collect();
    let digest = version.as_ref().map(|version| version.compiled.digest().to_owned());
    let said = (state, digest.clone(), errors.clone());
    if unit.said.as_ref() != Some(&said) {
        // What was said about a unit is said again only where it has changed, whatever becomes of others.
        if state != UnitState::Active {
            update.reports.extend(errors.iter().map(|error| error.page.clone()));
        }
        update.changes.push(Change {
            unit: name.to_owned(),
            revision: unit.revision.clone(),
            state,
            digest: digest.clone(),
            problems: errors.iter().map(|error| error.line.clone()).collect(),
        });
        unit.said = Some(said);
    }
    let status = UnitStatus {
        name: name.to_owned(),
        state,
        digest,
        policies: version.as_ref().map(|version| version.compiled.policies()).unwrap_or_default(),
        problems: errors
            .into_iter()
            .map(|error| error.line)
            .chain(version.iter().flat_map(|version| version.compiled.warnings()).map(ToString::to_string))
            .chain(
                version
                    .iter()
                    .filter(|it| !it.revision.uid.is_empty())
                    .filter_map(|it| too_large_for_kubectl(&it.source)),
            )
            .collect(),
    };
    if let Some(version) = version.filter(|_| state == UnitState::Active) {
        let is_kept = kept.is_some_and(|kept| kept.covers(&unit.revision, version.compiled.digest()));
        if !is_kept {
            update.good.push(LastGood { unit: version.source.clone(), revision: unit.revision.clone() });
        }
        unit.good = Some(Version { revision: unit.revision.clone(), ..version });
    }
    status
}

/// What `kubectl apply` can keep a copy of in an annotation, in bytes.
const LARGE: usize = 256 << 10;

/// What is said of a ConfigMap that a client-side `kubectl apply` cannot store.
pub(crate) fn too_large_for_kubectl(unit: &Unit) -> Option<String> {
    let bytes: usize = unit.files.iter().map(|file| file.text().len()).sum();
    (bytes > LARGE).then(|| {
        format!(
            "{} has {bytes} bytes: over {LARGE} a client-side `kubectl apply` fails, use --server-side or split it",
            unit.name
        )
    })
}

#[cfg(test)]
mod tests;
