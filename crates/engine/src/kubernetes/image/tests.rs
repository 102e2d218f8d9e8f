use proptest::prelude::*;

use super::*;

fn parts(text: &str) -> Result<(String, Option<&str>, Option<&str>), ImageError> {
    let image = Image::parse(text)?;
    Ok((image.name().to_string(), image.tag(), image.digest()))
}

/// What github.com/distribution/reference 0.6.0 answers, but for `foo_bar.com/x`: it gives that no registry, while
/// containerd pulls it from foo_bar.com.
#[test]
fn reads_references_as_container_runtimes_do() {
    for (text, name, tag) in [
        ("nginx", "docker.io/library/nginx", None),
        ("nginx:1.2", "docker.io/library/nginx", Some("1.2")),
        ("docker.io/nginx", "docker.io/library/nginx", None),
        ("index.docker.io/nginx:1", "docker.io/library/nginx", Some("1")),
        ("index.docker.io/a/b", "docker.io/a/b", None),
        ("library/nginx", "docker.io/library/nginx", None),
        ("docker.io/library/a/b", "docker.io/library/a/b", None),
        ("a/b", "docker.io/a/b", None),
        ("localhost", "docker.io/library/localhost", None),
        ("localhost/x", "localhost/x", None),
        ("localhost:5000/x:y", "localhost:5000/x", Some("y")),
        ("foo.com", "docker.io/library/foo.com", None),
        ("foo.com:5000", "docker.io/library/foo.com", Some("5000")),
        ("ubuntu:5000/x", "ubuntu:5000/x", None),
        ("a.b:80/c", "a.b:80/c", None),
        ("FOO/x", "FOO/x", None),
        ("Foo.com/x", "Foo.com/x", None),
        ("foo_bar.com/x", "foo_bar.com/x", None),
        ("[::1]:5000/x", "[::1]:5000/x", None),
        ("[::1]/x", "[::1]/x", None),
        ("registry-1.docker.io/x", "registry-1.docker.io/x", None),
        ("a__b/c--d.e", "docker.io/a__b/c--d.e", None),
        ("nginx:_x", "docker.io/library/nginx", Some("_x")),
    ] {
        assert_eq!(parts(text), Ok((name.to_owned(), tag, None)), "{text}");
    }
}

#[test]
fn reads_digests_with_and_without_a_tag() {
    for (algorithm, length) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
        let digest = format!("{algorithm}:{}", "0f".repeat(length / 2));
        let (plain, tagged) = (format!("ghcr.io/a/b@{digest}"), format!("ghcr.io/a/b:t@{digest}"));
        assert_eq!(parts(&plain), Ok(("ghcr.io/a/b".to_owned(), None, Some(digest.as_str()))));
        assert_eq!(parts(&tagged), Ok(("ghcr.io/a/b".to_owned(), Some("t"), Some(digest.as_str()))));
        assert_eq!(Image::parse(&tagged).unwrap().to_string(), tagged);
    }
}

#[test]
fn rejects_what_no_runtime_pulls() {
    let (hex, long_tag, long_path) = ("0".repeat(64), format!("nginx:{}", "t".repeat(129)), "a".repeat(248));
    for (text, error) in [
        ("", ImageError::Empty),
        (hex.as_str(), ImageError::Id),
        ("NGINX", ImageError::Uppercase),
        ("foo.com/X", ImageError::Uppercase),
        ("foo..com/x", ImageError::Registry),
        ("foo.com./x", ImageError::Registry),
        ("https://ghcr.io/a", ImageError::Registry),
        ("a:b/c", ImageError::Registry),
        ("[::g]/x", ImageError::Registry),
        ("a//b", ImageError::Repository),
        ("/a", ImageError::Repository),
        ("a/", ImageError::Repository),
        ("a___b", ImageError::Repository),
        ("a..b", ImageError::Repository),
        ("é", ImageError::Repository),
        (" nginx", ImageError::Repository),
        ("nginx\n", ImageError::Repository),
        (long_path.as_str(), ImageError::TooLong),
        ("a:", ImageError::Tag),
        ("a:b:c", ImageError::Tag),
        ("nginx:-x", ImageError::Tag),
        (long_tag.as_str(), ImageError::Tag),
        ("a@", ImageError::Digest),
        ("x@sha256:abc", ImageError::Digest),
        ("x@md5:00000000000000000000000000000000", ImageError::Digest),
    ] {
        assert_eq!(Image::parse(text), Err(error), "{text}");
    }
    assert!(Image::parse(&"a".repeat(247)).is_ok());
}

