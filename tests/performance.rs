//! docs/performance.md is what its generator makes of the figures beside it, and what is measured is held against what must
//! come back. No server is run for that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "../benches/load/expected.rs"]
mod expected;
#[path = "../benches/report/page/mod.rs"]
mod page;
#[path = "../benches/load/percentile.rs"]
mod percentile;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use expected::{Checker, Expected};
use hyper::StatusCode;
use percentile::percentile;
use serde_json::{Value, json};

use page::csv;
use page::figures::statistics::{Line, Summary, readable};
use page::figures::{CPU, NULL, PARSE, Row, latency, ratio};

#[test]
fn the_page_is_what_is_made_of_the_committed_figures() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files = page::files(&docs).unwrap();
    for (name, text) in &files {
        let found = fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(found == *text, "docs/{name} is out of date: cargo bench --bench report writes it anew");
    }
    let made: BTreeSet<&str> = files.iter().filter_map(|(name, _)| name.strip_prefix("performance/")).collect();
    for entry in fs::read_dir(docs.join("performance")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_known =
            Path::new(&name).extension().is_some_and(|ending| ending == "csv") || made.contains(name.as_str());
        assert!(is_known, "docs/performance/{name} is neither figures nor made of them: delete it");
    }
}

#[test]
fn every_chart_is_well_formed_and_on_the_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files = page::files(&docs).unwrap();
    let (_, page) = files.first().unwrap();
    for (name, svg) in files.iter().skip(1) {
        assert!(page.contains(&format!("]({name})")), "{name} is on no page");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{name}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name} has a bar without a length");
        for tag in ["svg", "title", "text"] {
            let opened = svg.matches(&format!("<{tag} ")).count() + svg.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{name}: <{tag}>");
        }
    }
}

#[test]
fn reads_quoted_fields_and_refuses_what_is_no_figure() {
    let header = "group,scenario,server,run,measure,unit,value";
    let rows = csv::read(&format!("{header}\ncost,\"pod, \"\"denied\"\"\",A,2,CPU,s/1000,0.5\n")).unwrap();
    assert_eq!(rows, [row("pod, \"denied\"", "A", 2, CPU, "s/1000", 0.5)]);
    assert_eq!(csv::read("group\n").unwrap_err(), format!("the first line is not \"{header}\""));
    for wrong in ["cost,pod,A,2,CPU,s/1000,NaN", "cost,pod,A,2,CPU,s/1000", "cost,\"pod,A,2,CPU,s/1000,1"] {
        assert_eq!(csv::read(&format!("{header}\n{wrong}\n")).unwrap_err(), format!("line 2: \"{wrong}\" is no row"));
    }
}

#[test]
fn a_ratio_is_that_of_the_medians_and_its_range_that_of_the_rounds() {
    let mut rows = vec![];
    for (run, n, p, a) in [(1, 1.0, 5.0, 2.0), (2, 1.0, 3.0, 2.0), (3, 2.0, 6.0, 3.0)] {
        for (server, value) in [(NULL, n), (PARSE, p), ("A", a)] {
            rows.push(row("pod", server, run, CPU, "s/1000", value));
        }
    }
    rows.push(row("pod", "A", 0, ratio::LIMIT, "", 0.2));
    let costs = ratio::costs(&rows);
    let [cost] = costs.as_slice() else { panic!("one server is no floor") };
    assert_eq!(cost.ratio, Summary { median: 0.25, min: 0.25, max: 0.5 });
    assert!(!cost.is_kept(), "0.25 is more than 0.2");
    assert!(cost.is_noise, "2 is a figure of both");
    assert_eq!(cost.ratio.beside(0.2), "over");
    assert_eq!(cost.ratio.beside(0.3), "within, by less than the noise");
    assert_eq!(cost.ratio.beside(0.5), "within, by less than the noise");
    assert_eq!(cost.ratio.beside(0.6), "within");
}

#[test]
fn no_mark_is_kept_by_a_server_that_takes_less_than_its_floor() {
    let mut rows = vec![row("pod", "A", 0, ratio::LIMIT, "", 0.2)];
    for (run, n, a) in [(1, 2.0, 1.0), (2, 2.1, 1.1)] {
        for (server, value) in [(NULL, n), (PARSE, 5.0), ("A", a)] {
            rows.push(row("pod", server, run, CPU, "s/1000", value));
        }
    }
    let costs = ratio::costs(&rows);
    assert!(costs[0].is_below && !costs[0].is_kept());
    assert!(ratio::render(&costs).contains("below N: the floors are of another build"));
}

