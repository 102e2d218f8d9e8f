//! The figures of every round, and how they are printed and written.

use std::fmt::Write;

use crate::{configuration::Configuration, options::Options};

/// One measure of one round.
pub(crate) struct Figure {
    measure: &'static str,
    unit: &'static str,
    value: f64,
}

impl Figure {
    pub(crate) fn new(measure: &'static str, unit: &'static str, value: f64) -> Self {
        Self { measure, unit, value }
    }
}

/// What was measured.
#[derive(Default)]
pub(crate) struct Table(Vec<(Configuration, u32, Vec<Figure>)>);

impl Table {
    pub(crate) fn add(&mut self, configuration: Configuration, round: u32, figures: Vec<Figure>) {
        self.0.push((configuration, round, figures));
    }

    /// The median of the rounds; NaN where the configuration has no such measure.
    fn median(&self, configuration: Configuration, measure: &str) -> f64 {
        let rounds = self.0.iter().filter(|(other, ..)| *other == configuration);
        let values = rounds.flat_map(|(.., figures)| figures).filter(|figure| figure.measure == measure);
        median(values.map(|figure| figure.value).collect())
    }

    /// (admittance - no policy) / (native policies - no policy), of the CPU time of API server and webhook together.
    pub(crate) fn ratio(&self) -> f64 {
        let above = |configuration| self.median(configuration, "cpu") - self.median(Configuration::NoPolicy, "cpu");
        above(Configuration::Admittance) / above(Configuration::Native)
    }

    /// The medians.
    pub(crate) fn render(&self, options: &Options) -> String {
        const COLUMNS: [(&str, &str); 11] = [
            ("cpu_api_server", "API server"),
            ("cpu_webhook", "webhook"),
            ("cpu", "together"),
            ("idle_cpu_api_server", "idle s/s"),
            ("rate", "creates/s"),
            ("p50", "p50 ms"),
            ("p99", "p99 ms"),
            ("request_mean", "request ms"),
            ("admission_mean", "plugin ms"),
            ("admission_p99", "p99 ms"),
            ("webhook_mean", "call ms"),
        ];
        let mut table = format!(
            "medians of {} rounds of {} pod creates (dry run), {} connections; CPU seconds for 1,000 creates\n\n\
             | configuration   |",
            options.rounds, options.creates, options.connections
        );
        // Writing to a String cannot fail.
        COLUMNS.iter().for_each(|(_, head)| write!(table, " {head:>10} |").unwrap_or_default());
        table.push_str("\n|-----------------|");
        COLUMNS.iter().for_each(|_| table.push_str("-----------:|"));
        for configuration in Configuration::ALL {
            let _ = write!(table, "\n| {:<15} |", configuration.name());
            for (measure, _) in COLUMNS {
                let value = self.median(configuration, measure);
                let shown = if value.is_nan() { "-".to_owned() } else { format!("{value:.3}") };
                let _ = write!(table, " {shown:>10} |");
            }
        }
        table.push_str(
            "\n\nrequest, plugin, call: what the API server measures itself, of the whole request, of the admission plugin\n\
             that adds the policies, and of the call of the webhook\n",
        );
        table
    }

    /// One row a figure.
    pub(crate) fn csv(&self) -> String {
        let mut csv = "group,scenario,server,run,measure,unit,value\n".to_owned();
        for (configuration, round, figures) in &self.0 {
            for Figure { measure, unit, value } in figures {
                let name = configuration.name();
                let _ = writeln!(csv, "api-server,pod-create-dry-run,{name},{round},{measure},{unit},{value:.6}");
            }
        }
        csv
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let upper = figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "figures that are exact")]
mod tests {
    use super::*;

    #[test]
    fn takes_the_ratio_from_the_medians_above_no_policy() {
        let mut table = Table::default();
        for (configuration, cpu) in
            [(Configuration::NoPolicy, 2.0), (Configuration::Native, 22.0), (Configuration::Admittance, 3.0)]
        {
            for (round, more) in [(1, 0.0), (2, 0.5), (3, 9.0)] {
                table.add(configuration, round, vec![Figure::new("cpu", "s/1000", cpu + more)]);
            }
        }
        assert_eq!(table.ratio(), 0.05);
        let csv = table.csv();
        assert_eq!(csv.lines().nth(1), Some("api-server,pod-create-dry-run,no-policy,1,cpu,s/1000,2.000000"));
        assert_eq!(csv.lines().count(), 10);
    }
}