#[test]
fn takes_for_latest_what_may_change_under_the_same_name() {
    let digest = format!("@sha256:{}", "0".repeat(64));
    for (text, expected) in [("nginx", true), ("nginx:latest", true), ("nginx:1", false), ("a.b:80/c", true)] {
        assert_eq!(Image::parse(text).unwrap().is_latest(), expected, "{text}");
        assert!(!Image::parse(&format!("{text}{digest}")).unwrap().is_latest(), "{text} with a digest");
    }
}

#[test]
fn compares_names_however_they_are_written() {
    let same = |left, right| Image::parse(left).unwrap().name() == Image::parse(right).unwrap().name();
    assert!(same("nginx", "index.docker.io/library/nginx:1") && same("GHCR.io/a", "ghcr.io/a"));
    assert!(!same("nginx", "docker.io/bitnami/nginx") && !same("ghcr.io/library/nginx", "ghcr.io/nginx"));
}

#[test]
fn covers_whole_parts_of_a_name() {
    for (pattern, covered, others) in [
        (
            "docker.io",
            "nginx a/b docker.io/a/b/c index.docker.io/x",
            "ghcr.io/a docker.io.evil.com/x localhost/docker.io/x",
        ),
        ("docker.io/library", "nginx library/nginx", "a/nginx libraryevil/nginx"),
        ("docker.io/library/nginx", "nginx nginx:1", "nginx-evil library/nginxx"),
        ("index.docker.io/acme", "acme/x", "acme-evil/x"),
        (
            "ghcr.io/acme",
            "ghcr.io/acme/x GHCR.IO/acme/x/y ghcr.io/acme",
            "ghcr.io/acme-evil/x ghcr.io:443/acme/x acme/x",
        ),
        ("ghcr.io/acme/", "ghcr.io/acme/x", "ghcr.io/acme-evil/x"),
        ("ghcr.io/*/base", "ghcr.io/a/base ghcr.io/b/base/x", "ghcr.io/base ghcr.io/a/b/base ghcr.io/a/base-x"),
        (
            "*.dkr.ecr.*.amazonaws.com",
            "1.dkr.ecr.eu.amazonaws.com/x",
            "dkr.ecr.eu.amazonaws.com/x 1.2.dkr.ecr.eu.amazonaws.com/x",
        ),
        ("*.example.com:5000", "a.example.com:5000/x", "a.example.com/x a.example.com:50000/x"),
        ("*/acme", "acme/x ghcr.io/acme/x localhost:1/acme/x", "ghcr.io/x/acme"),
        ("localhost:5000", "localhost:5000/x", "localhost:50001/x localhost/x"),
    ] {
        let parsed = ImagePattern::parse(pattern).unwrap();
        for image in covered.split_whitespace() {
            assert!(parsed.covers(&Image::parse(image).unwrap()), "{pattern} covers {image}");
        }
        for image in others.split_whitespace() {
            assert!(!parsed.covers(&Image::parse(image).unwrap()), "{pattern} does not cover {image}");
        }
    }
}

#[test]
fn rejects_patterns_that_name_nothing_for_sure() {
    let message = |text| ImagePattern::parse(text).unwrap_err();
    assert_eq!(
        message("nginx"),
        "\"nginx\" names no registry: expected a host and perhaps a path, `docker.io/library/nginx` or `ghcr.io/acme`"
    );
    assert_eq!(
        message("ghcr.io/acme-*"),
        "\"ghcr.io/acme-*\" has a path that no image has: expected lower-case parts without tag or digest, `*` only for a \
         whole part"
    );
    assert_eq!(
        message("*io.example.com"),
        "\"*io.example.com\" begins with no registry: expected a host whose labels are names or `*`"
    );
    for text in ["", "acme/app", "ghcr.io/Acme", "ghcr.io/a:1", "ghcr.io//a", "https://ghcr.io", "ghcr.io:x/a", "a.b@c"]
    {
        assert!(ImagePattern::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn reads_its_own_full_form_as_the_same(text in "([a-z]{1,3}[./:_-]?){1,5}(:[a-z0-9]{1,3})?") {
        if let Ok(image) = Image::parse(&text) {
            let full = image.to_string();
            let again = Image::parse(&full).unwrap();
            prop_assert_eq!((again.name(), again.tag()), (image.name(), image.tag()));
            prop_assert_eq!(again.to_string(), full.clone());
        }
    }

    #[test]
    fn ends_on_any_text(text in "\\PC{0,40}") {
        let _ = (Image::parse(&text), ImagePattern::parse(&text));
    }
}
