//! Durations and timestamps.

/// `google.protobuf.Duration` as cel-go holds it: a Go duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    /// The length.
    pub nanoseconds: i64,
}

/// `google.protobuf.Timestamp` as cel-go holds it: a Go time, which keeps the offset that it was read with.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    /// Seconds since 1970, from year 1 to year 9999.
    pub seconds: i64,
    /// 0 to 999,999,999, always forward.
    pub nanoseconds: u32,
    /// Seconds east of UTC: printed by `string()`, of no account for equality and order.
    pub offset: i32,
}
