//! The page about performance: ratios first, then every figure, then what it was measured on.

mod charts;
pub(crate) mod csv;
#[path = "../../figures/mod.rs"]
pub(crate) mod figures;
mod svg;
mod words;

use std::{fmt::Write as _, fs, path::Path};

use figures::{Row, distinct, growth, latency, of_group, ratio, table};

/// Where the figures are, and the charts, below docs.
const FOLDER: &str = "performance";

/// The files below `docs`, by name, that follow from the figures in `docs/performance`.
pub(crate) fn files(docs: &Path) -> Result<Vec<(String, String)>, String> {
    let rows = rows(&docs.join(FOLDER))?;
    let charts = charts::all(&rows);
    let mut files = vec![("performance.md".to_owned(), page(&rows, &charts))];
    files.extend(charts.into_iter().map(|chart| (format!("{FOLDER}/{}.svg", chart.name), chart.svg)));
    Ok(files)
}

/// The rows of all files, in the order of their names.
fn rows(folder: &Path) -> Result<Vec<Row>, String> {
    let failed = |error: std::io::Error| format!("cannot read \"{}\": {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    paths.sort();
    let mut rows = Vec::new();
    for path in paths {
        let wrong = |problem: String| format!("{}: {problem}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        rows.extend(csv::read(&text).map_err(wrong)?);
    }
    Ok(rows)
}

fn page(rows: &[Row], charts: &[charts::Chart]) -> String {
    let (costs, standstills, pairs) = (ratio::costs(rows), growth::standstills(rows), latency::pairs(rows));
    let marks: Vec<bool> = (costs.iter().filter(|cost| cost.limit.is_some()).map(ratio::Cost::is_kept))
        .chain(standstills.iter().map(growth::Standstill::is_kept))
        .chain(pairs.iter().filter(|pair| pair.limit.is_some()).map(latency::Pair::is_kept))
        .collect();
    let kept = marks.iter().filter(|&&is_kept| is_kept).count();
    let mut page = format!("{}\nOf {} marks of cost, growth and latency, {kept} are kept.\n", words::HEAD, marks.len());
    let mut section = |title: &str, words: &str, chart: &str, table: &str| {
        if table.is_empty() {
            return;
        }
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {title}\n\n{words}\n");
        if let Some(chart) = charts.iter().find(|found| found.name == chart) {
            let _ = write!(page, "\n![{}]({FOLDER}/{}.svg)\n", chart.title, chart.name);
        }
        let _ = write!(page, "\n{table}");
    };
    let text = if costs.is_empty() { String::new() } else { ratio::render(&costs) };
    section("A review beside both floors", words::COST, charts::COST, &text);

    let api_server = of_group(rows, charts::API_SERVER);
    section("Through the API server", words::API_SERVER, charts::API_SERVER, &scenarios(&api_server));

    let text = growth::render(&standstills, &growth::lines(rows));
    section("More policies, larger objects", words::GROWTH, charts::GROWTH, &text);

    let text = if pairs.is_empty() { String::new() } else { latency::render(&pairs) };
    section("How long clients wait", words::LATENCY, charts::LATENCY, &text);

    let all: Vec<&Row> = rows.iter().collect();
    for group in distinct(&all, |row| &row.group) {
        let is_shown_already = [charts::API_SERVER, "machine"].contains(&group);
        if !is_shown_already {
            let words = "Every figure: the median of the runs, and between what they lie.";
            section(&format!("Figures: {group}"), words, "", &scenarios(&of_group(rows, group)));
        }
    }
    section("What others take", words::OTHERS, "", words::OTHERS_TABLE);
    section("Measured on", words::MACHINE, "", &machine(&of_group(rows, "machine")));
    page.push_str(words::FOOT);
    page
}

/// All scenarios of a group, each with its table.
fn scenarios(rows: &[&Row]) -> String {
    let tables = distinct(rows, |row| &row.scenario)
        .into_iter()
        .map(|scenario| format!("{scenario}:\n\n{}", table::scenario(rows, scenario)));
    tables.collect::<Vec<_>>().join("\n")
}

/// What the runs were on: the same lines of several instruments are one.
fn machine(rows: &[&Row]) -> String {
    let mut lines = vec![vec![String::new(), String::new()]];
    for row in rows {
        let line = vec![row.measure.clone(), row.value.clone()];
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.len() == 1 { String::new() } else { table::markdown(&lines) }
}
