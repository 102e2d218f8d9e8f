//! All figures, and the marks that they are held against.

use std::fmt::Write as _;

/// What a figure may be.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    AtMost(f64),
    Below(f64),
    AtLeast(f64),
}

impl Limit {
    fn allows(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::Below(bound) => value < bound,
            Self::AtLeast(least) => value >= least,
        }
    }

    fn words(self) -> (&'static str, f64) {
        match self {
            Self::AtMost(most) => ("at most", most),
            Self::Below(bound) => ("below", bound),
            Self::AtLeast(least) => ("at least", least),
        }
    }
}

#[derive(Default)]
pub(crate) struct Sheet {
    rows: String,
    marks: Vec<Mark>,
}

struct Mark {
    name: String,
    value: f64,
    unit: &'static str,
    limit: Limit,
}

impl Sheet {
    /// One figure of one run.
    pub(crate) fn add(&mut self, scenario: &str, server: &str, run: u32, measure: &str, unit: &str, value: f64) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.rows, "standing,{scenario},{server},{run},{measure},{unit},{value}");
    }

    /// A figure that has a mark.
    pub(crate) fn mark(&mut self, name: impl Into<String>, value: f64, unit: &'static str, limit: Limit) {
        self.marks.push(Mark { name: name.into(), value, unit, limit });
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.marks.iter().all(|mark| mark.limit.allows(mark.value))
    }

    /// A line for each mark.
    pub(crate) fn marks(&self) -> String {
        let mut text = String::from("\nmarks\n");
        for Mark { name, value, unit, limit } in &self.marks {
            let (words, bound) = limit.words();
            let said = if limit.allows(*value) { "reached" } else { "NOT REACHED" };
            let _ = writeln!(text, "{name:<44} {value:>10.2} {unit:<5} {words:>8} {bound:<6} {said}");
        }
        text
    }

    /// All figures, in the format of docs/performance.
    pub(crate) fn csv(&self) -> String {
        format!("group,scenario,server,run,measure,unit,value\n{}", self.rows)
    }
}
