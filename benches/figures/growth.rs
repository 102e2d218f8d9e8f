//! How cost grows: with the policies that are loaded, with those that match, and with the size of the object.

use super::statistics::{Line, Summary, readable};
use super::{CPU, NULL, PARSE, Row, distinct, figures, of_group, table};

/// The group with more and more policies, a scenario a sort of them.
pub(crate) const LOADED: &str = "loaded";
/// The group with larger and larger objects, a scenario a size.
pub(crate) const SIZE: &str = "size";
/// How many policies a server has, and how many of them match what is sent.
pub(crate) const POLICIES: &str = "policies";
pub(crate) const MATCHING: &str = "matching";
/// How large the request's body is.
pub(crate) const BODY: &str = "body";
/// The most that the CPU with the most policies, none matching, may be in CPU with the fewest.
pub(crate) const LIMIT: &str = "limit of most over fewest";

/// Where none matches: the most policies against the fewest.
pub(crate) struct Standstill {
    pub(crate) scenario: String,
    pub(crate) fewest: f64,
    pub(crate) most: f64,
    /// CPU with the most over CPU with the fewest: of the medians, and the range of the rounds.
    pub(crate) ratio: Summary,
    pub(crate) limit: f64,
}

impl Standstill {
    pub(crate) fn is_kept(&self) -> bool {
        self.ratio.median <= self.limit
    }
}

/// One line of cost, in µs of CPU a request.
pub(crate) struct Growth {
    pub(crate) what: String,
    /// Of a policy that matches, or of a KiB.
    pub(crate) line: Line,
    pub(crate) unit: &'static str,
}

/// The figures of scenarios in which no policy matches.
pub(crate) fn standstills(rows: &[Row]) -> Vec<Standstill> {
    let rows = of_group(rows, LOADED);
    let mut found = Vec::new();
    for scenario in distinct(&rows, |row| &row.scenario) {
        let servers = loaded(&rows, scenario, POLICIES);
        let (Some(&(fewest, first)), Some(&(most, last))) = (servers.first(), servers.last()) else { continue };
        let Some(&limit) = figures(&rows, scenario, last, LIMIT).first() else { continue };
        let (one, many) = (figures(&rows, scenario, first, CPU), figures(&rows, scenario, last, CPU));
        let each: Vec<f64> = many.iter().zip(&one).map(|(many, one)| many / one).collect();
        if let (Some(one), Some(many), Some(each)) = (Summary::of(&one), Summary::of(&many), Summary::of(&each)) {
            let ratio = Summary { median: many.median / one.median, ..each };
            found.push(Standstill { scenario: scenario.to_owned(), fewest, most, ratio, limit });
        }
    }
    found
}

/// The lines of cost over policies that match, and over size.
pub(crate) fn lines(rows: &[Row]) -> Vec<Growth> {
    let mut lines = Vec::new();
    let loaded_rows = of_group(rows, LOADED);
    for scenario in distinct(&loaded_rows, |row| &row.scenario) {
        let points: Vec<(f64, f64)> = loaded(&loaded_rows, scenario, MATCHING)
            .into_iter()
            .filter(|(matching, _)| *matching > 0.0)
            .filter_map(|(matching, server)| Some((matching, micros(&loaded_rows, scenario, server)?)))
            .collect();
        if let Some(line) = Line::fit(&points) {
            lines.push(Growth { what: scenario.to_owned(), line, unit: "matching policy" });
        }
    }
    let size_rows = of_group(rows, SIZE);
    let scenarios = distinct(&size_rows, |row| &row.scenario);
    for server in distinct(&size_rows, |row| &row.server) {
        let points: Vec<(f64, f64)> = scenarios
            .iter()
            .filter_map(|scenario| {
                let bytes = figures(&size_rows, scenario, server, BODY).first().copied()?;
                Some((bytes / 1_024.0, micros(&size_rows, scenario, server)?))
            })
            .collect();
        if let Some(line) = Line::fit(&points) {
            lines.push(Growth { what: format!("larger pods, {server}"), line, unit: "KiB" });
        }
    }
    lines
}

/// The servers that say how many policies they have, fewest first.
fn loaded<'a>(rows: &[&'a Row], scenario: &str, measure: &str) -> Vec<(f64, &'a str)> {
    let mut servers: Vec<(f64, &str)> = distinct(rows, |row| &row.server)
        .into_iter()
        .filter(|&server| server != NULL && server != PARSE)
        .filter_map(|server| Some((figures(rows, scenario, server, measure).first().copied()?, server)))
        .collect();
    servers.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    servers
}

/// The median CPU of a request, in µs: seconds for 1,000 requests are milliseconds for one.
fn micros(rows: &[&Row], scenario: &str, server: &str) -> Option<f64> {
    Some(Summary::of(&figures(rows, scenario, server, CPU))?.median * 1_000.0)
}

/// Both as tables; empty where there is nothing.
pub(crate) fn render(standstills: &[Standstill], lines: &[Growth]) -> String {
    let mut text = String::new();
    if !standstills.is_empty() {
        let heading = ["sort", "policies", "CPU over that of the fewest", "range", "mark", "is"];
        let mut table = vec![heading.map(str::to_owned).to_vec()];
        table.extend(standstills.iter().map(|found| {
            let noise =
                if found.ratio.min <= 1.0 && 1.0 <= found.ratio.max { "; no difference beyond noise" } else { "" };
            vec![
                found.scenario.clone(),
                format!("{} against {}", readable(found.most), readable(found.fewest)),
                format!("{:.3}", found.ratio.median),
                format!("{:.3} to {:.3}", found.ratio.min, found.ratio.max),
                found.limit.to_string(),
                format!("{}{noise}", found.ratio.beside(found.limit)),
            ]
        }));
        text.push_str(&table::markdown(&table));
        text.push('\n');
    }
    if !lines.is_empty() {
        let mut table =
            vec![["grows", "µs of CPU each", "at zero, µs", "R²", "furthest point off"].map(str::to_owned).to_vec()];
        table.extend(lines.iter().map(|Growth { what, line, unit }| {
            vec![
                what.clone(),
                format!("{} a {unit}", readable(line.slope)),
                readable(line.intercept),
                format!("{:.4}", line.r_squared),
                format!("{:.0} %", line.furthest * 100.0),
            ]
        }));
        text.push_str(&table::markdown(&table));
    }
    text
}
