//! What builds the image agrees with what builds the program.

use std::fs;
use std::path::Path;

fn line_after<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("no line begins with {start:?}"))
}

#[test]
fn the_dockerfile_builds_with_the_toolchain_of_the_project() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let toolchain = fs::read_to_string(root.join("rust-toolchain.toml")).unwrap();
    let channel = line_after(&toolchain, "channel = ").trim_matches('"');
    let dockerfile = fs::read_to_string(root.join("Dockerfile")).unwrap();
    let (version, _) = line_after(&dockerfile, "FROM rust:").split_once('-').unwrap();
    assert_eq!(version, channel);
}
