//! The schedules of CronJobs.
//!
//! Source: github.com/robfig/cron v3, `ParseStandard`, which the API server and the CronJob controller read them with: five
//! fields or a descriptor such as `@hourly` and `@every 1h30m`.

mod days;

use std::fmt;

use crate::cel::value::Duration;

/// When a CronJob runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// Again and again after so many seconds.
    Every(u64),
    /// At these minutes of these days.
    Times(Times),
}

/// Bits of what each of the five fields names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether days and weekdays must both fit, or one of the two: the former if one of the fields starts with `*`.
    needs_both: bool,
}

/// Why a text is no schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScheduleError {
    /// Neither five fields nor a descriptor.
    Fields,
    /// A field that names nothing in its range.
    Field(&'static str),
    /// A word after `@` that is not known.
    Descriptor,
    /// `@every` without a duration.
    Duration,
}

const DAY: u64 = 24 * 60;

impl Schedule {
    /// Reads a schedule. A time zone in front (`TZ=Asia/Tokyo 0 0 * * *`) is passed over.
    ///
    /// # Errors
    /// When the API server would refuse it.
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleError> {
        let has_zone = text.starts_with("TZ=") || text.starts_with("CRON_TZ=");
        let text = if has_zone { text.split_once(' ').ok_or(ScheduleError::Fields)?.1.trim() } else { text };
        if let Some(descriptor) = text.strip_prefix('@') {
            return Self::of_descriptor(descriptor);
        }
        let mut fields = text.split_whitespace();
        let mut next = || fields.next().ok_or(ScheduleError::Fields);
        let (minutes, hours, days, months, weekdays) = (next()?, next()?, next()?, next()?, next()?);
        if fields.next().is_some() {
            return Err(ScheduleError::Fields);
        }
        let (minutes, _) = field("minute", minutes, 0..=59, &[])?;
        let (hours, _) = field("hour", hours, 0..=23, &[])?;
        let (days, any_day) = field("day of month", days, 1..=31, &[])?;
        let (months, _) = field("month", months, 1..=12, &MONTHS)?;
        let (weekdays, any_weekday) = field("day of week", weekdays, 0..=6, &WEEKDAYS)?;
        Ok(Self::Times(Times { minutes, hours, days, months, weekdays, needs_both: any_day || any_weekday }))
    }

    fn of_descriptor(descriptor: &str) -> Result<Self, ScheduleError> {
        let fields = match descriptor {
            "yearly" | "annually" => "0 0 1 1 *",
            "monthly" => "0 0 1 * *",
            "weekly" => "0 0 * * 0",
            "daily" | "midnight" => "0 0 * * *",
            "hourly" => "0 * * * *",
            _ => {
                let every = descriptor.strip_prefix("every ").ok_or(ScheduleError::Descriptor)?;
                let nanoseconds = Duration::parse(every).ok_or(ScheduleError::Duration)?.nanoseconds;
                // Less than a second is one, and parts of a second are dropped.
                return Ok(Self::Every(u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(0).max(1)));
            }
        };
        Self::parse(fields)
    }

    /// The shortest time between two runs, in seconds, without regard to clocks that are put forward or back; None if there
    /// are no two runs.
    pub(super) fn shortest_interval(&self) -> Option<u64> {
        match self {
            Self::Every(seconds) => Some(*seconds),
            Self::Times(times) => times.shortest_interval().map(|minutes| minutes * 60),
        }
    }
}

impl Times {
    /// In minutes.
    fn shortest_interval(&self) -> Option<u64> {
        let is_in = |bits: u64, value: u64| bits >> value & 1 == 1;
        let mut of_day = (0..DAY).filter(|minute| is_in(self.hours, minute / 60) && is_in(self.minutes, minute % 60));
        let first = of_day.next()?;
        let (mut last, mut shortest) = (first, None::<u64>);
        for minute in of_day {
            shortest = Some(shortest.map_or(minute - last, |shortest| shortest.min(minute - last)));
            last = minute;
        }
        let fits = |month: u64, day: u64, weekday: u64| {
            let (day, weekday) = (is_in(self.days, day), is_in(self.weekdays, weekday));
            is_in(self.months, month) && if self.needs_both { day && weekday } else { day || weekday }
        };
        let runs = days::fitting(fits)?;
        let between = runs.shortest_gap.map(|days| days * DAY + first - last);
        [shortest, between].into_iter().flatten().min()
    }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

type Bounds = std::ops::RangeInclusive<u32>;

/// The bits of a field, and whether it has a `*` or `?` that names everything.
fn field(name: &'static str, text: &str, bounds: Bounds, names: &[&str]) -> Result<(u64, bool), ScheduleError> {
    let mut all = (0, false);
    // Nothing between two commas, or at the end, is let pass upstream.
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (bits, is_star) = range(part, &bounds, names).ok_or(ScheduleError::Field(name))?;
        all = (all.0 | bits, all.1 || is_star);
    }
    Ok(all)
}

/// `7`, `mon-fri`, `*/5`, `10-20/2`; `7/2` is `7-max/2`.
fn range(text: &str, bounds: &Bounds, names: &[&str]) -> Option<(u64, bool)> {
    let (ends, step) = text.split_once('/').map_or((text, None), |(ends, step)| (ends, Some(step)));
    let step: u32 = step.map_or(Some(1), |step| step.parse().ok())?;
    let (low, high) = ends.split_once('-').map_or((ends, None), |(low, high)| (low, Some(high)));
    let is_star = low == "*" || low == "?";
    let (start, end) = match high {
        _ if is_star => (*bounds.start(), *bounds.end()),
        Some(high) => (number(low, bounds, names)?, number(high, bounds, names)?),
        None if text.contains('/') => (number(low, bounds, names)?, *bounds.end()),
        None => (number(low, bounds, names)?, number(low, bounds, names)?),
    };
    let is_range = bounds.contains(&start) && bounds.contains(&end) && start <= end;
    let bits = || (start..=end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).fold(0, |bits, at| bits | 1 << at);
    (is_range && step > 0).then(|| (bits(), is_star && step == 1))
}

fn number(text: &str, bounds: &Bounds, names: &[&str]) -> Option<u32> {
    let position = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    match position.and_then(|position| u32::try_from(position).ok()) {
        Some(position) => Some(bounds.start() + position),
        None => text.parse().ok(),
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields => formatter.write_str("expected five fields, as in \"0 3 * * *\", or one such as @daily"),
            Self::Field(name) => write!(formatter, "the {name} names nothing"),
            Self::Descriptor => {
                formatter.write_str("expected @yearly, @monthly, @weekly, @daily, @hourly or @every with a duration")
            }
            Self::Duration => formatter.write_str("expected a duration after @every, such as 1h30m"),
        }
    }
}

impl std::error::Error for ScheduleError {}

#[cfg(test)]
mod tests;
