//! The texts of timestamps, as Go reads and writes them (time.Parse with RFC 3339, time.RFC3339Nano), and the calendar.

use crate::cel::value::Timestamp;

/// Seconds of 0001-01-01T00:00:00Z.
pub const FIRST_SECOND: i64 = -62_135_596_800;
/// Seconds of 9999-12-31T23:59:59Z.
pub const LAST_SECOND: i64 = 253_402_300_799;

const DAY: i64 = 86_400;

/// Why a text is no timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampError {
    /// It is not written as one.
    Syntax,
    /// It is before the year 1 or after 9999.
    Overflow,
}

/// A moment as calendar and clock have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i64,
    /// 1 to 12
    pub month: i64,
    /// 1 to 31
    pub day: i64,
    /// 0 to 365
    pub day_of_year: i64,
    /// 0 is Sunday
    pub day_of_week: i64,
    /// 0 to 23
    pub hour: i64,
    /// 0 to 59
    pub minute: i64,
    /// 0 to 59
    pub second: i64,
}

impl Civil {
    /// The moment so many seconds after 1970, where clocks are that far east of UTC.
    pub fn new(seconds: i64, offset: i64) -> Self {
        let local = seconds.saturating_add(offset);
        let (days, clock) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        Self {
            year,
            month,
            day,
            day_of_year: days - days_of(year, 1, 1),
            // 1970 began on a Thursday.
            day_of_week: (days + 4).rem_euclid(7),
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
        }
    }
}

/// Days from 1970-01-01 to a date; eras of 400 years, years that begin in March.
const fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01.
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

const fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Timestamp {
    /// The moment so many seconds after 1970, in UTC; None outside of the years 1 to 9999.
    pub fn of_seconds(seconds: i64) -> Option<Self> {
        (FIRST_SECOND..=LAST_SECOND).contains(&seconds).then_some(Self { seconds, nanoseconds: 0, offset: 0 })
    }

    /// `timestamp(text)`: RFC 3339 as Go takes it, where hours may have one digit, a comma may stand for the point, and offsets
    /// go up to 24:60.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let timestamp = parse(text.as_bytes()).ok_or(TimestampError::Syntax)?;
        if (FIRST_SECOND..=LAST_SECOND).contains(&timestamp.seconds) {
            Ok(timestamp)
        } else {
            Err(TimestampError::Overflow)
        }
    }

    /// `string(timestamp)`: RFC 3339 with as many digits as needed, at the offset that it was read with.
    pub fn print(self) -> String {
        let civil = Civil::new(self.seconds, i64::from(self.offset));
        let Civil { year, month, day, hour, minute, second, .. } = civil;
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        if self.nanoseconds > 0 {
            let fraction = format!(".{:09}", self.nanoseconds);
            text.push_str(fraction.trim_end_matches('0'));
        }
        if self.offset == 0 {
            return text + "Z";
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!("{text}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The moment `nanoseconds` later, at the same offset; None outside of the years 1 to 9999.
    pub fn plus(self, nanoseconds: i64) -> Option<Self> {
        let sum = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds) + i128::from(nanoseconds);
        let seconds = i64::try_from(sum.div_euclid(1_000_000_000)).ok()?;
        let nanoseconds = u32::try_from(sum.rem_euclid(1_000_000_000)).ok()?;
        let in_range = (FIRST_SECOND..=LAST_SECOND).contains(&seconds);
        in_range.then_some(Self { seconds, nanoseconds, offset: self.offset })
    }

    /// Nanoseconds from `other` to `self`; None where 64 bits do not hold them.
    pub fn since(self, other: Self) -> Option<i64> {
        // Seconds alone have to fit too, as upstream.
        let seconds = (self.seconds - other.seconds).checked_mul(1_000_000_000)?;
        seconds.checked_add(i64::from(self.nanoseconds) - i64::from(other.nanoseconds))
    }

    /// Whether it is Go's zero time.
    pub const fn is_zero(self) -> bool {
        self.seconds == FIRST_SECOND && self.nanoseconds == 0
    }
}

/// What is left to read.
struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    fn take(&mut self, expected: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (*first == expected).then_some(())
    }

    fn digit(&mut self) -> Option<i64> {
        let (first, rest) = self.0.split_first()?;
        let digit = first.is_ascii_digit().then(|| i64::from(first - b'0'))?;
        self.0 = rest;
        Some(digit)
    }

    fn two_digits(&mut self) -> Option<i64> {
        Some(self.digit()? * 10 + self.digit()?)
    }

    /// Nanoseconds; digits behind the ninth are dropped.
    fn fraction(&mut self) -> u32 {
        let ([b'.' | b',', digits @ ..], [_, b'0'..=b'9', ..]) = (self.0, self.0) else { return 0 };
        self.0 = digits;
        let mut nanoseconds = 0;
        let mut unit = 100_000_000;
        while let Some(digit) = self.digit() {
            nanoseconds += u32::try_from(digit).unwrap_or_default() * unit;
            unit /= 10;
        }
        nanoseconds
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let mut reader = Reader(text);
    let year = reader.two_digits()? * 100 + reader.two_digits()?;
    reader.take(b'-')?;
    let month = reader.two_digits()?;
    reader.take(b'-')?;
    let day = reader.two_digits()?;
    reader.take(b'T')?;
    let mut hour = reader.digit()?;
    if let Some(digit) = reader.digit() {
        hour = hour * 10 + digit;
    }
    reader.take(b':')?;
    let minute = reader.two_digits()?;
    reader.take(b':')?;
    let second = reader.two_digits()?;
    let nanoseconds = reader.fraction();
    let offset = match reader.0 {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let mut reader = Reader(rest);
            let hours = reader.two_digits()?;
            reader.take(b':')?;
            let minutes = reader.two_digits()?;
            if !reader.0.is_empty() || hours > 24 || minutes > 60 {
                return None;
            }
            let offset = (hours * 60 + minutes) * 60;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let in_range = (1..=12).contains(&month) && (1..=days_in(month, year)).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    Some(Timestamp { seconds, nanoseconds, offset: i32::try_from(offset).ok()? })
}
