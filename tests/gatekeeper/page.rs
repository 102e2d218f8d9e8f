//! The table of docs/migrate-gatekeeper.md is the one that the test goes by.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::templates::{TEMPLATES, Template};

const START: &str = "<!-- made of tests/gatekeeper/templates: ADMITTANCE_GENERATE=1 cargo test --test gatekeeper -->\n";
const END: &str = "<!-- end -->\n";

fn line(template: &Template) -> String {
    let link = |module: &&str| format!("[`{module}`](modules/{module}.md)");
    let modules: Vec<String> = template.modules.iter().map(link).collect();
    let policy = if modules.is_empty() { "expression".to_owned() } else { modules.join(", ") };
    let mut cells: Vec<String> =
        template.parameters.iter().map(|(name, becomes)| format!("`{name}`: {becomes}.")).collect();
    if !template.note.is_empty() {
        cells.push(format!("{}.", template.note));
    }
    if let Some(differs) = template.differs {
        cells.push(format!("*Stricter: {differs}.*"));
    }
    format!("| {}<br>`{}` | {policy} | {} |", template.kind, template.library, cells.join("<br>"))
}

fn table() -> String {
    let mut text = "| template | policy | what its parameters become |\n|---|---|---|\n".to_owned();
    TEMPLATES.iter().for_each(|template| writeln!(text, "{}", line(template)).unwrap());
    text
}

#[test]
fn the_page_says_what_the_test_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/migrate-gatekeeper.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(START).unwrap();
    let (found, tail) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("ADMITTANCE_GENERATE").is_some() {
        fs::write(&path, format!("{head}{START}{table}{END}{tail}")).unwrap();
    } else {
        assert!(found == table, "it is out of date: ADMITTANCE_GENERATE=1 cargo test --test gatekeeper writes it anew");
    }
}

#[test]
fn templates_stand_in_order_and_once() {
    let kinds: Vec<&str> = TEMPLATES.iter().map(|template| template.kind).collect();
    assert!(kinds.is_sorted_by(|one, next| one < next), "{kinds:?}");
    for template in TEMPLATES {
        let names: Vec<&str> = template.parameters.iter().map(|(name, _)| *name).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{}: {names:?}", template.kind);
    }
}
