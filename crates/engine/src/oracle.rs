//! Asking the programs that answer as the API server's own libraries do (`hack/oracle`). For tests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The answers of the program `name` in one of the folders that ADMITTANCE_ORACLES lists, a line for each question; None,
/// which is said, where there is none.
pub(crate) fn ask(name: &str, questions: Vec<Value>) -> Option<Vec<String>> {
    let folders = std::env::var_os("ADMITTANCE_ORACLES").unwrap_or_default();
    let program = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|program| program.exists());
    let Some(program) = program else {
        println!("skipped {} questions: ADMITTANCE_ORACLES names no folder with {name}", questions.len());
        return None;
    };
    let mut oracle = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, output) = (oracle.stdin.take().unwrap(), oracle.stdout.take().unwrap());
    let count = questions.len();
    let asking = std::thread::spawn(move || questions.iter().try_for_each(|question| writeln!(input, "{question}")));
    let answers: Vec<String> = BufReader::new(output).lines().collect::<Result<_, _>>().unwrap();
    asking.join().unwrap().unwrap();
    assert!(oracle.wait().unwrap().success());
    assert_eq!(answers.len(), count);
    Some(answers)
}

/// Where random cases begin: ADMITTANCE_SEED, or always the same.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("ADMITTANCE_SEED").map_or(0x5eed, |seed| seed.parse().unwrap());
    println!("ADMITTANCE_SEED={seed}");
    seed
}

/// Numbers that look random: the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From 0 to `end` - 1.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end
    }

    /// Once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
