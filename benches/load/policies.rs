//! Policies that the program makes: as many as are asked for, of the fourteen rules, in files of a temporary folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Failure;

const MODULES: &str = include_str!("../rules.modules.yaml");
const VAPS: &str = include_str!("../rules.vap.yaml");

/// How many policies stand in a file.
const IN_A_FILE: usize = 20;

/// What the policies are written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Modules,
    Cel,
    /// One of these, one of those.
    Mixed,
}

impl Sort {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Modules => "modules",
            Self::Cel => "VAPs",
            Self::Mixed => "modules and VAPs",
        }
    }
}

/// Writes so many policies into `folder/NAME`, the rules again and again under other names. Where they are not to match
/// the review, one is about Services, the next about pods that are deleted.
pub(crate) fn write(folder: &Path, sort: Sort, count: usize, is_matching: bool) -> Result<PathBuf, Failure> {
    let matching = if is_matching { "all" } else { "none" };
    let folder = folder.join(format!("{}-{count}-{matching}", sort.name().replace(' ', "-")));
    fs::create_dir(&folder)?;
    let modules: Vec<&str> = MODULES.split("\n---\n").collect();
    let documents: Vec<&str> = VAPS.split("\n---\n").collect();
    let vaps: Vec<String> = documents.chunks(2).map(|with_binding| with_binding.join("\n---\n")).collect();
    let mut policies = Vec::new();
    for number in 0..count {
        let is_module = sort == Sort::Modules || sort == Sort::Mixed && number.is_multiple_of(2);
        // Of the mixed ones each sort goes through all rules.
        let rule = if sort == Sort::Mixed { number / 2 } else { number };
        let text = if is_module {
            modules.get(rule % modules.len()).copied()
        } else {
            vaps.get(rule % vaps.len()).map(String::as_str)
        };
        let text = text.ok_or("there are no rules")?.replace("bench-", &format!("bench-{number}-"));
        policies.push(if is_matching { text } else { elsewhere(&text, number)? });
    }
    for (number, some) in policies.chunks(IN_A_FILE).enumerate() {
        fs::write(folder.join(format!("{number:03}.yaml")), some.join("\n---\n"))?;
    }
    Ok(folder)
}

/// The same policy, for what is not sent.
fn elsewhere(text: &str, number: usize) -> Result<String, Failure> {
    let other = if number.is_multiple_of(2) {
        text.replace("resources: [pods]", "resources: [services]")
            .replace("      resources:\n      - pods", "      resources:\n      - services")
    } else {
        text.replace("operations: [CREATE, UPDATE]", "operations: [DELETE]")
            .replace("      operations:\n      - CREATE\n      - UPDATE", "      operations:\n      - DELETE")
    };
    if other == text { Err("a rule does not say what it matches as the others do".into()) } else { Ok(other) }
}

/// Policies of ConfigMaps: a module that looks at labels, or an expression that looks at all data.
pub(crate) fn write_for_config_maps(folder: &Path, sort: Sort) -> Result<PathBuf, Failure> {
    let text = match sort {
        Sort::Modules => CONFIG_MAP_MODULE,
        Sort::Cel | Sort::Mixed => CONFIG_MAP_VAP,
    };
    let path = folder.join(format!("config-maps-{}.yaml", sort.name().replace(' ', "-")));
    fs::write(&path, text)?;
    Ok(path)
}

const CONFIG_MAP_MODULE: &str = r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: bench-config-maps }
spec:
  module: required-labels
  settings: { labels: [{ key: team }] }
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps] }
"#;

const CONFIG_MAP_VAP: &str = r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: bench-config-maps }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps] }
  validations:
    - expression: object.data.all(key, key.endsWith(".conf") && size(object.data[key]) < 10000)
      message: only files of settings
"#;
