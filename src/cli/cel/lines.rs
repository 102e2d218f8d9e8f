//! `--jsonl`: questions on standard input, answers on standard output, line by line.

use std::io::{self, BufRead as _, BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::expression::query::{Answer, Phase, answer};

use crate::cli::BROKEN;

/// How long a line may be, in bytes.
const LINE: u64 = 32 << 20;

/// Answers until the input ends. Each evaluation may take `time`.
pub(super) fn run(time: Duration) -> ExitCode {
    match serve(BufReader::with_capacity(1 << 16, io::stdin().lock()), io::stdout().lock(), time) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            anstream::eprintln!("error: cannot go on reading or writing lines: {error}");
            ExitCode::from(BROKEN)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn serve<R: io::Read>(mut input: BufReader<R>, output: impl io::Write, time: Duration) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 16, output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return output.flush();
        }
        let is_whole = line.ends_with(b"\n") || (read as u64) < LINE;
        if !is_whole {
            input.skip_until(b'\n')?;
            write(&mut output, &failed(&format!("the line is longer than {LINE} bytes"), Phase::Input))?;
        } else if let Ok(text) = std::str::from_utf8(&line) {
            let text = text.trim();
            if !text.is_empty() {
                let deadline = Deadline::at(Instant::now() + time);
                // Nothing here is meant to panic; if it does, the next line is answered all the same.
                let answered = catch_unwind(AssertUnwindSafe(|| answer(text, deadline)));
                write(&mut output, &answered.unwrap_or_else(|_| failed("the evaluation panicked", Phase::Eval)))?;
            }
        } else {
            write(&mut output, &failed("the line is not UTF-8", Phase::Input))?;
        }
        // Who writes a line and waits for its answer must not wait for the buffer to fill.
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
}

fn failed(problem: &str, phase: Phase) -> Answer<'static> {
    Answer { error: Some(problem.to_owned()), phase: Some(phase), ..Answer::default() }
}

fn write(output: &mut impl io::Write, answer: &Answer<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *output, answer)?;
    output.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(input: &[u8]) -> Vec<String> {
        let mut output = Vec::new();
        serve(BufReader::new(input), &mut output, Duration::from_secs(1)).unwrap();
        String::from_utf8(output).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn answers_each_line_in_order() {
        let input =
            b"{\"id\":1,\"expr\":\"1 + x\",\"vars\":{\"x\":2}}\n\n{\"id\":[2],\"expr\":\"1 +\"}\n{\"expr\":\"1/0\"}";
        let answers = answers(input);
        assert_eq!(answers.len(), 3);
        assert_eq!(answers[0], r#"{"id":1,"value":{"int":3},"type":"int","cost":2}"#);
        assert!(answers[1].starts_with(r#"{"id":[2],"error":"1:"#) && answers[1].ends_with(r#","phase":"parse"}"#));
        assert_eq!(answers[2], r#"{"type":"int","error":"division by zero","phase":"eval","cost":1}"#);
    }

    #[test]
    fn answers_what_is_no_question_and_goes_on() {
        let mut input = b"nope\n\xff\n[1]\n".to_vec();
        input.extend(vec![b' '; usize::try_from(LINE).unwrap() + 5]);
        input.extend(b"\n{\"expr\":\"1\"}\n");
        let answers = answers(&input);
        let known = [
            r#"{"error":"unreadable line: invalid JSON at line 1 column 2","phase":"input"}"#,
            r#"{"error":"the line is not UTF-8","phase":"input"}"#,
            // Where the reader puts the place of a wrong type depends on how its crate is built.
            r#"{"error":"unreadable line: a value has the wrong type at line 1 column "#,
            r#"{"error":"the line is longer than 33554432 bytes","phase":"input"}"#,
            r#"{"value":{"int":1},"type":"int","cost":0}"#,
        ];
        assert_eq!(answers.len(), known.len(), "{answers:?}");
        for (answer, known) in answers.iter().zip(known) {
            assert!(answer.starts_with(known), "{answer}");
        }
    }
}
