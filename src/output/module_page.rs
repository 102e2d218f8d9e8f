//! The catalogue of modules and the page of each, for terminals, for programs and as Markdown.

use std::fmt::Write as _;

use admittance_engine::matching::pod_catalogue;
use admittance_engine::modules::{MODULES, ModuleEntry};
use admittance_engine::review::Operation;
use admittance_engine::rule::{Applies, Group, Resources};
use serde::Serialize;
use serde_json::Value;

use super::{Colour, Tone};

/// The version of what [`json`] prints. It grows when a field changes its meaning or goes.
const SCHEMA_VERSION: u32 = 1;

/// The groups of these modules, in the catalogue's order, each with its modules by id.
fn groups<'m>(modules: &[&'m ModuleEntry]) -> Vec<(Group, Vec<&'m ModuleEntry>)> {
    let mut modules = modules.to_vec();
    modules.sort_by_key(|module| (module.group, module.id));
    let groups = modules.chunk_by(|left, right| left.group == right.group);
    groups.filter_map(|group| Some((group.first()?.group, group.to_vec()))).collect()
}

const fn does(module: &ModuleEntry) -> &'static str {
    if module.mutates { "mutates" } else { "validates" }
}

/// Whether the module's id, group, summary or names of replaced policies hold each of these words, in any case.
pub fn fits(module: &ModuleEntry, words: &str) -> bool {
    let head = [module.id, module.group.title(), module.summary()];
    let texts: Vec<String> = head.iter().chain(module.replaces).map(|text| text.to_lowercase()).collect();
    words.to_lowercase().split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}

/// These modules by group, a line each.
pub fn catalogue(modules: &[&ModuleEntry], colour: Colour) -> String {
    let width = modules.iter().map(|module| module.id.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (group, modules) in groups(modules) {
        let _ = writeln!(text, "{}", colour.paint(Tone::Strong, group.title()));
        for module in modules {
            let id = colour.paint(Tone::Note, &format!("{:<width$}", module.id));
            let _ = writeln!(text, "  {id}  {:<9}  {}", does(module), module.summary());
        }
        text.push('\n');
    }
    text.push_str("`admittance modules ID` shows the page of one.\n");
    text
}

/// The index of the pages, in Markdown.
pub fn index() -> String {
    let mut text =
        "# Modules\n\nThe built-in kinds of policy. `admittance modules ID` shows the same pages.\n".to_owned();
    for (group, modules) in groups(&MODULES.iter().collect::<Vec<_>>()) {
        let _ = writeln!(text, "\n## {}\n\n| module | | |\n|---|---|---|", group.title());
        for module in modules {
            let _ = writeln!(text, "| [`{id}`]({id}.md) | {} | {} |", does(module), module.summary(), id = module.id);
        }
    }
    text
}

/// The page of a module, in Markdown: the head of its file, and what its code says besides.
pub fn markdown(module: &ModuleEntry) -> String {
    let mut text = format!("# {}\n\n", module.id);
    let mut is_code = false;
    for line in module.page().lines() {
        is_code ^= line.starts_with("```");
        // A line of an example that begins with `#` is a comment.
        let mark = if line.starts_with("# ") && !is_code { "#" } else { "" };
        let _ = writeln!(text, "{mark}{line}");
    }
    text.push_str("\n## Types of the settings\n");
    for (name, kind) in settings(module) {
        let _ = writeln!(text, "- `{name}`: {kind}");
    }
    text.push_str("\n## What it matches by default\n");
    for row in matches(module) {
        let _ = writeln!(text, "- {}", describe(&row));
    }
    let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if !module.replaces.is_empty() {
        let _ = write!(text, "\n## What it replaces\n{}\n", names(module.replaces));
    }
    if !module.public.is_empty() {
        let _ = write!(text, "\n## Values that its messages show\n{}\n", names(module.public));
    }
    text
}

/// The page of a module, for terminals.
pub fn text(module: &ModuleEntry, colour: Colour) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in markdown(module).lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            let _ = writeln!(text, "{}", if line.is_empty() { String::new() } else { format!("    {line}") });
        } else if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("# ")) {
            let _ = writeln!(text, "{}", colour.paint(Tone::Strong, heading));
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'m> {
    schema_version: u32,
    modules: Vec<Description<'m>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'m> {
    id: &'m str,
    mutates: bool,
    group: &'m str,
    summary: &'m str,
    replaces: &'m [&'m str],
    public: &'m [&'m str],
    matches: Vec<Rule<'m>>,
    settings: Value,
    example: String,
    page: String,
}

