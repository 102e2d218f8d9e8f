//! The documentation does what it says: its files are written, its commands run, its output compared.
//!
//! In README.md and docs/*.md a block ```` ```yaml file=NAME ```` is a file, and a block ```` ```console ```` holds lines
//! `$ admittance …` with what they print, which are run in order in a folder with the page's files and `manifests`. A line
//! of dots stands for anything. Blocks ```` ```yaml ```` without a name that hold a Policy must be sound.

use std::path::{Path, PathBuf};
use std::process::Command;

use admittance_engine::document::SourceFile;
use admittance_engine::unit::{Unit, compile};

struct Block {
    info: String,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = vec![];
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(info), None) => open = Some(Block { info: info.to_owned(), text: String::new(), line: number + 1 }),
            (None, Some(block)) => open = Some(Block { text: block.text + line + "\n", ..block }),
            (None, None) => {}
        }
    }
    blocks
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.extend([root.join("README.md"), root.join("CONTRIBUTING.md")]);
    pages.sort();
    pages
}

#[test]
fn every_command_prints_what_the_page_shows() {
    let mut commands = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests"),
            folder.path().join("manifests"),
        )
        .unwrap();
        for block in blocks(&text) {
            if let Some(name) = block.info.split_whitespace().find_map(|word| word.strip_prefix("file=")) {
                std::fs::write(folder.path().join(name), &block.text).unwrap();
            }
            if block.info == "console" {
                commands += run(&block, folder.path(), &page);
            }
        }
    }
    assert!(commands >= 3, "the pages show commands");
}

/// Runs the block's commands; each one's output is what follows until the next.
fn run(block: &Block, folder: &Path, page: &Path) -> usize {
    let mut commands: Vec<(String, Vec<String>)> = vec![];
    for line in block.text.lines() {
        match (line.strip_prefix("$ admittance "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), vec![])),
            (None, Some((_, shown))) => shown.push(line.to_owned()),
            (None, None) => {}
        }
    }
    for (command, shown) in &commands {
        let output = Command::new(env!("CARGO_BIN_EXE_admittance"))
            .args(words(command))
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let place = format!("{}:{}: admittance {command}", page.display(), block.line);
        assert!(fits(shown, &printed), "{place}\nshown:\n{}\nprinted:\n{}", shown.join("\n"), printed.join("\n"));
    }
    commands.len()
}

/// The words of a command; what stands between single quotes is one.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![], false);
    let mut word: Option<String> = None;
    for char in command.chars() {
        match char {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    assert!(!is_quoted, "a quote is open: {command}");
    words.extend(word);
    words
}

/// Whether the printed lines are the shown ones, where a line of dots stands for any number of lines.
fn fits(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((dots, rest)) if dots == "..." => (0..=printed.len()).any(|from| fits(rest, &printed[from..])),
        Some((line, rest)) => printed.first() == Some(&line.as_str()) && fits(rest, &printed[1..]),
    }
}

#[test]
fn every_policy_on_a_page_is_sound() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in blocks(&text).iter().filter(|block| block.info.starts_with("yaml")) {
            if !block.text.contains("admittance.dev/v1alpha1") {
                continue;
            }
            let name = format!("{}:{}", page.display(), block.line);
            let is_shown_broken = block.info.contains("broken");
            let outcome = compile(&Unit::of_file(SourceFile::new(name.as_str(), block.text.as_str())));
            match outcome {
                Err(problems) if !is_shown_broken => panic!("{}", problems[0]),
                Ok(_) if is_shown_broken => panic!("{name}: said to be broken and is not"),
                _ => {}
            }
        }
    }
}
