//! Lengths of time as options take them.

use std::time::Duration;

/// `500ms`, `30s`, `5m`, `12h`, `90d`.
///
/// # Errors
/// What is none of these: what is expected.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a number with a unit: 500ms, 30s, 5m, 12h or 90d".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| expected())?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3_600),
        "d" => number.checked_mul(86_400),
        _ => None,
    };
    seconds.map(Duration::from_secs).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_number_with_a_unit_and_nothing_else() {
        for (text, seconds) in [("0s", 0), ("30s", 30), ("5m", 300), ("12h", 43_200), ("90d", 7_776_000)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "5", "s", "5 s", "-5s", "1.5h", "5w", "99999999999999999999s", "999999999999999999d"] {
            let expected = "expected a number with a unit: 500ms, 30s, 5m, 12h or 90d".to_owned();
            assert_eq!(duration(text), Err(expected), "{text}");
        }
    }
}