#[test]
fn a_difference_of_latency_is_that_of_neighbouring_turns() {
    let mut rows = vec![];
    for (run, n, a) in [(1, 1.0, 1.5), (2, 9.0, 9.2), (3, 2.0, 2.1)] {
        for (server, value) in [(NULL, n), ("A", a)] {
            rows.push(Row {
                group: latency::GROUP.to_owned(),
                ..row("100 a second", server, run, latency::P99, "ms", value)
            });
        }
    }
    let pairs = latency::pairs(&rows);
    let [pair] = pairs.as_slice() else { panic!("one server beside N") };
    assert!((pair.difference.median - 0.2).abs() < 1e-9 && (pair.difference.max - 0.5).abs() < 1e-9);
}

#[test]
fn a_line_fits_what_lies_on_it_and_says_how_far_off_the_rest_is() {
    let line = Line::fit(&[(1.0, 5.0), (10.0, 23.0), (100.0, 203.0)]).unwrap();
    assert!((line.slope - 2.0).abs() < 1e-9 && (line.intercept - 3.0).abs() < 1e-9);
    assert!((line.r_squared - 1.0).abs() < 1e-9 && line.furthest < 1e-9);
    let bent = Line::fit(&[(0.0, 1.0), (1.0, 1.0), (2.0, 4.0)]).unwrap();
    assert!((bent.r_squared - 0.75).abs() < 1e-9 && (bent.furthest - 1.0).abs() < 1e-9);
    assert_eq!(Line::fit(&[(1.0, 1.0), (2.0, 2.0)]), None);
}

#[test]
fn figures_are_shown_with_what_matters_of_them() {
    let shown = [0.01234, 0.1234, 1.234, 12.34, 123.4, 12345.6, -1234.0, 0.0, 1.0, f64::NAN].map(readable);
    assert_eq!(shown, ["0.0123", "0.123", "1.23", "12.3", "123", "12,346", "-1,234", "0", "1", "-"]);
}

fn row(scenario: &str, server: &str, run: u32, measure: &str, unit: &str, value: f64) -> Row {
    let [group, scenario, server] = [ratio::GROUP, scenario, server].map(str::to_owned);
    Row { group, scenario, server, run, measure: measure.to_owned(), unit: unit.to_owned(), value: value.to_string() }
}

/// How many of the answers are wrong.
fn wrong(expected: &Expected, answers: &[(u16, Value)]) -> u32 {
    let mut checker = Checker::new("1-2", expected);
    for (status, response) in answers {
        let body = json!({ "response": response }).to_string();
        checker.take(StatusCode::from_u16(*status).unwrap(), body.into());
    }
    assert_eq!(checker.first.is_some(), checker.wrong > 0);
    checker.wrong
}

#[test]
fn an_answer_is_right_by_its_uid_verdict_code_and_patch() {
    let operations = json!([{ "op": "add", "path": "/spec/securityContext", "value": {} }]);
    let patch = STANDARD.encode(operations.to_string());
    let other = STANDARD.encode(json!([{ "op": "remove", "path": "/spec" }]).to_string());
    let allowed = json!({ "uid": "1-2", "allowed": true });
    let patched = json!({ "uid": "1-2", "allowed": true, "patch": patch });
    let patched_otherwise = json!({ "uid": "1-2", "allowed": true, "patch": other });
    let denied = json!({ "uid": "1-2", "allowed": false, "status": { "code": 403 } });
    let stranger = json!({ "uid": "1-3", "allowed": true });
    let all = [allowed, patched, patched_otherwise, denied, stranger].map(|response| (200, response));
    for (expected, right) in [
        (Expected::Allowed, Some(0)),
        (Expected::Patched(operations.clone()), Some(1)),
        (Expected::Denied(403), Some(3)),
        (Expected::Denied(422), None),
        (Expected::Refused, Some(3)),
    ] {
        for (place, answer) in all.iter().enumerate() {
            let one = std::slice::from_ref(answer);
            assert_eq!(wrong(&expected, one), u32::from(right != Some(place)), "{expected:?}: {answer:?}");
        }
    }
    // What was right once is right again, but not with another status, and what is wrong is counted each time.
    let [right, _, _, refused, _] = &all;
    let failed = (500, right.1.clone());
    let mixed = [right, right, &failed, refused, right, refused].map(Clone::clone);
    assert_eq!(wrong(&Expected::Allowed, &mixed), 3);
}

#[test]
fn a_percentile_needs_an_answer_beyond_it() {
    let hundred: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
    assert_eq!(percentile(&hundred, 500), Some(Duration::from_millis(50)));
    assert_eq!(percentile(&hundred, 990), Some(Duration::from_millis(99)));
    assert_eq!(percentile(&hundred, 999), None);
    assert_eq!(percentile(&[], 500), None);
}
