//! Input made to hurt: answered or turned away, without a panic, in bounded memory.

use std::time::Instant;

use super::{Kind, POLICIES, front, pod, review, server};

/// The most that the server may come to hold, in KiB. The bodies here are of up to 24 MiB, and two are under way at once.
const BOUND: u64 = 400 << 10;

#[tokio::test]
async fn stays_within_bounds_whatever_is_sent() {
    const MIB: usize = 1 << 20;
    let (server, _folder) = server(POLICIES, &[]);
    let uid = "u";
    let within = |field: &str| {
        format!(r#"{{"metadata":{{"name":"web"}},"spec":{{{field},"containers":[{{"image":"nginx"}}]}}}}"#)
    };
    let of = |text: &str, bytes: usize| text.repeat(bytes / text.len());
    let object = |field: &str| review(uid, Kind::Pod, &within(field)).into_bytes();
    let list = |item: &str, bytes: usize| object(&format!(r#""x":[{}{item}]"#, of(&format!("{item},"), bytes)));
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!(r#""k{n}":0"#)).collect();
        object(&format!(r#""x":{{{}}}"#, keys.join(",")))
    };
    let containers = |count: usize| {
        let container = r#"{"name":"web","image":"nginx"}"#;
        let all = vec![container; count].join(",");
        review(uid, Kind::Pod, &format!(r#"{{"metadata":{{"name":"web"}},"spec":{{"containers":[{all}]}}}}"#))
            .into_bytes()
    };
    let managed = object(&format!(r#""managedFields":{}{}"#, "[".repeat(100_000), "]".repeat(100_000)));
    let table: Vec<(&str, Vec<u8>, &[u64])> = vec![
        ("18 MiB of one string", object(&format!(r#""x":"{}""#, of("x", 18 * MIB))), &[403]),
        ("18 MiB of escapes", object(&format!(r#""x":"{}""#, of("\\u003c", 18 * MIB))), &[403]),
        ("3 MiB of empty lists", list("[]", 3 * MIB), &[403, 500]),
        ("3 MiB of empty maps", list("{}", 3 * MIB), &[403, 500]),
        ("3 MiB of numbers", list("0", 3 * MIB), &[403, 500]),
        ("3 MiB of small maps", list(r#"{"a":0}"#, 3 * MIB), &[403, 500]),
        ("3 MiB of long numbers", list("12345678901234567890123456789", 3 * MIB), &[403, 500]),
        ("300,000 keys in one map", keys(300_000), &[403, 500]),
        ("30,000 containers", containers(30_000), &[403, 500]),
        ("100,000 nested lists", object(&format!(r#""x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000))), &[500]),
        (
            "100,000 nested maps",
            object(&format!(r#""x":{}0{}"#, r#"{"a":"#.repeat(100_000), "}".repeat(100_000))),
            &[500],
        ),
        ("1,000,000 lists that never end", object(&format!(r#""x":{}"#, "[".repeat(1_000_000))), &[400]),
        ("managedFields 100,000 deep", managed, &[403, 500]),
        (
            "500,000 groups of a user",
            format!(
                r#"{},"userInfo":{{"groups":[{}"g"]}},"operation":"CREATE"}}}}"#,
                front(uid),
                of(r#""g","#, 2_000_000)
            )
            .into_bytes(),
            &[0],
        ),
        (
            "3 MiB of unknown fields",
            format!("{},{}\"operation\":\"CREATE\"}}}}", front(uid), of(r#""x":[[]],"#, 3 * MIB)).into_bytes(),
            &[0],
        ),
        ("a uid of 1 MiB", review(&of("u", MIB), Kind::Pod, &pod("nginx")).into_bytes(), &[403]),
        (
            "19 MiB of spaces",
            [of(" ", 19 * MIB).as_bytes(), review(uid, Kind::Pod, &pod("nginx")).as_bytes()].concat(),
            &[403],
        ),
        ("24 MiB", [front(uid).as_bytes(), &vec![b' '; 24 * MIB]].concat(), &[413]),
        ("18 MiB of zero bytes", [front(uid).as_bytes(), &vec![0; 18 * MIB]].concat(), &[400]),
        ("18 MiB that are not UTF-8", [front(uid).as_bytes(), &vec![0xff; 18 * MIB]].concat(), &[400]),
        ("a key 100,000 times", object(&format!(r#""x":{{{}"a":0}}"#, of(r#""a":0,"#, 600_000))), &[500]),
    ];
    let at_rest = server.memory("VmRSS");
    println!("{:32} {:>10} {:>5} {:>9} {:>10} {:>10}", "input", "bytes", "code", "ms", "RSS KiB", "after KiB");
    for (what, body, codes) in &table {
        let before = server.memory("VmRSS");
        let begun = Instant::now();
        let expected = if what.starts_with("a uid") { "u".repeat(MIB) } else { uid.to_owned() };
        // Both routes at once.
        let ask = async |path: &str| server.client().await.review(path, body.clone()).await.response(&expected);
        let (mutated, validated) = tokio::join!(ask("/mutate?timeout=30s"), ask("/validate?timeout=30s"));
        let elapsed = begun.elapsed().as_millis();
        let code = validated["status"]["code"].as_u64().unwrap_or_default();
        println!("{what:32} {:>10} {code:>5} {elapsed:>9} {before:>10} {:>10}", body.len(), server.memory("VmRSS"));
        assert!(codes.contains(&code), "{what}: {}", &validated.to_string()[..validated.to_string().len().min(600)]);
        assert!(!validated.to_string().contains("panicked") && !mutated.to_string().contains("panicked"), "{what}");
        // Whatever came before, the next request is judged.
        let next = server.client().await.review("/validate", review("n", Kind::Pod, &pod("nginx:1.27"))).await;
        assert_eq!(next.response("n")["allowed"], true, "{what}");
    }
    let (most, after) = (server.memory("VmHWM"), server.memory("VmRSS"));
    println!("RSS at rest {at_rest} KiB, at the most {most} KiB, after all {after} KiB");
    assert!(most < BOUND, "{most} KiB");
    assert!(!server.log().iter().any(|line| line.contains("panic")), "the server panicked");
}
