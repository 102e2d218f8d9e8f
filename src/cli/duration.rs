//! Durations as people write them.

use std::time::Duration;

/// Reads a whole number and a unit: `90d`, `12h`, `2m`, `30s`.
pub(super) fn read(text: &str) -> Result<Duration, String> {
    let unreadable = || "expected a whole number and a unit, as 90d, 12h, 2m or 30s".to_owned();
    let unit = text.chars().next_back().ok_or_else(unreadable)?;
    let seconds = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(unreadable()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unreadable());
    }
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(seconds)).map(Duration::from_secs).ok_or_else(|| "too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_whole_number_with_a_unit_alone() {
        for (text, seconds) in [("90d", 7_776_000), ("12h", 43_200), ("2m", 120), ("30s", 30), ("0s", 0)] {
            assert_eq!(read(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        let expected = "expected a whole number and a unit, as 90d, 12h, 2m or 30s";
        for text in ["", "90", "d", "1.5h", "-1d", "+1d", "1w", "1h30m", "1 d", "٣d", "1ü", "90D"] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
        for text in ["99999999999999999999s", "999999999999999999d"] {
            assert_eq!(read(text), Err("too long".to_owned()), "{text}");
        }
    }
}
