//! References to images as regular expressions: the grammar of `kubernetes::image`, but for the longest repository.

use super::text::{escaped_text, quoted, whole};
use crate::kubernetes::image::{DEFAULT_REGISTRY, ImagePattern};

/// A part of a repository.
const PART: &str = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*";
/// A host or an address, with or without a port. A host without dots, port and capital letters is a part of a repository,
/// which it then is read as.
const REGISTRY: &str = "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:[.][a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*\
                        |\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?";
const TAG: &str = ":[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}";
const DIGEST: &str = "@(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})";
/// What runtimes take for the id of an image.
const ID: &str = "[a-f0-9]{64}";

/// Any part of what is known to be readable, and what may follow the repository.
const ANY: &str = "[^/:@]+";
const REST: &str = "(?:[:@].*)?";
/// A first part that is a registry, and Docker Hub's.
const NAMES_REGISTRY: &str = r"\A(?:localhost|[^/]*[.:A-Z][^/]*)/";
const NAMES_HUB: &str = r"\A(?:index[.])?docker[.]io/";

/// Whether the text `value` names an image that a runtime could pull.
pub(crate) fn readable(value: &str) -> String {
    let reference = whole(value, &format!("(?:{REGISTRY}/)?{PART}(?:/{PART})*(?:{TAG})?(?:{DIGEST})?"));
    format!("({reference} && !{})", whole(value, ID))
}

/// Whether the text `value` names an image by a digest, or by a tag that none of these regular expressions matches.
pub(crate) fn pinned(value: &str, moving_tags: &[String]) -> String {
    let by_digest = whole(value, &format!("(?:{REGISTRY}/)?{PART}(?:/{PART})*(?:{TAG})?{DIGEST}"));
    let by_tag = whole(value, &format!("(?:{REGISTRY}/)?{PART}(?:/{PART})*{TAG}"));
    let moves = format!("{value}.matches({})", quoted(&format!(r":(?:{})\z", moving_tags.join("|"))));
    format!("({by_digest} || {by_tag} && !{moves})")
}

/// Whether the text `value` names an image that one of the patterns covers; without patterns none is.
pub(crate) fn covered(value: &str, patterns: &[ImagePattern]) -> String {
    if patterns.is_empty() {
        return "false".to_owned();
    }
    let Covered { elsewhere, on_hub } = Covered::new(patterns);
    let says = |expression: Option<String>| match expression {
        Some(expression) => format!("{value}.matches({})", quoted(&expression)),
        None => "false".to_owned(),
    };
    let named = |expression| format!("{value}.matches({})", quoted(expression));
    format!(
        "({} && ({} && !{} ? {} : {}))",
        readable(value),
        named(NAMES_REGISTRY),
        named(NAMES_HUB),
        says(elsewhere),
        says(on_hub)
    )
}

/// Regular expressions of the readable images that patterns cover.
struct Covered {
    /// In registries other than Docker Hub.
    elsewhere: Option<String>,
    /// There, named or not.
    on_hub: Option<String>,
}

impl Covered {
    fn new(patterns: &[ImagePattern]) -> Self {
        let elsewhere: Vec<String> = patterns.iter().map(elsewhere).collect();
        let hub: Vec<String> =
            patterns.iter().filter(|pattern| pattern.covers_registry(DEFAULT_REGISTRY)).flat_map(on_hub).collect();
        Self {
            elsewhere: Some(format!(r"\A(?:{}){REST}\z", elsewhere.join("|"))),
            on_hub: (!hub.is_empty())
                .then(|| format!(r"\A(?:(?:index[.])?docker[.]io/)?(?:{}){REST}\z", hub.join("|"))),
        }
    }
}

fn parts(pattern: &ImagePattern) -> Vec<String> {
    let part = |part: &String| if part == "*" { ANY.to_owned() } else { escaped_text(part) };
    pattern.path().iter().map(part).collect()
}

fn elsewhere(pattern: &ImagePattern) -> String {
    let label = |label: &str| match label {
        "*" => r"[^/.:\[]+".to_owned(),
        label => format!("(?i:{})", escaped_text(label)),
    };
    let registry = match pattern.registry() {
        "*" => "[^/]+".to_owned(),
        registry => registry.split('.').map(label).collect::<Vec<_>>().join("[.]"),
    };
    match parts(pattern).as_slice() {
        [] => format!("{registry}/{ANY}(?:/{ANY})*"),
        path => format!("{registry}/{}(?:/{ANY})*", path.join("/")),
    }
}

