//! `-o junit`: test results as CI systems read them (Jenkins' schema, which GitLab and others take): suites of cases, each with
//! its failures.

use std::fmt::Write as _;
use std::time::Duration;

/// Cases that belong together: a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is shown under, besides its name: CI systems group by it.
    pub class: String,
    /// Its name.
    pub name: String,
    /// The file and the line of it, where readers look for them.
    pub place: Option<(String, usize)>,
    /// How long it took, where that was measured.
    pub took: Option<Duration>,
    /// How it ended.
    pub outcome: Outcome,
    /// What else there is to say; may be empty.
    pub output: String,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Passed,
    /// It was not run.
    Skipped {
        /// Why.
        message: String,
    },
    /// Not as it should; several failures of one case stand in one, since some readers take only the first.
    Failed {
        /// A few words.
        message: String,
        /// What kind of failure it is.
        kind: String,
        /// All there is to say.
        text: String,
    },
    /// It could not be told.
    Broken {
        /// A few words.
        message: String,
        /// All there is to say.
        text: String,
    },
}

/// Numbers of cases by outcome.
#[derive(Clone, Copy, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

/// The document of all suites.
pub fn document(name: &str, suites: &[Suite]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = count(suites.iter().flat_map(|suite| &suite.cases));
    let _ = writeln!(text, "<testsuites name=\"{}\"{}>", escape(name), all.attributes());
    for suite in suites {
        let counts = count(&suite.cases);
        let _ = writeln!(text, "  <testsuite name=\"{}\"{}>", escape(&suite.name), counts.attributes());
        suite.cases.iter().for_each(|case| case.write(&mut text));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn count<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Counts {
    cases.into_iter().fold(Counts::default(), |counts, case| {
        let is = |wanted: bool| usize::from(wanted);
        Counts {
            tests: counts.tests + 1,
            failures: counts.failures + is(matches!(case.outcome, Outcome::Failed { .. })),
            errors: counts.errors + is(matches!(case.outcome, Outcome::Broken { .. })),
            skipped: counts.skipped + is(matches!(case.outcome, Outcome::Skipped { .. })),
        }
    })
}

impl Counts {
    fn attributes(self) -> String {
        let Self { tests, failures, errors, skipped } = self;
        format!(" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
    }
}

impl Case {
    fn write(&self, text: &mut String) {
        let _ = write!(text, "    <testcase classname=\"{}\" name=\"{}\"", escape(&self.class), escape(&self.name));
        if let Some((file, line)) = &self.place {
            let _ = write!(text, " file=\"{}\" line=\"{line}\"", escape(file));
        }
        if let Some(took) = self.took {
            let _ = write!(text, " time=\"{:.3}\"", took.as_secs_f64());
        }
        let body = self.body();
        if body.is_empty() {
            text.push_str("/>\n");
        } else {
            let _ = write!(text, ">\n{body}    </testcase>\n");
        }
    }

    fn body(&self) -> String {
        let mut body = match &self.outcome {
            Outcome::Passed => String::new(),
            Outcome::Skipped { message } => format!("      <skipped message=\"{}\"/>\n", escape(message)),
            Outcome::Failed { message, kind, text } => {
                let (message, kind, text) = (escape(message), escape(kind), escape(text));
                format!("      <failure message=\"{message}\" type=\"{kind}\">{text}</failure>\n")
            }
            Outcome::Broken { message, text } => {
                format!("      <error message=\"{}\">{}</error>\n", escape(message), escape(text))
            }
        };
        if !self.output.is_empty() {
            let _ = writeln!(body, "      <system-out>{}</system-out>", escape(&self.output));
        }
        body
    }
}

/// Text for XML 1.0: characters that it cannot say at all become U+FFFD; line breaks stay also in attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            char if char < ' ' => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, outcome: Outcome) -> Case {
        let class = "a.yaml".to_owned();
        Case { class, name: name.into(), place: None, took: None, outcome, output: String::new() }
    }

    #[test]
    fn writes_suites_with_their_counts_and_escapes_what_xml_cannot_hold() {
        let text = "a < b && \"c\"\n\u{1b}[2J".to_owned();
        let failed = Outcome::Failed { message: text.clone(), kind: "denied".into(), text };
        let passed = Case {
            place: Some(("a&b.yaml".into(), 3)),
            took: Some(Duration::from_micros(1500)),
            output: "two\nlines".into(),
            ..case("p", Outcome::Passed)
        };
        let broken = Outcome::Broken { message: "m".into(), text: "t".into() };
        let skipped = Outcome::Skipped { message: "not asked".into() };
        let suites = [
            Suite { name: "one".into(), cases: vec![passed, case("f", failed)] },
            Suite { name: "two".into(), cases: vec![case("e", broken), case("s", skipped)] },
        ];
        let said = "a &lt; b &amp;&amp; &quot;c&quot;&#10;\u{fffd}[2J";
        assert_eq!(
            document("all", &suites),
            format!(
                r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="all" tests="4" failures="1" errors="1" skipped="1">
  <testsuite name="one" tests="2" failures="1" errors="0" skipped="0">
    <testcase classname="a.yaml" name="p" file="a&amp;b.yaml" line="3" time="0.002">
      <system-out>two&#10;lines</system-out>
    </testcase>
    <testcase classname="a.yaml" name="f">
      <failure message="{said}" type="denied">{said}</failure>
    </testcase>
  </testsuite>
  <testsuite name="two" tests="2" failures="0" errors="1" skipped="1">
    <testcase classname="a.yaml" name="e">
      <error message="m">t</error>
    </testcase>
    <testcase classname="a.yaml" name="s">
      <skipped message="not asked"/>
    </testcase>
  </testsuite>
</testsuites>
"#
            )
        );
    }
}
