//! What instruments measure: rows of one form, what follows from them, and how they are shown. The terminal and
//! docs/performance.md show the same, by this code.

pub(crate) mod growth;
pub(crate) mod latency;
pub(crate) mod ratio;
pub(crate) mod statistics;
pub(crate) mod table;

/// The first line of every file in docs/performance.
pub(crate) const HEADER: &str = "group,scenario,server,run,measure,unit,value";

/// The server whose handler answers a constant: N.
pub(crate) const NULL: &str = "N: constant answer";
/// The server whose handler parses the body into `serde_json::Value`: P.
pub(crate) const PARSE: &str = "P: body parsed, uid echoed";
/// CPU time, user and system, of the server's process: seconds for 1,000 requests.
pub(crate) const CPU: &str = "CPU";
/// What `CPU` is measured in.
pub(crate) const CPU_UNIT: &str = "s/1000";

/// One figure of one run of one server: a line of a file in docs/performance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// What is compared: `cost`, `loaded`, `size`, `latency`, or another instrument's word.
    pub(crate) group: String,
    /// What is sent, and what is compared there.
    pub(crate) scenario: String,
    pub(crate) server: String,
    /// From 1; 0 where a figure is of no single run.
    pub(crate) run: u32,
    pub(crate) measure: String,
    pub(crate) unit: String,
    /// A number; in group `machine` it may be words.
    pub(crate) value: String,
}

impl Row {
    /// The value; NaN where it is no number.
    pub(crate) fn number(&self) -> f64 {
        self.value.parse().unwrap_or(f64::NAN)
    }
}

/// The different values of `key`, in the order in which they come first.
pub(crate) fn distinct<'a>(rows: &[&'a Row], key: impl Fn(&'a Row) -> &'a str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for row in rows {
        let value = key(row);
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// The rows of a group.
pub(crate) fn of_group<'a>(rows: &'a [Row], group: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.group == group).collect()
}

/// The figures of one measure of one server in one scenario, by run.
pub(crate) fn figures(rows: &[&Row], scenario: &str, server: &str, measure: &str) -> Vec<f64> {
    let mut found: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| row.scenario == scenario && row.server == server && row.measure == measure)
        .collect();
    found.sort_by_key(|row| row.run);
    found.into_iter().map(Row::number).collect()
}
