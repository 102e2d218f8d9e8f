//! Names before and after, and tables that are refused.

use super::*;

fn module(rows: &[(&str, &str)]) -> Result<ReplaceRegistry, Vec<(String, String)>> {
    let row = |&(from, to): &(&str, &str)| MirrorRow { from: from.to_owned(), to: to.to_owned() };
    ReplaceRegistry::new(Settings { mirrors: rows.iter().map(row).collect() })
        .map_err(|errors| errors.into_iter().map(|error| (error.pointer, error.message)).collect())
}

#[test]
fn takes_the_longest_row_and_keeps_tag_and_digest() {
    let module = module(&[
        ("docker.io", "r.example.com/hub"),
        ("docker.io/library", "r.example.com/official"),
        ("localhost:5000/a/b", "r.example.com:8443"),
    ])
    .unwrap();
    let digest = format!("nginx:1@sha256:{}", "0".repeat(64));
    let pinned = format!("r.example.com/official/{digest}");
    for (image, expected) in [
        ("nginx", Some("r.example.com/official/nginx")),
        (&digest, Some(&pinned)),
        ("index.docker.io/acme/web:2", Some("r.example.com/hub/acme/web:2")),
        ("localhost:5000/a/b/c:1", Some("r.example.com:8443/c:1")),
        ("localhost:5000/a/bc:1", None),
        ("quay.io/nginx", None),
    ] {
        assert_eq!(module.rewritten(&Image::parse(image).unwrap()).as_deref(), expected, "{image}");
    }
    let long = format!("acme/{}", "a".repeat(249));
    assert_eq!(module.rewritten(&Image::parse(&long).unwrap()), None);
    // The whole name of one image leaves nothing after the host.
    assert_eq!(module.rewritten(&Image::parse("localhost:5000/a/b").unwrap()), None);
}

#[test]
fn rejects_tables_that_have_no_end() {
    let chain = |position: usize, to: &str, from: &str| {
        let message = format!("what is sent to \"{to}\" would be sent on from \"{from}\": expected another place");
        (format!("/mirrors/{position}/to"), message)
    };
    assert_eq!(
        module(&[("docker.io", "r.example.com/hub"), ("r.example.com", "s.example.com")]).unwrap_err(),
        [chain(0, "r.example.com/hub", "r.example.com")]
    );
    assert_eq!(
        module(&[("r.example.com/old", "r.example.com")]).unwrap_err(),
        [chain(0, "r.example.com", "r.example.com/old")]
    );
    assert_eq!(module(&[("ghcr.io", "ghcr.io")]).unwrap_err(), [chain(0, "ghcr.io", "ghcr.io")]);
}

#[test]
fn rejects_rows_that_name_no_place() {
    let expected = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
    assert_eq!(
        module(&[]).unwrap_err(),
        [expected(
            "/mirrors",
            "there is no mirror: expected at least one, such as {from: docker.io, to: registry.example.com/hub}"
        )]
    );
    assert_eq!(
        module(&[("docker.io", "hub"), ("ghcr.io/*", "r.example.com"), ("quay.io", "a.b"), ("quay.io/", "c.d")])
            .unwrap_err(),
        [
            expected(
                "/mirrors/0/to",
                "\"hub\" names no registry: expected a host and perhaps a path, `docker.io/library/nginx` or `ghcr.io/acme`"
            ),
            expected("/mirrors/1/from", "\"ghcr.io/*\" names several places: expected one, without `*`"),
            expected("/mirrors/3/from", "\"quay.io/\" is sent somewhere already: leave one of the two")
        ]
    );
}
