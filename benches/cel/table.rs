//! The figures of each case, and how they are printed.

use std::fmt::Write as _;

use crate::here::Measured;
use crate::upstream::Timed;

/// The best figures of a case in all rounds, in nanoseconds.
pub(crate) struct Row {
    name: String,
    here: Figures,
    upstream: Option<Figures>,
}

#[derive(Clone, Copy)]
struct Figures {
    program: f64,
    request: f64,
}

impl Figures {
    const NONE: Self = Self { program: f64::INFINITY, request: f64::INFINITY };

    fn add(&mut self, program: f64, request: f64) {
        self.program = self.program.min(program);
        self.request = self.request.min(request);
    }
}

impl Row {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), here: Figures::NONE, upstream: None }
    }

    pub(crate) fn add(&mut self, measured: &Measured) {
        self.here.add(measured.program, measured.request);
    }

    pub(crate) fn add_upstream(&mut self, timed: &Timed) {
        let figures = self.upstream.get_or_insert(Figures::NONE);
        figures.add(timed.program_ns.best, timed.request_ns.best);
    }

    fn ratios(&self) -> Option<Figures> {
        let upstream = self.upstream?;
        Some(Figures { program: upstream.program / self.here.program, request: upstream.request / self.here.request })
    }
}

/// The geometric mean of how many times more the API server takes for a request.
pub(crate) fn mean_ratio(rows: &[Row]) -> Option<f64> {
    mean(rows, |ratios| ratios.request)
}

fn mean(rows: &[Row], of: impl Fn(Figures) -> f64) -> Option<f64> {
    let logarithms: Option<Vec<f64>> = rows.iter().map(|row| row.ratios().map(|ratios| of(ratios).ln())).collect();
    let logarithms = logarithms?;
    let count = u32::try_from(logarithms.len()).ok().filter(|count| *count > 0)?;
    Some((logarithms.iter().sum::<f64>() / f64::from(count)).exp())
}

/// A line for each case, and the means.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:24} {:>10} {:>10}   {:>10} {:>10}   {:>8} {:>8}\n",
        "ns, best batch", "program", "request", "upstream:", "request", "ratio:", "request"
    );
    let mut line = |name: &str, columns: [Option<f64>; 6]| {
        let column = |value: Option<f64>, digits| value.map_or_else(String::new, |value| format!("{value:.digits$}"));
        let [program, request, their_program, their_request, program_ratio, request_ratio] = columns;
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{name:24} {:>10} {:>10}   {:>10} {:>10}   {:>8} {:>8}",
            column(program, 0),
            column(request, 0),
            column(their_program, 0),
            column(their_request, 0),
            column(program_ratio, 1),
            column(request_ratio, 1)
        );
    };
    for row in rows {
        let (theirs, ratios) = (row.upstream, row.ratios());
        line(
            &row.name,
            [
                Some(row.here.program),
                Some(row.here.request),
                theirs.map(|figures| figures.program),
                theirs.map(|figures| figures.request),
                ratios.map(|figures| figures.program),
                ratios.map(|figures| figures.request),
            ],
        );
    }
    let (program, request) = (mean(rows, |ratios| ratios.program), mean(rows, |ratios| ratios.request));
    if request.is_some() {
        line("geometric mean", [None, None, None, None, program, request]);
    }
    text
}
