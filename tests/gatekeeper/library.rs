//! What modules say they replace is there.

use std::collections::BTreeSet;

use admittance_engine::modules::MODULES;

use crate::templates::TEMPLATES;

fn names(list: &str) -> BTreeSet<&str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn replaced(prefix: &str) -> Vec<(&'static str, &'static str)> {
    let of =
        |module: &'static admittance_engine::modules::ModuleEntry| module.replaces.iter().map(|id| (module.id, *id));
    MODULES.iter().flat_map(of).filter_map(|(module, id)| Some((module, id.strip_prefix(prefix)?))).collect()
}

#[test]
fn modules_replace_what_the_libraries_have() {
    for (prefix, list) in [
        ("gatekeeper-library/", include_str!("../fixtures/gatekeeper-library.txt")),
        ("kyverno/", include_str!("../fixtures/kyverno-policies.txt")),
    ] {
        let (known, replaced) = (names(list), replaced(prefix));
        assert!(!replaced.is_empty());
        let unknown: Vec<String> = replaced
            .iter()
            .filter(|(_, name)| !known.contains(name))
            .map(|(module, name)| format!("{module}: {prefix}{name}"))
            .collect();
        assert!(unknown.is_empty(), "not in the library:\n{}", unknown.join("\n"));
    }
}

/// The table of templates and the pages of the modules say the same.
#[test]
fn modules_of_the_table_replace_its_templates() {
    let replaced = replaced("gatekeeper-library/");
    for template in TEMPLATES {
        for module in template.modules {
            assert!(replaced.contains(&(module, template.library)), "{module} does not replace {}", template.library);
        }
    }
}
