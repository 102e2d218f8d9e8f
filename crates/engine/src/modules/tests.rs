//! The table, the pages and the schemas of settings. What modules do is tested beside the cases (tests/modules).

use serde_json::{Map, Value};

use super::{Built, MODULES, ModuleEntry};
use crate::document::{Decoder, Limits, SourceFile, parse};

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The module with these settings, or the problems with them, a line each.
fn build(module: &ModuleEntry, settings: &Value) -> Result<Built, String> {
    let file = SourceFile::new("settings", settings.to_string());
    let documents = parse(&file, &Limits::default()).documents;
    let decoder = Decoder::new(&file);
    let node = documents.first().filter(|_| !settings.is_null());
    let built = (module.build)(&decoder, 0..0, node);
    let problems: Vec<String> = decoder.finish().iter().map(ToString::to_string).collect();
    built.ok_or_else(|| problems.join("\n"))
}

/// The page's headings, in their order.
fn headings(module: &ModuleEntry) -> [&'static str; 4] {
    [if module.mutates { "What it does" } else { "What it checks" }, "Why", "Settings", "Example"]
}

#[test]
fn ids_are_kebab_case_sorted_and_unique() {
    let ids: Vec<&str> = MODULES.iter().map(|module| module.id).collect();
    assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
    for id in ids {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        assert!(id.split('-').all(is_word), "{id}");
    }
}

#[test]
fn every_module_stands_in_the_file_of_its_name() {
    for module in MODULES {
        let folder = if module.mutates { "mutate" } else { "validate" };
        let file = format!("{}/src/modules/{folder}/{}.rs", env!("CARGO_MANIFEST_DIR"), module.id.replace('-', "_"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(text, module.doc, "{}: DOC is another file", module.id);
    }
}

#[test]
fn every_page_has_a_summary_and_the_headings_in_order() {
    for module in MODULES {
        let summary = module.summary();
        assert!(summary.ends_with('.') && summary.len() > 20 && summary.len() < 100, "{}: {summary:?}", module.id);
        let page = module.page();
        let found: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# ")).collect();
        assert_eq!(found, headings(module), "{}", module.id);
        for heading in headings(module) {
            assert!(module.section(heading).is_some_and(|text| text.len() > 40), "{}: {heading}", module.id);
        }
    }
}

#[test]
fn every_example_is_a_policy_whose_settings_build() {
    for module in MODULES {
        let documents = documents(&module.example());
        assert!(!documents.is_empty(), "{}", module.id);
        for document in documents {
            assert_eq!(document["apiVersion"], "admittance.dev/v1alpha1", "{}", module.id);
            assert_eq!(document["kind"], "Policy", "{}", module.id);
            assert!(document["metadata"]["name"].is_string(), "{}", module.id);
            assert_eq!(document["spec"]["module"], module.id);
            build(module, &document["spec"]["settings"]).unwrap_or_else(|problems| panic!("{}: {problems}", module.id));
        }
    }
}

#[test]
fn every_setting_is_described_by_schema_and_page() {
    for module in MODULES {
        let schema = (module.schema)().to_value();
        let settings = module.section("Settings").unwrap_or_default();
        if let Some(properties) = schema["properties"].as_object() {
            for name in properties.keys() {
                assert!(settings.contains(&format!("`{name}`")), "{}: the page does not name {name}", module.id);
            }
        }
        let mut maps = vec![];
        collect(&schema, &mut maps);
        for map in maps {
            let Some(properties) = map.get("properties").and_then(Value::as_object) else { continue };
            assert_eq!(map.get("additionalProperties"), Some(&Value::Bool(false)), "{}: {map:?}", module.id);
            for (name, property) in properties {
                assert!(property["description"].is_string(), "{}: {name} has no description", module.id);
            }
        }
    }
}

fn collect<'v>(value: &'v Value, maps: &mut Vec<&'v Map<String, Value>>) {
    match value {
        Value::Object(map) => {
            maps.push(map);
            map.values().for_each(|value| collect(value, maps));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, maps)),
        _ => {}
    }
}

#[test]
fn settings_refuse_unknown_fields() {
    for module in MODULES {
        let problems = build(module, &serde_json::json!({"nobodyWouldCallASettingThis": 1})).unwrap_err();
        assert!(
            problems.starts_with("settings:1:2: error: unknown field `nobodyWouldCallASettingThis`"),
            "{}: {problems}",
            module.id
        );
    }
}

#[test]
fn names_of_what_is_replaced_have_a_library() {
    for module in MODULES {
        for name in module.replaces {
            let library = name.split_once('/').map(|(library, _)| library);
            assert!(
                matches!(library, Some("gatekeeper-library" | "kyverno" | "pss" | "kubernetes")),
                "{}: {name}",
                module.id
            );
        }
    }
}
