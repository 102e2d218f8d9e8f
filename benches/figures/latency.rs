//! How long clients wait under a load that does not wait for them: beside N, in pairs.

use super::statistics::Summary;
use super::{NULL, Row, distinct, figures, of_group, table};

/// The group of rows that these are made from.
pub(crate) const GROUP: &str = "latency";
/// The measure that is compared, in milliseconds.
pub(crate) const P99: &str = "p99";
/// The measure that holds by how much p99 may be above N's.
pub(crate) const LIMIT: &str = "limit of p99 over N's";

/// A server's p99 beside N's of the same turn.
pub(crate) struct Pair {
    pub(crate) scenario: String,
    pub(crate) server: String,
    pub(crate) null: Summary,
    pub(crate) own: Summary,
    /// Turn by turn.
    pub(crate) difference: Summary,
    pub(crate) limit: Option<f64>,
}

impl Pair {
    pub(crate) fn is_kept(&self) -> bool {
        self.limit.is_none_or(|limit| self.difference.median <= limit)
    }
}

/// All servers but N, in the order of the rows.
pub(crate) fn pairs(rows: &[Row]) -> Vec<Pair> {
    let rows = of_group(rows, GROUP);
    let mut pairs = Vec::new();
    for scenario in distinct(&rows, |row| &row.scenario) {
        let here: Vec<&Row> = rows.iter().copied().filter(|row| row.scenario == scenario).collect();
        let null = figures(&here, scenario, NULL, P99);
        for server in distinct(&here, |row| &row.server).into_iter().filter(|&server| server != NULL) {
            let own = figures(&here, scenario, server, P99);
            let each: Vec<f64> = own.iter().zip(&null).map(|(own, null)| own - null).collect();
            if let (Some(null), Some(own), Some(difference)) =
                (Summary::of(&null), Summary::of(&own), Summary::of(&each))
            {
                let limit = figures(&here, scenario, server, LIMIT).first().copied();
                pairs.push(Pair {
                    scenario: scenario.to_owned(),
                    server: server.to_owned(),
                    null,
                    own,
                    difference,
                    limit,
                });
            }
        }
    }
    pairs
}

/// The pairs as a table.
pub(crate) fn render(pairs: &[Pair]) -> String {
    let heading = ["server", "load", "p99, ms", "N's p99, ms", "difference, ms", "range", "mark", "is"];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    for Pair { scenario, server, null, own, difference, limit } in pairs {
        let noise = if difference.min <= 0.0 && 0.0 <= difference.max { "no difference beyond noise" } else { "" };
        let said = limit.map_or("", |limit| difference.beside(limit));
        let both = if said.is_empty() || noise.is_empty() { "" } else { "; " };
        lines.push(vec![
            server.clone(),
            scenario.clone(),
            format!("{:.2}", own.median),
            format!("{:.2}", null.median),
            format!("{:.2}", difference.median),
            format!("{:.2} to {:.2}", difference.min, difference.max),
            limit.map_or(String::new(), |limit| limit.to_string()),
            format!("{said}{both}{noise}"),
        ]);
    }
    table::markdown(&lines)
}
