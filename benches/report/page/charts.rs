//! The charts of the page; one without figures is left out.

use super::figures::statistics::Summary;
use super::figures::{CPU, CPU_UNIT, Row, distinct, figures, growth, latency, of_group, ratio};
use super::svg::{Bar, bars};

/// The group of another instrument: policies in the API server and in a webhook.
pub(super) const API_SERVER: &str = "api-server";
/// The names of charts.
pub(super) const COST: &str = "cost";
pub(super) const GROWTH: &str = "growth";
pub(super) const LATENCY: &str = "latency";

/// A file with a chart.
pub(super) struct Chart {
    /// Without its ending.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) svg: String,
}

/// All charts for which there are figures.
pub(super) fn all(rows: &[Row]) -> Vec<Chart> {
    let costs = ratio::costs(rows).into_iter().map(|cost| Bar {
        label: format!("{}: {}", cost.scenario, cost.server),
        value: cost.ratio,
        mark: cost.limit,
    });
    let standstills = growth::standstills(rows).into_iter().map(|found| Bar {
        label: found.scenario,
        value: found.ratio,
        mark: Some(found.limit),
    });
    let waits = latency::pairs(rows).into_iter().flat_map(|pair| {
        let label = |server: &str| format!("{}: {server}", pair.scenario);
        let own = Bar { label: label(&pair.server), value: pair.own, mark: None };
        [Bar { label: label("N"), value: pair.null, mark: None }, own]
    });
    let chart = |name, title, unit: &str, all: Vec<Bar>| {
        (!all.is_empty()).then(|| Chart { name, title, svg: bars(title, unit, &all) })
    };
    let in_units = "(A - N) / (P - N): 0 is a constant answer, 1 is a parsed body; line: range, red: mark";
    let in_fewest = "CPU with the most policies over CPU with the fewest; line: range, red: mark";
    let in_ms = "milliseconds from when a request was due to its answer; line: range of the turns";
    let api_server = of_group(rows, API_SERVER);
    let unit = api_server.iter().find(|row| is_cpu(row)).map_or(CPU_UNIT, |row| &row.unit);
    [
        chart(COST, "What judging a review takes, beside parsing it", in_units, costs.collect()),
        chart(API_SERVER, "CPU of API server and webhook", unit, cpu(&api_server)),
        chart(GROWTH, "Policies that do not match", in_fewest, standstills.collect()),
        chart(LATENCY, "p99 under a constant load", in_ms, waits.collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A bar for each server and each kind of CPU that was measured of it.
fn cpu(rows: &[&Row]) -> Vec<Bar> {
    let mut all = Vec::new();
    for scenario in distinct(rows, |row| &row.scenario) {
        let here: Vec<&Row> = rows.iter().copied().filter(|row| row.scenario == scenario && is_cpu(row)).collect();
        for server in distinct(&here, |row| &row.server) {
            for measure in distinct(&here, |row| &row.measure) {
                let label = format!("{scenario}: {server}, {measure}");
                let value = Summary::of(&figures(&here, scenario, server, measure));
                all.extend(value.map(|value| Bar { label, value, mark: None }));
            }
        }
    }
    all
}

fn is_cpu(row: &Row) -> bool {
    row.unit == CPU_UNIT || row.measure.starts_with(CPU) || row.measure.starts_with("cpu")
}
