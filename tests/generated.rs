//! The generated part of `docs/` is what the program says about itself today.

use std::fs;
use std::path::Path;

use admittance::output::reference;

#[test]
fn generated_documentation_is_up_to_date() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let generates = std::env::var_os("ADMITTANCE_GENERATE").is_some();
    let files = reference::files();
    for (name, text) in &files {
        let path = docs.join(name);
        if generates {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == *text,
            "docs/{name} is out of date: ADMITTANCE_GENERATE=1 cargo test generated_ writes it anew"
        );
    }
    for entry in fs::read_dir(docs.join("modules")).unwrap() {
        let name = format!("modules/{}", entry.unwrap().file_name().display());
        assert!(files.iter().any(|(known, _)| *known == name), "docs/{name} is of no module: delete it");
    }
}

/// Names that the chart's template replaces by those of the release.
const PLACES: [&str; 6] = [
    "--exempt-namespace",
    "admittance-exempt-namespaces",
    "--policy-namespace",
    "admittance-policy-namespaces",
    "--name",
    "admittance-chart-name",
];

#[test]
fn generated_twins_of_the_chart_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("charts/admittance/twins");
    let generates = std::env::var_os("ADMITTANCE_GENERATE").is_some();
    let packs: Vec<String> = fs::read_dir(root.join("manifests/policies"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for pack in &packs {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_admittance"))
            .args(["export", "vap", "-p"])
            .arg(root.join("manifests/policies").join(pack))
            .args(PLACES)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let path = folder.join(format!("{pack}.yaml"));
        if generates {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == text,
            "charts/admittance/twins/{pack}.yaml is out of date: ADMITTANCE_GENERATE=1 cargo test generated_ writes it anew"
        );
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), packs.len(), "a file in charts/admittance/twins is of no pack");
}
