//! What a server takes for a review, in units of what it takes to parse it: (A - N) / (P - N).

use super::statistics::Summary;
use super::{CPU, NULL, PARSE, Row, distinct, figures, of_group, table};

/// The group of rows that these are made from.
pub(crate) const GROUP: &str = "cost";
/// The measure that holds the most that a ratio may be.
pub(crate) const LIMIT: &str = "limit of (A-N)/(P-N)";

/// A server beside the two floors of its scenario.
pub(crate) struct Cost {
    pub(crate) scenario: String,
    pub(crate) server: String,
    /// The ratio of the medians, and the range of the rounds' own ratios.
    pub(crate) ratio: Summary,
    pub(crate) limit: Option<f64>,
    /// Whether its runs and N's could as well be of one server.
    pub(crate) is_noise: bool,
    /// Whether it takes less than N, beyond noise: then the floors are not of the product's build.
    pub(crate) is_below: bool,
}

impl Cost {
    pub(crate) fn is_kept(&self) -> bool {
        self.limit.is_none_or(|limit| self.ratio.median <= limit && !self.is_below)
    }
}

/// All servers that are no floor, in the order of the rows.
pub(crate) fn costs(rows: &[Row]) -> Vec<Cost> {
    let rows = of_group(rows, GROUP);
    let mut costs = Vec::new();
    for scenario in distinct(&rows, |row| &row.scenario) {
        let here: Vec<&Row> = rows.iter().copied().filter(|row| row.scenario == scenario).collect();
        let [null, parse] = [NULL, PARSE].map(|floor| figures(&here, scenario, floor, CPU));
        for server in distinct(&here, |row| &row.server) {
            let cpu = figures(&here, scenario, server, CPU);
            let (Some(n), Some(p), Some(a)) = (Summary::of(&null), Summary::of(&parse), Summary::of(&cpu)) else {
                continue;
            };
            if server == NULL || server == PARSE {
                continue;
            }
            let each: Vec<f64> = cpu.iter().zip(&null).zip(&parse).map(|((a, n), p)| (a - n) / (p - n)).collect();
            let (min, max) = Summary::of(&each).map_or((f64::NAN, f64::NAN), |each| (each.min, each.max));
            costs.push(Cost {
                scenario: scenario.to_owned(),
                server: server.to_owned(),
                ratio: Summary { median: (a.median - n.median) / (p.median - n.median), min, max },
                limit: figures(&here, scenario, server, LIMIT).first().copied(),
                is_noise: a.meets(&n),
                is_below: a.max < n.min,
            });
        }
    }
    costs
}

/// The ratios as a table.
pub(crate) fn render(costs: &[Cost]) -> String {
    let mut lines = vec![["server", "sent", "(A - N) / (P - N)", "range", "mark", "is"].map(str::to_owned).to_vec()];
    for Cost { scenario, server, ratio, limit, is_noise, is_below } in costs {
        let said = match limit {
            Some(_) if *is_below => "below N: the floors are of another build",
            Some(limit) => ratio.beside(*limit),
            None if *is_noise => "N's own, within noise",
            None => "",
        };
        lines.push(vec![
            server.clone(),
            scenario.clone(),
            format!("{:.2}", ratio.median),
            format!("{:.2} to {:.2}", ratio.min, ratio.max),
            limit.map_or(String::new(), |limit| limit.to_string()),
            said.to_owned(),
        ]);
    }
    table::markdown(&lines)
}
