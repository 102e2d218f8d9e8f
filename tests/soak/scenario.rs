//! One scenario: load, something that happens, and what may come of it.

use std::time::{Duration, Instant};

use crate::api::Api;
use crate::cluster::{Cluster, Mode};
use crate::counts::Counts;
use crate::load::Load;
use crate::metrics::Counted;

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Nothing at all.
    Nothing,
    /// Calls may fail, for so long at most; nothing that is closed may pass.
    Calls(Duration),
    /// The same, and the API server may not answer at all.
    CallsAndServer(Duration),
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Whether there is time for everything in both modes.
    pub(crate) is_long: bool,
    pub(crate) restarts: usize,
    pub(crate) rotations: usize,
    pub(crate) edits: usize,
    pub(crate) starved: Duration,
    pub(crate) rate: f64,
    /// How long load runs before something happens, and after it.
    pub(crate) around: Duration,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) took: Duration,
    pub(crate) counts: Counts,
    /// What the API server counted; none where it is of no use.
    pub(crate) counted: Counted,
    /// What was not as it must be.
    pub(crate) broken: Vec<String>,
    /// What else was seen.
    pub(crate) note: String,
}

/// Runs `act` under load, and holds what came of it against `bound`. What `act` returns is noted.
pub(crate) fn under_load(
    cluster: &Cluster,
    (name, mode, bound, size): (&str, Mode, Bound, &Size),
    act: impl FnOnce() -> Result<String, String>,
) -> Result<Row, String> {
    cluster.settle()?;
    let before = Counted::read(cluster.api)?;
    let began = Instant::now();
    let load = Load::start(cluster.api, size.rate);
    std::thread::sleep(size.around);
    let acted = act();
    // Where it has failed, it is over sooner.
    std::thread::sleep(size.around);
    let counts = load.stop()?;
    let took = began.elapsed();
    let counted = read_again(cluster.api)?.since(before);
    let (note, failure) = match acted {
        Ok(note) => (note, None),
        Err(error) => (String::new(), Some(error)),
    };
    let mut row = Row { name: name.to_owned(), mode, took, counts, counted, broken: vec![], note };
    row.broken = breaches(&row, bound);
    row.broken.extend(failure);
    Ok(row)
}

fn read_again(api: Api) -> Result<Counted, String> {
    crate::cluster::await_some(Duration::from_secs(30), "metrics of the API server", || Counted::read(api).ok())
}

fn breaches(row: &Row, bound: Bound) -> Vec<String> {
    let mut found = vec![];
    let Row { counts, counted, mode, .. } = row;
    let mut must_be_none = |what: &str, count: f64| {
        if count > 0.0 {
            found.push(format!("{what}: {count}, not 0"));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of objects are small")]
    let number = |count: u64| count as f64;
    must_be_none("failed calls in exempt namespaces", number(counts.failed_exempt));
    if bound == Bound::Nothing {
        must_be_none("failed calls", number(counts.failed));
        must_be_none("failed calls by the API server's count", counted.failed);
    }
    if bound == Bound::Nothing || *mode == Mode::Closed {
        must_be_none("unmutated objects", number(counts.unmutated));
        must_be_none("wrongly allowed objects", number(counts.allowed));
        must_be_none("calls that failed open", counted.failed_open);
    } else if number(counts.unmutated + counts.allowed) > counted.failed_open {
        found.push("more objects passed unchecked than calls failed open".to_owned());
    }
    if !matches!(bound, Bound::CallsAndServer(_)) {
        must_be_none_of_server(&mut found, counts.unavailable);
    }
    if let Bound::Calls(longest) | Bound::CallsAndServer(longest) = bound
        && counts.span() > longest
    {
        found.push(format!(
            "calls failed for {:.1} s, not {:.1} s",
            counts.span().as_secs_f64(),
            longest.as_secs_f64()
        ));
    }
    for (what, count) in
        [("denied", counts.denied), ("pods of Deployments", counts.pods_of_deployments), ("exempt", counts.exempt)]
    {
        if count == 0 {
            found.push(format!("{what}: none, so nothing is shown"));
        }
    }
    found
}

fn must_be_none_of_server(found: &mut Vec<String>, unavailable: u64) {
    if unavailable > 0 {
        found.push(format!("requests that the API server did not answer: {unavailable}, not 0"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(mode: Mode, counts: Counts, failed_open: f64) -> Row {
        let counts = Counts { denied: 1, pods_of_deployments: 1, exempt: 1, ..counts };
        let counted = Counted { failed_open, ..Counted::default() };
        Row { name: String::new(), mode, took: Duration::ZERO, counts, counted, broken: vec![], note: String::new() }
    }

    #[test]
    fn holds_every_count_against_its_bound() {
        let second = Duration::from_secs(1);
        let none: [String; 0] = [];
        assert_eq!(breaches(&row(Mode::Open, Counts::default(), 0.0), Bound::Nothing), none);
        let passed = breaches(&row(Mode::Open, Counts::default(), 1.0), Bound::Nothing);
        assert_eq!(passed, ["calls that failed open: 1, not 0"]);
        let failed = || Counts { failed: 2, ..Counts::default() };
        assert_eq!(breaches(&row(Mode::Closed, failed(), 0.0), Bound::Nothing), ["failed calls: 2, not 0"]);
        assert_eq!(breaches(&row(Mode::Closed, failed(), 0.0), Bound::Calls(second)), none);
        let allowed = || Counts { allowed: 1, ..Counts::default() };
        let passed = breaches(&row(Mode::Closed, allowed(), 0.0), Bound::Calls(second));
        assert_eq!(passed, ["wrongly allowed objects: 1, not 0"]);
        assert_eq!(breaches(&row(Mode::Open, allowed(), 1.0), Bound::Calls(second)), none);
        let passed = breaches(&row(Mode::Open, allowed(), 0.0), Bound::Calls(second));
        assert_eq!(passed, ["more objects passed unchecked than calls failed open"]);
        let away = || Counts { unavailable: 3, ..Counts::default() };
        let passed = breaches(&row(Mode::Open, away(), 0.0), Bound::Calls(second));
        assert_eq!(passed, ["requests that the API server did not answer: 3, not 0"]);
        assert_eq!(breaches(&row(Mode::Open, away(), 0.0), Bound::CallsAndServer(second)), none);
    }
}
