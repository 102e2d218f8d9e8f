//! The sets of manifests/policies: sound, able to stand beside each other, proven by cases, and listed in docs/packs.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use admittance_engine::document::SourceFile;
use admittance_engine::pipeline::Route;
use admittance_engine::set::link;
use admittance_engine::unit::{CompiledUnit, Unit, compile};
use serde_json::Value;

use crate::case::{cases, documents, entries, root};
use crate::cases::judge;

/// A larger ConfigMap cannot be applied by `kubectl apply`, which stores it once more in an annotation.
const MOST_BYTES: usize = 256 << 10;

/// Where the policies stand that ask a cluster; servers without one leave the whole file out.
const LOOKUPS: &str = "lookups.yaml";

/// Sets for everybody; `reference-demo` is a tour, with policies for namespaces of its own.
const PACKS: [&str; 4] = ["starter", "hardened", "reliability", "multi-tenant"];

/// What no case of a pack can depend on: settings that say what holds without them, for those who read them.
const SAID_ANYWAY: [&str; 4] = [
    "policy `hardened-pod-security`: no case depends on settings.enforce",
    "policy `hardened-pod-security`: no case depends on settings.audit",
    "policy `reliability-replicas`: no case depends on settings.min",
    "policy `reliability-removed-apis`: no case depends on settings.version",
];

fn files(pack: &str) -> Vec<PathBuf> {
    entries(&root().join("manifests/policies").join(pack))
}

fn unit(path: &Path) -> Arc<CompiledUnit> {
    let text = fs::read_to_string(path).unwrap();
    let file = SourceFile::new(path.to_str().unwrap(), text.as_str());
    compile(&Unit::of_file(file)).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

#[test]
fn packs_are_sound_small_and_stand_beside_each_other() {
    let paths: Vec<PathBuf> = PACKS.iter().flat_map(|pack| files(pack)).collect();
    let units: Vec<Arc<CompiledUnit>> = paths.iter().map(|path| unit(path)).collect();
    for (path, unit) in paths.iter().zip(&units) {
        let name = path.display();
        assert!(unit.warnings().is_empty(), "{}", unit.warnings()[0]);
        assert!(fs::metadata(path).unwrap().len() < MOST_BYTES as u64, "{name}");
        let asks = !unit.needing_a_cluster().is_empty();
        assert_eq!(asks, path.ends_with(LOOKUPS), "{name}: what asks a cluster stands in {LOOKUPS}, and nothing else");
    }
    let (_, problems) = link(&units);
    assert!(problems.is_empty(), "{}", problems[0]);
}

#[test]
fn the_tests_of_packs_pass_whatever_the_actions_are_and_cover_every_policy() {
    let folder = tempfile::tempdir().unwrap();
    for pack in PACKS {
        for path in files(pack) {
            let text = fs::read_to_string(&path).unwrap();
            let name = format!("{pack}-{}", path.file_name().unwrap().display());
            fs::write(folder.path().join(name), text.replace("[Deny]", "[Audit]").replace("[Warn]", "[Audit]"))
                .unwrap();
        }
        for folder in [root().join("manifests/policies").join(pack), folder.path().to_owned()] {
            let output = Command::new(env!("CARGO_BIN_EXE_admittance")).arg("test").arg(folder).output().unwrap();
            let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(0), "{pack}: {printed}");
            for line in printed.lines().filter(|line| line.starts_with("  ")) {
                assert!(SAID_ANYWAY.iter().any(|said| line.ends_with(said)), "{pack}: {line}");
            }
        }
    }
}

#[test]
fn every_policy_of_a_pack_finds_or_changes_something_in_a_case() {
    let mut acted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for case in cases() {
        let Some(pack) = case.policy_set.clone() else { continue };
        let set = case.set();
        let names = judge(&case, &set, &case.review(set.kinds()), Route::Offline, |_, verdict| {
            let found = verdict.findings.iter().map(|finding| finding.origin.policy.clone());
            found.chain(verdict.edits.iter().map(|edit| edit.origin.policy.clone())).collect::<Vec<_>>()
        });
        acted.entry(pack).or_default().extend(names);
    }
    for pack in PACKS {
        for policy in files(pack).iter().flat_map(|path| unit(path).policies()) {
            assert!(acted[pack].contains(&policy.name), "no case of {pack} shows what {} does", policy.name);
        }
    }
}

/// The comment that stands above each policy of a ConfigMap, by the policy's name.
fn comments(path: &Path) -> BTreeMap<String, String> {
    let mut comments = BTreeMap::new();
    for manifest in documents(&fs::read_to_string(path).unwrap()) {
        for text in manifest["data"].as_object().unwrap().values() {
            for document in text.as_str().unwrap().split("---\n") {
                let lines = document.lines().map_while(|line| line.strip_prefix("# "));
                let comment = lines.collect::<Vec<_>>().join(" ");
                let policy: Vec<Value> = documents(document);
                if policy[0]["kind"] != "Policy" {
                    continue;
                }
                comments.insert(policy[0]["metadata"]["name"].as_str().unwrap().to_owned(), comment);
            }
        }
    }
    comments
}

/// The rows of a pack's table: name, module, action, and the first sentence of the comment.
fn table(pack: &str) -> String {
    let mut rows = "| policy | module | action | why |\n|---|---|---|---|\n".to_owned();
    for path in files(pack) {
        let policies = unit(&path).policies();
        let comments = comments(&path);
        let mut policies: Vec<_> = policies.iter().map(|policy| (policy, &comments[&policy.name])).collect();
        policies.sort_by_key(|(policy, _)| policy.line);
        for (policy, comment) in policies {
            let name = &policy.name;
            let module = policy.module.unwrap();
            // A point within a word, as in `namespaces.exclude`, is no end.
            let why = comment.split_once(". ").map_or(comment.clone(), |(first, _)| format!("{first}."));
            let row = format!("| `{name}` | [`{module}`](modules/{module}.md) | {} | {why} |\n", policy.action);
            rows.push_str(&row);
        }
    }
    rows
}

#[test]
fn the_generated_tables_of_packs_are_up_to_date() {
    let path = root().join("docs/packs.md");
    let mut page = fs::read_to_string(&path).unwrap();
    let shown = page.clone();
    for pack in PACKS {
        let (begin, end) = (format!("<!-- the policies of {pack} -->\n"), "<!-- so far -->");
        let from = page.find(&begin).unwrap_or_else(|| panic!("docs/packs.md has no table of {pack}")) + begin.len();
        let to = from + page[from..].find(end).unwrap();
        page.replace_range(from..to, &table(pack));
    }
    if std::env::var_os("ADMITTANCE_GENERATE").is_some() {
        fs::write(&path, &page).unwrap();
    } else {
        assert!(
            page == shown,
            "docs/packs.md is out of date: ADMITTANCE_GENERATE=1 cargo test generated_ writes it anew"
        );
    }
}
