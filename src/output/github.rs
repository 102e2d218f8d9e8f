//! `-o github`: annotations of GitHub's pull requests, as workflow commands.
//!
//! `::error file=a.yaml,line=3,endLine=3,col=5,endColumn=9,title=no-host-ports::the text`; what has a meaning there is escaped as
//! actions/toolkit does (`packages/core/src/command.ts`).

use super::remark::{Level, Remark};

/// The line of one remark, with its line break.
pub fn annotation(remark: &Remark) -> String {
    let command = match remark.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let mut properties = vec![];
    let mut property = |name: &str, value: &str| properties.push(format!("{name}={}", escape_property(value)));
    if let Some(file) = &remark.file {
        property("file", file);
    }
    if let Some(region) = &remark.region {
        property("line", &region.line.to_string());
        property("endLine", &region.line.to_string());
        property("col", &region.column.to_string());
        property("endColumn", &region.end_column.to_string());
    }
    if !remark.title.is_empty() {
        property("title", &remark.title);
    }
    let space = if properties.is_empty() { "" } else { " " };
    format!("::{command}{space}{}::{}\n", properties.join(","), escape_data(&remark.message))
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::place::Region;

    #[test]
    fn escapes_what_would_end_a_property_or_the_line() {
        let remark = Remark {
            level: Level::Error,
            file: Some("a,b:c%.yaml".into()),
            region: Some(Region { line: 3, column: 5, end_column: 9 }),
            title: "no: latest".into(),
            message: "50% of: a, b\r\n::error::x".into(),
        };
        assert_eq!(
            annotation(&remark),
            "::error file=a%2Cb%3Ac%25.yaml,line=3,endLine=3,col=5,endColumn=9,title=no%3A latest::50%25 of: a, b%0D%0A::error::x\n"
        );
        let bare = Remark { file: None, region: None, title: String::new(), level: Level::Notice, ..remark };
        assert_eq!(annotation(&bare), "::notice::50%25 of: a, b%0D%0A::error::x\n");
    }
}
