//! Bar charts as SVG: horizontal bars with their ranges, and the marks that they are held against.

use std::fmt::Write as _;

use super::figures::statistics::{Summary, readable};

/// One bar.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: Summary,
    pub(super) mark: Option<f64>,
}

const WIDTH: f64 = 860.0;
const LEFT: f64 = 330.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 46.0;
const STEP: f64 = 26.0;
const THICK: f64 = 16.0;

/// Colours that can be told on white and on black alike.
const BAR: &str = "#4c8eda";
const RANGE: &str = "#1f4e86";
const MARK: &str = "#d1495b";
const TEXT: &str = "#7d8590";

/// A chart of bars from zero. Values below zero are drawn as a line at zero, and written.
pub(super) fn bars(title: &str, unit: &str, bars: &[Bar]) -> String {
    let most = bars.iter().flat_map(|bar| [bar.value.max, bar.mark.unwrap_or(0.0)]).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let height = TOP + STEP * bars.iter().map(|_| 1.0).sum::<f64>() + 14.0;
    // Writing to a String cannot fail.
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"{TEXT}\">\n<title>{title}</title>\n\
         <text x=\"8\" y=\"20\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n\
         <text x=\"8\" y=\"37\" font-size=\"12\">{unit}</text>\n",
        title = escaped(title),
        unit = escaped(unit),
    );
    let mut y = TOP;
    for Bar { label, value, mark } in bars {
        let middle = y + THICK / 2.0;
        let length = (value.median * scale).max(1.0);
        let [from, to] = [value.min, value.max].map(|end| LEFT + (end * scale).max(0.0));
        let text = y + 13.0;
        let _ = write!(
            svg,
            "<text x=\"{x}\" y=\"{text:.1}\" text-anchor=\"end\">{label}</text>\n\
             <rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{THICK}\" fill=\"{BAR}\"/>\n\
             <path d=\"M{from:.1} {middle:.1}H{to:.1}\" stroke=\"{RANGE}\" stroke-width=\"3\"/>\n\
             <text x=\"{after:.1}\" y=\"{text:.1}\">{shown}</text>\n",
            x = LEFT - 8.0,
            label = escaped(label),
            after = (LEFT + length).max(to).max(mark.map_or(0.0, |mark| LEFT + mark * scale)) + 8.0,
            shown = readable(value.median),
        );
        if let Some(mark) = mark {
            let x = LEFT + mark * scale;
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"{MARK}\" stroke-width=\"2\"/>",
                y - 3.0,
                y + THICK + 3.0
            );
        }
        y += STEP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
