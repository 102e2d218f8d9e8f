//! The CPU time of a process to the nanosecond, as the scheduler counts it.
//!
//! `/proc/PID/stat` counts in hundredths of a second, which is a tenth of what a thousand cheap requests take. What the
//! scheduler itself says of each thread is exact; the other is what it is held against at the end.

use std::{collections::HashMap, fs, path::PathBuf};

use crate::Failure;

/// The unit of `utime` and `stime` in `/proc/PID/stat`: `USER_HZ`, 100 on every platform that the product is built for.
const TICKS_A_SECOND: f64 = 100.0;

/// By how much both may differ over a whole run: the rounding of four ticks, and threads that came and went unseen.
const TOLERANCE_SECONDS: f64 = 0.05;
const TOLERANCE: f64 = 0.03;

/// The clock of one process.
pub(crate) struct Clock {
    process: PathBuf,
    /// Nanoseconds of each thread when it was last seen; those that have ended keep theirs.
    threads: HashMap<String, u64>,
    /// What both said at the start: exact, in ticks.
    begun: (f64, f64),
}

impl Clock {
    pub(crate) fn of(pid: u32) -> Result<Self, Failure> {
        let mut clock = Self { process: format!("/proc/{pid}").into(), threads: HashMap::new(), begun: (0.0, 0.0) };
        clock.begun = (clock.seconds()?, clock.by_ticks()?);
        Ok(clock)
    }

    /// The CPU time so far, user and system, in seconds.
    pub(crate) fn seconds(&mut self) -> Result<f64, Failure> {
        for thread in fs::read_dir(self.process.join("task"))? {
            let thread = thread?;
            // One that ends in between is one that did nothing worth counting.
            let Ok(said) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let Some(nanoseconds) = said.split(' ').next().and_then(|first| first.parse().ok()) else {
                return Err(format!("cannot read CPU time from \"{said}\"").into());
            };
            self.threads.insert(thread.file_name().to_string_lossy().into_owned(), nanoseconds);
        }
        let total: u64 = self.threads.values().sum();
        Ok(std::time::Duration::from_nanos(total).as_secs_f64())
    }

    /// An error where the ticks say something else than the scheduler since the start.
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        let (exact, ticks) = (self.seconds()? - self.begun.0, self.by_ticks()? - self.begun.1);
        if (exact - ticks).abs() <= TOLERANCE_SECONDS + TOLERANCE * ticks {
            return Ok(());
        }
        Err(format!("CPU time is {exact:.3} s by its threads and {ticks:.2} s by its ticks: neither can be trusted")
            .into())
    }

    fn by_ticks(&self) -> Result<f64, Failure> {
        let stat = fs::read_to_string(self.process.join("stat"))?;
        // The name, in parentheses, may hold spaces: fields are counted behind it, where the state is the third.
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let ticks = |field: usize| fields.split(' ').nth(field - 3).and_then(|ticks| ticks.parse::<u32>().ok());
        let (Some(user), Some(system)) = (ticks(14), ticks(15)) else {
            return Err(format!("cannot read CPU time from \"{stat}\"").into());
        };
        Ok(f64::from(user + system) / TICKS_A_SECOND)
    }
}
