//! All figures of a run: printed as they come, added to a file, held against the marks at the end.

use std::{fmt::Write as _, fs, io::Write as _, path::PathBuf};

use crate::{
    Failure, csv,
    figures::{Row, distinct, growth, latency, ratio, table},
    options::Options,
};

pub(crate) struct Sheet {
    rows: Vec<Row>,
    csv: Option<PathBuf>,
}

impl Sheet {
    /// A file that cannot be written is said at once, not after a quarter of an hour.
    pub(crate) fn new(options: &Options) -> Result<Self, Failure> {
        let sheet = Self { rows: Vec::new(), csv: options.csv.clone() };
        sheet.append(&[])?;
        Ok(sheet)
    }

    /// Keeps rows without showing them.
    pub(crate) fn note(&mut self, rows: Vec<Row>) -> Result<(), Failure> {
        self.append(&rows)?;
        self.rows.extend(rows);
        Ok(())
    }

    /// Shows a group's rows, scenario by scenario, and keeps them.
    #[expect(clippy::print_stdout, reason = "a benchmark reports on the terminal")]
    pub(crate) fn add(&mut self, rows: Vec<Row>) -> Result<(), Failure> {
        let all: Vec<&Row> = rows.iter().collect();
        for scenario in distinct(&all, |row| &row.scenario) {
            println!("{scenario}\n\n{}", table::scenario(&all, scenario));
        }
        self.note(rows)
    }

    /// The marks, as tables.
    pub(crate) fn marks(&self) -> String {
        let mut text = String::new();
        let costs = ratio::costs(&self.rows);
        if !costs.is_empty() {
            let _ = writeln!(text, "{}", ratio::render(&costs));
        }
        let growth = growth::render(&growth::standstills(&self.rows), &growth::lines(&self.rows));
        if !growth.is_empty() {
            let _ = writeln!(text, "{growth}");
        }
        let pairs = latency::pairs(&self.rows);
        if !pairs.is_empty() {
            let _ = writeln!(text, "{}", latency::render(&pairs));
        }
        text
    }

    /// Whether every mark is kept.
    pub(crate) fn is_kept(&self) -> bool {
        ratio::costs(&self.rows).iter().all(ratio::Cost::is_kept)
            && growth::standstills(&self.rows).iter().all(growth::Standstill::is_kept)
            && latency::pairs(&self.rows).iter().all(latency::Pair::is_kept)
    }

    fn append(&self, rows: &[Row]) -> Result<(), Failure> {
        let Some(path) = &self.csv else { return Ok(()) };
        let failed = |error: std::io::Error| format!("cannot write \"{}\": {error}", path.display());
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        let text = csv::write(rows);
        let is_new = file.metadata().map_err(failed)?.len() == 0;
        let text = if is_new { text.as_str() } else { text.split_once('\n').map_or("", |(_, rows)| rows) };
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(())
    }
}
