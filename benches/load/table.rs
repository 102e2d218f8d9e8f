//! The figures of each server, and how they are printed.

use std::{fmt::Write, time::Duration};

use crate::options::Options;

/// What was measured of one server.
pub(crate) struct Row {
    name: String,
    /// Of each round, in seconds a request.
    cpu: Vec<f64>,
    /// Of each round, in requests a second.
    rate: Vec<f64>,
    pub(crate) idle_kib: u32,
    pub(crate) peak_kib: u32,
}

impl Row {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), cpu: Vec::new(), rate: Vec::new(), idle_kib: 0, peak_kib: 0 }
    }

    /// Adds a round of `requests`.
    pub(crate) fn add(&mut self, cpu_seconds_a_request: f64, elapsed: Duration, requests: u32) {
        self.cpu.push(cpu_seconds_a_request);
        self.rate.push(f64::from(requests) / elapsed.as_secs_f64());
    }

    /// The CPU seconds of a request: the median of the rounds.
    pub(crate) fn median(&self) -> f64 {
        median(&self.cpu)
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    f64::midpoint(lower, upper)
}

/// The table: CPU seconds for 1,000 requests, requests a second, MiB.
pub(crate) fn render(rows: &[Row], options: &Options, review_bytes: usize) -> String {
    let mut table = format!(
        "{review_bytes} bytes, {} rounds of {} requests, {} connections, HTTP/1.1 over TLS\n\n\
         | server                     | CPU s / 1,000 | min    | max    | req/s  | MiB idle | peak |\n\
         |----------------------------|--------------:|-------:|-------:|-------:|---------:|-----:|\n",
        options.rounds, options.requests, options.connections
    );
    for row in rows {
        let thousand = |seconds: f64| seconds * 1_000.0;
        let min = row.cpu.iter().copied().fold(f64::INFINITY, f64::min);
        let max = row.cpu.iter().copied().fold(0.0, f64::max);
        let mib = |kib: u32| f64::from(kib) / 1_024.0;
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {:<26} | {:>13.4} | {:>6.4} | {:>6.4} | {:>6.0} | {:>8.1} | {:>4.0} |",
            row.name,
            thousand(row.median()),
            thousand(min),
            thousand(max),
            median(&row.rate),
            mib(row.idle_kib),
            mib(row.peak_kib)
        );
    }
    table.push('\n');
    table
}
