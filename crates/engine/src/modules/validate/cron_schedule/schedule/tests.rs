use super::*;

fn interval(text: &str) -> Option<u64> {
    Schedule::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).shortest_interval()
}

/// Minutes.
fn minutes(text: &str) -> Option<u64> {
    interval(text).map(|seconds| seconds / 60)
}

#[test]
fn finds_the_shortest_time_between_two_runs() {
    for (schedule, expected) in [
        ("* * * * *", 1),
        ("*/5 * * * *", 5),
        // The end of the hour is nearer to the next one.
        ("*/7 * * * *", 4),
        ("0,10,55 * * * *", 5),
        ("58,3 * * * *", 5),
        ("0 * * * *", 60),
        ("0 9-17 * * 1-5", 60),
        ("30 */7 * * *", 3 * 60),
        ("0 0,23 * * *", 60),
        // 23:50 and 00:10 are close on days that follow each other only.
        ("10 0 1,2 * *", DAY),
        ("50 23 * * *", DAY),
        ("10,50 0,23 1 * *", 40),
        ("0 3 * * mon,THU", 3 * DAY),
        ("0 3 * * 0", 7 * DAY),
        ("0 0 1 * *", 28 * DAY),
        ("0 0 31 * *", 31 * DAY),
        ("0 0 1 1 *", 365 * DAY),
        ("0 0 29 2 *", 1461 * DAY),
        // Either of the two, where both are named.
        ("0 0 1 * 1", DAY),
        // Both, where one has a star: a day from 1 to 7 that is a Monday.
        ("0 0 1-7 * *", DAY),
        ("0 0 ? * 1", 7 * DAY),
        ("5/20 * * * *", 20),
        ("0 0 1 JAN-feb ?", 31 * DAY),
        ("1,,2 * * * *", 1),
        ("+5 * * * *", 60),
        ("@yearly", 365 * DAY),
        ("@monthly", 28 * DAY),
        ("@weekly", 7 * DAY),
        ("@midnight", DAY),
        ("@hourly", 60),
        ("@every 1h30m", 90),
        ("TZ=Asia/Tokyo 0 0 * * *", DAY),
        ("CRON_TZ=UTC @hourly", 60),
    ] {
        assert_eq!(minutes(schedule), Some(expected), "{schedule}");
    }
    assert_eq!((interval("@every 90s"), interval("@every 1.9s"), interval("@every 1ms")), (Some(90), Some(1), Some(1)));
    for never in ["0 0 31 2 *", ", * * * *", "0 0 30 2 ?"] {
        assert_eq!(interval(never), None, "{never}");
    }
}

#[test]
fn takes_a_step_over_everything_for_a_list() {
    // `*/2` is no star: either a day with an odd number or a Monday.
    assert_eq!(minutes("0 0 */2 * 1"), Some(DAY));
    // With `*/1` it is one.
    assert_eq!(minutes("0 0 */1 * 1"), Some(7 * DAY));
}

#[test]
fn rejects_what_the_api_server_refuses() {
    let error = |text| Schedule::parse(text).unwrap_err();
    for fields in ["", "* * * *", "* * * * * *", "TZ=UTC", "daily"] {
        assert_eq!(error(fields), ScheduleError::Fields, "{fields}");
    }
    for (text, name) in [
        ("60 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("1/2/3 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * L * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * sun *", "month"),
        ("* * * * 7", "day of week"),
        ("* * * * 1-2-3", "day of week"),
        ("* * * * mon#1", "day of week"),
        ("* -1 * * *", "hour"),
    ] {
        assert_eq!(error(text), ScheduleError::Field(name), "{text}");
    }
    assert_eq!((error("@fortnightly"), error("@every"), error("@every x")), {
        (ScheduleError::Descriptor, ScheduleError::Descriptor, ScheduleError::Duration)
    });
    assert_eq!(error("60 * * * *").to_string(), "the minute names nothing");
}
