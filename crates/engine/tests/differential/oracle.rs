//! The program that answers as the API server does (hack/oracle).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) struct Oracle {
    program: PathBuf,
}

impl Oracle {
    /// `cel-oracle` in the folder that ADMITTANCE_ORACLES names.
    pub(crate) fn find() -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("ADMITTANCE_ORACLES")?).join("cel-oracle");
        program.is_file().then_some(Self { program })
    }

    /// Its answers, line by line. Evaluated three times: what depends on the order of a Go map is marked `unstable`.
    pub(crate) fn answers(&self, lines: &[Value]) -> Vec<Value> {
        let mut child = Command::new(&self.program)
            .args(["-repeat", "3"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), lines.len(), "the oracle answers every line");
        answers
    }
}
