//! How long a request may take: what the API server says, less the way.

use std::time::Duration;

/// The time that the API server is assumed to wait if it does not say: its own default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// What is kept of it for the way: the API server rounds its timeout up to whole seconds.
const MARGIN: Duration = Duration::from_millis(1_200);

/// The time for a request: what `?timeout=` says less the margin, at least half of it.
pub(super) fn time_for(query: Option<&str>) -> Duration {
    let said = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("timeout="))
        .and_then(parse_duration)
        .filter(|time| !time.is_zero())
        .unwrap_or(DEFAULT_TIMEOUT);
    said.saturating_sub(MARGIN).max(said / 2)
}

/// Go's notation of durations, as far as the API server writes it: `10s`, `1m30s`, `500ms`; capped at 30 s, the most that
/// a webhook configuration can say.
fn parse_duration(text: &str) -> Option<Duration> {
    const LONGEST: f64 = 30.0;
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|char: char| char.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let scale = match unit {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    Some(Duration::from_secs_f64(seconds.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_the_api_server_time_to_read_the_answer() {
        let time = |query| time_for(query).as_millis();
        assert_eq!(time(Some("timeout=10s")), 8_800);
        assert_eq!(time(Some("timeout=5s&x=1")), 3_800);
        assert_eq!(time(Some("timeout=2s")), 1_000);
        assert_eq!(time(Some("timeout=1s")), 500);
        assert_eq!(time(Some("timeout=1m30s")), 28_800);
        assert_eq!(time(Some("timeout=500ms")), 250);
        assert_eq!(time(None), 8_800);
        for odd in ["timeout=", "timeout=0s", "timeout=-1s", "timeout=10", "timeout=x", "timeout=1e9s"] {
            assert_eq!(time(Some(odd)), 8_800, "{odd}");
        }
    }
}
