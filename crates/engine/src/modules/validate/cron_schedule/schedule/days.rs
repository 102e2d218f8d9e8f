//! Which days of the calendar fit.

/// Days that fit.
pub(super) struct Fitting {
    /// How many days lie from one to the next, at the least; None if there is only one.
    pub(super) shortest_gap: Option<u64>,
}

/// Every combination of date and weekday that is close to another one occurs in these years: 28 of them repeat themselves
/// as long as every fourth is a leap year. A gap over the turn of a century without one is no shorter.
const YEARS: std::ops::Range<u64> = 2001..2030;

/// 2001-01-01 was a Monday.
const FIRST_WEEKDAY: u64 = 1;

/// The days for which `fits` holds, given month (1 to 12), day of month and weekday (Sunday is 0); None if there are none.
pub(super) fn fitting(fits: impl Fn(u64, u64, u64) -> bool) -> Option<Fitting> {
    let (mut last, mut shortest_gap) = (None::<u64>, None::<u64>);
    let mut today = 0;
    for year in YEARS {
        for month in 1..=12 {
            for day in 1..=length(year, month) {
                if fits(month, day, (today + FIRST_WEEKDAY) % 7) {
                    if let Some(last) = last {
                        shortest_gap = Some(shortest_gap.map_or(today - last, |gap| gap.min(today - last)));
                    }
                    last = Some(today);
                    // Nothing is shorter.
                    if shortest_gap == Some(1) {
                        return Some(Fitting { shortest_gap });
                    }
                }
                today += 1;
            }
        }
    }
    last.map(|_| Fitting { shortest_gap })
}

/// Days of a month; right for the years above.
const fn length(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
