//! What an expression costs the API server, by the oracles of hack/oracle.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::cases::{Case, VARIABLES};

/// The oracles, and a file with the cases as they read them.
pub(crate) struct Upstream {
    oracles: PathBuf,
    cases: PathBuf,
}

/// What `cel-bench` prints.
#[derive(Deserialize)]
pub(crate) struct Timed {
    #[serde(default)]
    pub(crate) value: Value,
    pub(crate) cost: u64,
    pub(crate) request_ns: Figure,
    pub(crate) program_ns: Figure,
    #[serde(default)]
    error: String,
}

/// Nanoseconds.
#[derive(Deserialize)]
pub(crate) struct Figure {
    pub(crate) best: f64,
}

impl Upstream {
    pub(crate) fn new(oracles: &Path) -> Result<Self, Failure> {
        let cases = std::env::temp_dir().join(format!("admittance-cel-{}.jsonl", std::process::id()));
        let variables: Value = serde_json::from_str(VARIABLES)?;
        let lines: Result<Vec<String>, Failure> = Case::all()?.iter().map(|case| Ok(line(case, &variables)?)).collect();
        fs::write(&cases, lines?.join("\n"))?;
        Ok(Self { oracles: oracles.to_owned(), cases })
    }

    /// Runs one case.
    pub(crate) fn measure(&self, name: &str) -> Result<Timed, Failure> {
        let arguments = ["-json", "-only", name, "-batch", "1ms", "-batches", "30"];
        let timed: Timed = serde_json::from_str(&self.run("cel-bench", &arguments)?)?;
        if timed.error.is_empty() { Ok(timed) } else { Err(format!("cel-bench: {name}: {}", timed.error).into()) }
    }

    /// The output of an oracle over these cases, or over `lines` of them.
    pub(crate) fn run(&self, oracle: &str, arguments: &[&str]) -> Result<String, Failure> {
        let program = self.oracles.join(oracle);
        let output = Command::new(&program)
            .args(arguments)
            .arg(&self.cases)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run \"{}\": {error}", program.display()))?;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            Err(format!("{oracle} failed").into())
        }
    }

    /// Makes the file hold `count` policies.
    pub(crate) fn repeat(&self, count: usize) -> Result<(), Failure> {
        let lines: Result<Vec<String>, Failure> =
            Case::all()?.iter().map(|case| Ok(line(case, &Value::Null)?)).collect();
        let lines = lines?;
        let repeated: Vec<&str> = lines.iter().map(String::as_str).cycle().take(count).collect();
        Ok(fs::write(&self.cases, repeated.join("\n"))?)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // What is left in the folder for temporary files is nobody's loss.
        let _ = fs::remove_file(&self.cases);
    }
}

fn line(case: &Case, variables: &Value) -> Result<String, serde_json::Error> {
    let own: Vec<Value> =
        case.variables().map(|(name, expression)| json!({ "name": name, "expression": expression })).collect();
    serde_json::to_string(&json!({ "name": case.name, "expr": case.expr, "variables": own, "vars": variables }))
}
