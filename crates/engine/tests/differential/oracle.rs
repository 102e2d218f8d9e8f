//! The program that answers as the API server does (hack/oracle).

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long it may take to start, and for a line, on a busy machine.
const START: Duration = Duration::from_secs(20);
const PER_LINE: Duration = Duration::from_millis(60);

pub(crate) struct Oracle {
    program: PathBuf,
    arguments: &'static [&'static str],
    endless: fn() -> Value,
}

impl Oracle {
    /// A program in the folder that ADMITTANCE_ORACLES names. `endless` is the answer to a line that takes it too long.
    pub(crate) fn find(name: &str, arguments: &'static [&'static str], endless: fn() -> Value) -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("ADMITTANCE_ORACLES")?).join(name);
        program.is_file().then_some(Self { program, arguments, endless })
    }

    /// Its answers, line by line.
    pub(crate) fn answers(&self, lines: &[Value]) -> Vec<Value> {
        if lines.is_empty() {
            return Vec::new();
        }
        match (self.run(lines), lines.split_at(lines.len() / 2)) {
            (Some(answers), _) => answers,
            (None, ([], [_])) => vec![(self.endless)()],
            (None, (first, second)) => [self.answers(first), self.answers(second)].concat(),
        }
    }

    /// None if it does not end.
    fn run(&self, lines: &[Value]) -> Option<Vec<Value>> {
        let mut child = Command::new(&self.program)
            .args(self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input: String = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        let end = Instant::now() + START + PER_LINE * u32::try_from(lines.len()).unwrap();
        while !reader.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let is_done = reader.is_finished();
        // It is over by itself, or has to be ended.
        let _ = child.kill();
        let _ = child.wait();
        let (text, written) = (reader.join().unwrap().unwrap(), writer.join().unwrap());
        if !is_done {
            return None;
        }
        written.unwrap();
        let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), lines.len(), "the oracle answers every line");
        Some(answers)
    }
}
