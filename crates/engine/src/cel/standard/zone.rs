//! Time zones, as cel-go finds them (common/stdlib/standard.go `inTimeZone`; Go's time.LoadLocation). They are bundled: what
//! the machine has installed is of no account.

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;

use crate::cel::value::Timestamp;

/// Parses a zone once, when it is first asked for.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Seconds east of UTC at that moment, in a zone by its name (`America/New_York`, written as in the database) or by an
/// offset (`-08:00`, `5:30`). None is a zone of this name not known.
///
/// # Errors
/// Go's text.
pub(super) fn offset_at(zone: &str, moment: Timestamp) -> Result<i64, String> {
    if let Some((hours, minutes)) = zone.split_once(':') {
        let (hours, minutes) = (parse(hours)?, parse(minutes)?);
        let hours = hours.wrapping_mul(60);
        let offset = if zone.starts_with('-') { hours.wrapping_sub(minutes) } else { hours.wrapping_add(minutes) };
        // Go's duration of so many minutes, which wraps around; in seconds again.
        return Ok(offset.wrapping_mul(60_000_000_000) / 1_000_000_000);
    }
    if matches!(zone, "" | "UTC" | "Local") {
        return Ok(0);
    }
    if zone.contains("..") || zone.starts_with(['/', '\\']) {
        return Err("time: invalid location name".to_owned());
    }
    let unknown = || format!("unknown time zone {zone}");
    if zone == "Etc/Unknown" {
        return Err(unknown());
    }
    let found = ZONES.get(zone).map_err(|_| unknown())?;
    // The database is not asked for case, the file system of an API server is.
    if found.iana_name() != Some(zone) {
        return Err(unknown());
    }
    // The last day of year 9999 is as the one before it.
    let seconds = moment.seconds.min(jiff::Timestamp::MAX.as_second());
    let moment = jiff::Timestamp::new(seconds, 0).map_err(|_| unknown())?;
    Ok(i64::from(found.to_offset(moment).seconds()))
}

/// Go's strconv.Atoi.
fn parse(number: &str) -> Result<i64, String> {
    number.parse().map_err(|error: std::num::ParseIntError| {
        let what = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.Atoi: parsing {number:?}: {what}")
    })
}