/// A row of `resourceRules`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'m> {
    api_groups: &'m [&'m str],
    resources: &'m [&'m str],
    operations: Vec<&'m str>,
}

/// These modules as one JSON document: `{schemaVersion, modules: [{id, mutates, group, summary, replaces, public, matches,
/// settings (JSON Schema), example, page (Markdown)}]}`.
pub fn json(modules: &[&ModuleEntry]) -> String {
    let descriptions = modules.iter().map(|module| Description {
        id: module.id,
        mutates: module.mutates,
        group: module.group.title(),
        summary: module.summary(),
        replaces: module.replaces,
        public: module.public,
        matches: matches(module)
            .iter()
            .map(|row| Rule {
                api_groups: row.groups,
                resources: row.resources,
                operations: row.operations.iter().map(|operation| operation.as_str()).collect(),
            })
            .collect(),
        settings: (module.schema)().to_value(),
        example: module.example(),
        page: module.page(),
    });
    let document = Document { schema_version: SCHEMA_VERSION, modules: descriptions.collect() };
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn matches(module: &ModuleEntry) -> Vec<Resources> {
    match module.applies {
        Applies::To(rows) => rows.to_vec(),
        Applies::Pods if module.mutates => pod_catalogue::MUTATED.to_vec(),
        Applies::Pods => pod_catalogue::VALIDATED.to_vec(),
    }
}

/// `pods, pods/resize of the core group, on CREATE and UPDATE`
fn describe(row: &Resources) -> String {
    let resources = match row.resources {
        ["*"] => "all resources".to_owned(),
        ["*/*"] => "all resources and subresources".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    };
    let groups = match row.groups {
        [""] => "the core group".to_owned(),
        ["*"] => "all groups".to_owned(),
        names => {
            let quoted = names.iter().map(|name| if name.is_empty() { "core".to_owned() } else { format!("`{name}`") });
            quoted.collect::<Vec<_>>().join(", ")
        }
    };
    let operations: Vec<&str> = row.operations.iter().copied().map(Operation::as_str).collect();
    format!("{resources} of {groups}, on {}", operations.join(", "))
}

/// The settings with the words for their types.
fn settings(module: &ModuleEntry) -> Vec<(String, String)> {
    let schema = (module.schema)().to_value();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return vec![] };
    properties.iter().map(|(name, schema)| (name.clone(), type_of(schema))).collect()
}

fn type_of(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return one_of(values.iter());
    }
    if let Some(kinds) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        let values: Vec<&Value> = kinds.iter().filter_map(|kind| kind.get("const")).collect();
        if values.len() == kinds.len() {
            return one_of(values.into_iter());
        }
        return kinds.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    match schema.get("type") {
        Some(Value::String(kind)) => named(kind, schema),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).map(|kind| named(kind, schema)).collect::<Vec<_>>().join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

fn one_of<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let values: Vec<String> = values.map(|value| format!("`{}`", value.as_str().unwrap_or("null"))).collect();
    format!("one of {}", values.join(", "))
}

fn named(kind: &str, schema: &Value) -> String {
    match kind {
        "array" => format!("list ({})", schema.get("items").map_or_else(|| "any value".to_owned(), type_of)),
        "object" => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("map ({})", type_of(values)),
            _ => "map".to_owned(),
        },
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_module_once_under_its_group() {
        let text = catalogue(&MODULES.iter().collect::<Vec<_>>(), Colour::Off);
        for module in MODULES {
            let start = format!("  {} ", module.id);
            assert_eq!(text.lines().filter(|line| line.starts_with(&start)).count(), 1, "{}", module.id);
        }
        assert!(text.starts_with("Images\n"), "{text}");
    }

    #[test]
    fn knows_the_type_of_every_setting() {
        for module in MODULES {
            let kinds = settings(module);
            assert!(
                !kinds.is_empty() || module.section("Settings").is_none_or(|text| !text.contains("- `")),
                "{}",
                module.id
            );
            for (name, kind) in kinds {
                assert!(!kind.is_empty(), "{}.{name}", module.id);
            }
        }
    }

    #[test]
    fn keeps_comments_in_examples_as_they_are() {
        for module in MODULES {
            let page = markdown(module);
            assert!(page.contains(module.example().as_str()), "{}", module.id);
            assert_eq!(page.lines().filter(|line| line.starts_with("## Settings")).count(), 1, "{}", module.id);
        }
    }
}