/// One part alone is an official image: `nginx` is `library/nginx`. Several stand for themselves.
fn on_hub(pattern: &ImagePattern) -> Vec<String> {
    let path = parts(pattern);
    let is_official = |part: &String| part == "library" || part == ANY;
    let (alone, several) = match path.as_slice() {
        [] => (Some(ANY.to_owned()), format!("{ANY}(?:/{ANY})+")),
        [first] => (is_official(first).then(|| ANY.to_owned()), format!("{first}(?:/{ANY})+")),
        [first, second] => (is_official(first).then(|| second.clone()), format!("{first}/{second}(?:/{ANY})*")),
        path => (None, format!("{}(?:/{ANY})*", path.join("/"))),
    };
    alone.into_iter().chain([several]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::regex::Regex;
    use crate::kubernetes::image::Image;
    use proptest::prelude::*;

    fn is_match(expression: &str, text: &str) -> bool {
        Regex::new(expression).unwrap().is_match(text)
    }

    fn is_readable(text: &str) -> bool {
        let reference = format!(r"\A(?:(?:{REGISTRY}/)?{PART}(?:/{PART})*(?:{TAG})?(?:{DIGEST})?)\z");
        is_match(&reference, text) && !is_match(&format!(r"\A{ID}\z"), text)
    }

    fn is_covered(pattern: &ImagePattern, text: &str) -> bool {
        let Covered { elsewhere, on_hub } = Covered::new(std::slice::from_ref(pattern));
        let names_other = is_match(NAMES_REGISTRY, text) && !is_match(NAMES_HUB, text);
        let expression = if names_other { elsewhere } else { on_hub };
        is_readable(text) && expression.is_some_and(|expression| is_match(&expression, text))
    }

    fn agree(text: &str) {
        assert_eq!(is_readable(text), Image::parse(text).is_ok(), "{text}");
        for pattern in PATTERNS {
            let pattern = ImagePattern::parse(pattern).unwrap();
            let expected = Image::parse(text).is_ok_and(|image| pattern.covers(&image));
            assert_eq!(is_covered(&pattern, text), expected, "{pattern} {text}");
        }
    }

    const PATTERNS: &[&str] = &[
        "docker.io",
        "docker.io/library",
        "docker.io/library/nginx",
        "docker.io/acme",
        "docker.io/*/app",
        "ghcr.io",
        "ghcr.io/acme",
        "ghcr.io/*/base",
        "*.dkr.ecr.*.amazonaws.com",
        "*",
        "*/acme",
        "localhost:5000",
        "*.io/acme",
        "docker.io/*",
        "docker.io/*/*",
        "docker.io/library/*",
        "*/library",
        "*/library/nginx",
        "localhost",
        "*.*",
        "[::1]:5000",
        "index.docker.io/library",
        "docker.io/a.b",
    ];

    #[test]
    fn agrees_with_the_reader_of_references() {
        let zeros = "0".repeat(64);
        for text in [
            "nginx",
            "nginx:1.27",
            "library/nginx",
            "docker.io/nginx",
            "docker.io/library/nginx:1",
            "acme/app",
            "index.docker.io/nginx",
            "index.docker.io/library/nginx",
            "ghcr.io/acme/app",
            "GHCR.io/acme/app:1",
            "ghcr.io/acme-evil/app",
            "localhost/app",
            "localhost:5000/app:2",
            "localhost:5000",
            "a.b/c/d",
            "a.b",
            "a.b:1",
            "my_host.example/app",
            "[::1]:5000/a",
            "[::1]/a",
            "Nginx",
            "docker.io/Nginx",
            "a/B",
            "a//b",
            "a/",
            "/a",
            "",
            "nginx:",
            "nginx@sha256:0",
            "library/a/b",
            "docker.io/library/a/b",
            "x.dkr.ecr.eu.amazonaws.com/app",
            "foo-bar/baz",
            "foo--bar/baz",
            "foo_/baz",
            "a__b/c",
            "docker.io/acme/app/x",
            "ghcr.io/x/base",
            "1.2.3.4/a",
            "ghcr.io/x/y/base",
            "1.2.3.4:80/a/b:c",
            "docker.io",
            "docker.io/",
            "LOCALHOST/a",
            "DOCKER.IO/acme",
            "docker.io/acme",
            "acme",
            "Docker.io/library/nginx",
            &zeros,
            &format!("nginx@sha256:{zeros}"),
            &format!("nginx:1@sha256:{zeros}"),
            &format!("docker.io/{zeros}"),
        ] {
            agree(text);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_reader_on_any_text(
            text in "[a-bA.:/@_-]{0,12}|(docker.io/|ghcr.io/|localhost/|index.docker.io/)?(library/|acme/)?[a-b./:_-]{1,9}"
        ) {
            agree(&text);
        }
    }
}
