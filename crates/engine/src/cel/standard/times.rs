//! Parts of timestamps and lengths of durations (cel-go, common/stdlib/standard.go; common/types/duration.go). Without a zone
//! it is UTC, whatever offset the timestamp was read with.

use super::timestamp::Civil;
use super::zone;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, member};
use crate::cel::value::Value;

/// `getFullYear` to `getMilliseconds`
pub(super) const LIBRARY: Library = Library { name: "times", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member("timestamp_to_year", "getFullYear", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, year)
    }),
    member("timestamp_to_year_with_tz", "getFullYear", &["timestamp", "string"], "int", |context, arguments| {
        in_zone(context, arguments, year)
    }),
    member("timestamp_to_month", "getMonth", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, month)
    }),
    member("timestamp_to_month_with_tz", "getMonth", &["timestamp", "string"], "int", |context, arguments| {
        in_zone(context, arguments, month)
    }),
    member("timestamp_to_day_of_year", "getDayOfYear", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, day_of_year)
    }),
    member(
        "timestamp_to_day_of_year_with_tz",
        "getDayOfYear",
        &["timestamp", "string"],
        "int",
        |context, arguments| in_zone(context, arguments, day_of_year),
    ),
    member("timestamp_to_day_of_month", "getDayOfMonth", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, zero_based_day)
    }),
    member(
        "timestamp_to_day_of_month_with_tz",
        "getDayOfMonth",
        &["timestamp", "string"],
        "int",
        |context, arguments| in_zone(context, arguments, zero_based_day),
    ),
    member("timestamp_to_day_of_month_1_based", "getDate", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, day)
    }),
    member(
        "timestamp_to_day_of_month_1_based_with_tz",
        "getDate",
        &["timestamp", "string"],
        "int",
        |context, arguments| in_zone(context, arguments, day),
    ),
    member("timestamp_to_day_of_week", "getDayOfWeek", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, day_of_week)
    }),
    member(
        "timestamp_to_day_of_week_with_tz",
        "getDayOfWeek",
        &["timestamp", "string"],
        "int",
        |context, arguments| in_zone(context, arguments, day_of_week),
    ),
    member("timestamp_to_hours", "getHours", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, hours)
    }),
    member("timestamp_to_hours_with_tz", "getHours", &["timestamp", "string"], "int", |context, arguments| {
        in_zone(context, arguments, hours)
    }),
    member("duration_to_hours", "getHours", &["duration"], "int", duration_to_hours),
    member("timestamp_to_minutes", "getMinutes", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, minutes)
    }),
    member("timestamp_to_minutes_with_tz", "getMinutes", &["timestamp", "string"], "int", |context, arguments| {
        in_zone(context, arguments, minutes)
    }),
    member("duration_to_minutes", "getMinutes", &["duration"], "int", duration_to_minutes),
    member("timestamp_to_seconds", "getSeconds", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, seconds)
    }),
    member("timestamp_to_seconds_tz", "getSeconds", &["timestamp", "string"], "int", |context, arguments| {
        in_zone(context, arguments, seconds)
    }),
    member("duration_to_seconds", "getSeconds", &["duration"], "int", duration_to_seconds),
    member("timestamp_to_milliseconds", "getMilliseconds", &["timestamp"], "int", |context, arguments| {
        in_utc(context, arguments, milliseconds)
    }),
    member(
        "timestamp_to_milliseconds_with_tz",
        "getMilliseconds",
        &["timestamp", "string"],
        "int",
        |context, arguments| in_zone(context, arguments, milliseconds),
    ),
    member("duration_to_milliseconds", "getMilliseconds", &["duration"], "int", duration_to_milliseconds),
];

/// One part of a moment, whose nanoseconds come extra.
type Part = fn(Civil, u32) -> i64;

fn in_utc<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], part: Part) -> Outcome<'a> {
    let &[Value::Timestamp(moment)] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(part(Civil::new(moment.seconds, 0), moment.nanoseconds)))
}

fn in_zone<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], part: Part) -> Outcome<'a> {
    let &[Value::Timestamp(moment), Value::String(zone)] = arguments else { return context.no_such_overload() };
    match zone::offset_at(zone, moment) {
        Ok(offset) => Ok(Value::Int(part(Civil::new(moment.seconds, offset), moment.nanoseconds))),
        Err(text) => context.raise_text(format_args!("{text}")),
    }
}

const fn year(civil: Civil, _: u32) -> i64 {
    civil.year
}

/// January is 0.
const fn month(civil: Civil, _: u32) -> i64 {
    civil.month - 1
}

const fn day_of_year(civil: Civil, _: u32) -> i64 {
    civil.day_of_year
}

const fn zero_based_day(civil: Civil, _: u32) -> i64 {
    civil.day - 1
}

const fn day(civil: Civil, _: u32) -> i64 {
    civil.day
}

const fn day_of_week(civil: Civil, _: u32) -> i64 {
    civil.day_of_week
}

const fn hours(civil: Civil, _: u32) -> i64 {
    civil.hour
}

const fn minutes(civil: Civil, _: u32) -> i64 {
    civil.minute
}

const fn seconds(civil: Civil, _: u32) -> i64 {
    civil.second
}

fn milliseconds(_: Civil, nanoseconds: u32) -> i64 {
    i64::from(nanoseconds / 1_000_000)
}

#[expect(clippy::cast_possible_truncation, reason = "a duration has at most some 10^10 seconds")]
fn duration_to_hours<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Duration(duration)] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(duration.hours() as i64))
}

#[expect(clippy::cast_possible_truncation, reason = "a duration has at most some 10^10 seconds")]
fn duration_to_minutes<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Duration(duration)] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(duration.minutes() as i64))
}

#[expect(clippy::cast_possible_truncation, reason = "a duration has at most some 10^10 seconds")]
fn duration_to_seconds<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Duration(duration)] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(duration.seconds() as i64))
}

/// All of them, not those of the last second alone.
fn duration_to_milliseconds<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Duration(duration)] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(duration.nanoseconds / 1_000_000))
}
