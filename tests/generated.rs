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
