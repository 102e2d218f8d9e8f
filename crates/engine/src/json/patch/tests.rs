use super::*;
use crate::corpora;
use crate::json;

fn arena() -> Arena {
    Arena::with_limit(1 << 26)
}

fn patched(doc: &str, patch: &str) -> Result<String, String> {
    let arena = arena();
    let (doc, patch) = (json::read(&arena, doc).unwrap(), json::read(&arena, patch).unwrap());
    let operations = read(patch).map_err(|error| error.to_string())?;
    let root = apply(&arena, doc, &operations).map_err(|error| error.to_string())?;
    Ok(serde_json::to_string(&root).unwrap())
}

#[test]
fn passes_the_cases_of_the_json_patch_working_group() {
    let (mut passed, mut disabled, lines) = (0, 0, corpora::lines("json-patch.jsonl", 112));
    for line in &lines {
        let arena = arena();
        let case = json::read(&arena, line).unwrap();
        if case.get("disabled").and_then(Node::as_bool) == Some(true) {
            disabled += 1;
            continue;
        }
        let (doc, patch) = (case.get("doc").unwrap(), case.get("patch").unwrap());
        let outcome = read(patch).and_then(|operations| apply(&arena, doc, &operations));
        match (case.get("error"), case.get("expected"), &outcome) {
            (Some(_), _, Err(_)) | (None, None, Ok(_)) => {}
            (None, Some(expected), Ok(root)) if *root == expected => {}
            _ => panic!("{line}\n{outcome:?}"),
        }
        passed += 1;
    }
    println!("json-patch.jsonl: {passed} of {} ({disabled} disabled by their authors)", lines.len());
}

#[test]
fn rejects_what_is_no_patch() {
    for (patch, expected) in [
        ("{}", "the patch is a map, not a list of operations"),
        (r#"["x"]"#, "operation 0 is a string, not a map"),
        (r#"[{"op":"remove","path":"/a"},{"path":""}]"#, r#"operation 1 has no "op""#),
        (r#"[{"op":1}]"#, r#"operation 0 has a number as "op", not a string"#),
        (
            r#"[{"op":"put","path":""}]"#,
            r#"operation 0 has the unknown op "put": use add, remove, replace, move, copy or test"#,
        ),
        (r#"[{"op":"remove"}]"#, r#"operation 0 has no "path""#),
        (r#"[{"op":"add","path":"/a"}]"#, r#"operation 0 has no "value""#),
        (r#"[{"op":"copy","path":"/a"}]"#, r#"operation 0 has no "from""#),
        (
            r#"[{"op":"remove","path":"a"}]"#,
            r#"operation 0 has the path "a", which is no JSON pointer: it is empty or starts with /, and ~ is written ~0"#,
        ),
        (
            r#"[{"op":"remove","path":"/~2"}]"#,
            r#"operation 0 has the path "/~2", which is no JSON pointer: it is empty or starts with /, and ~ is written ~0"#,
        ),
    ] {
        assert_eq!(patched(r#"{"a":1}"#, patch).unwrap_err(), expected, "{patch}");
    }
}

#[test]
fn rejects_what_cannot_be_done() {
    let doc = r#"{"a":{"b":[1,2],"s":"secret"},"~/":0}"#;
    for (patch, expected) in [
        (r#"{"op":"remove","path":"/x"}"#, r#"needs "/x", which does not exist"#),
        (r#"{"op":"replace","path":"/a/x","value":1}"#, r#"needs "/a/x", which does not exist"#),
        (r#"{"op":"add","path":"/x/y/z","value":1}"#, r#"needs "/x", which does not exist"#),
        (r#"{"op":"add","path":"/a/b/3","value":1}"#, r#"needs "/a/b/3", which is no position in that list"#),
        (r#"{"op":"add","path":"/a/b/01","value":1}"#, r#"needs "/a/b/01", which is no position in that list"#),
        (r#"{"op":"replace","path":"/a/b/2","value":1}"#, r#"needs "/a/b/2", which does not exist"#),
        (r#"{"op":"remove","path":"/a/b/-"}"#, r#"needs "/a/b/-", which does not exist"#),
        (r#"{"op":"test","path":"/a/b/-","value":1}"#, r#"needs "/a/b/-", which is no position in that list"#),
        (r#"{"op":"add","path":"/a/b/c","value":1}"#, r#"needs "/a/b/c", which is no position in that list"#),
        (
            r#"{"op":"add","path":"/a/s/t/u","value":1}"#,
            r#"leads through "/a/s", which is a string, not a map or a list"#,
        ),
        (
            r#"{"op":"add","path":"/a/s/t","value":1}"#,
            r#"leads through "/a/s", which is a string, not a map or a list"#,
        ),
        (r#"{"op":"remove","path":""}"#, "cannot remove the root: replace it"),
        (r#"{"op":"move","from":"/a","path":"/a/b"}"#, r#"moves "/a" into itself"#),
        (r#"{"op":"move","from":"","path":"/c"}"#, r#"moves "" into itself"#),
        (r#"{"op":"test","path":"/a/s","value":"x"}"#, r#"found another value than it tests for at "/a/s""#),
    ] {
        let error = patched(doc, &format!("[{patch}]")).unwrap_err();
        assert_eq!(error, format!("operation 0 {expected}"), "{patch}");
    }
    let second = r#"[{"op":"add","path":"/n","value":1},{"op":"remove","path":"/m"}]"#;
    assert_eq!(patched(doc, second).unwrap_err(), r#"operation 1 needs "/m", which does not exist"#);
}

#[test]
fn applies_operations_one_after_the_other() {
    for (doc, patch, expected) in [
        (r#"{"~/":0}"#, r#"[{"op":"replace","path":"/~0~1","value":1}]"#, r#"{"~/":1}"#),
        (r#"{"~1":0}"#, r#"[{"op":"remove","path":"/~01"}]"#, "{}"),
        (r#"{"":{"":0}}"#, r#"[{"op":"replace","path":"//","value":null}]"#, r#"{"":{"":null}}"#),
        ("[1,2,3]", r#"[{"op":"move","from":"/0","path":"/2"}]"#, "[2,3,1]"),
        ("[1,2,3]", r#"[{"op":"move","from":"/2","path":"/-"}]"#, "[1,2,3]"),
        (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/a"}]"#, r#"{"a":1}"#),
        (r#"{"a":1,"ab":2}"#, r#"[{"op":"move","from":"/a","path":"/ab"}]"#, r#"{"ab":1}"#),
        (r#"{"a":1}"#, r#"[{"op":"copy","from":"","path":"/b"}]"#, r#"{"a":1,"b":{"a":1}}"#),
        (r#"{"a":1}"#, r#"[{"op":"replace","path":"","value":3},{"op":"test","path":"","value":3.0}]"#, "3"),
        (r#"{"a":[{"b":1}]}"#, r#"[{"op":"add","path":"/a/0/c","value":2}]"#, r#"{"a":[{"b":1,"c":2}]}"#),
    ] {
        assert_eq!(patched(doc, patch).as_deref(), Ok(expected), "{patch}");
    }
}

#[test]
fn shares_what_it_does_not_touch_and_leaves_the_old_root() {
    let arena = arena();
    let text = r#"{"a":{"x":[1]},"b":{"y":[2]}}"#;
    let old = json::read(&arena, text).unwrap();
    let patch = [Operation::Add { path: "/b/z".into(), value: Node::int(3) }];
    let new = apply(&arena, old, &patch).unwrap();
    assert!(new.get("a").unwrap().is_same(old.get("a").unwrap()));
    assert!(new.at(&["b", "y"]).unwrap().is_same(old.at(&["b", "y"]).unwrap()));
    assert_eq!(serde_json::to_string(&old).unwrap(), text);
}

#[test]
fn prints_what_it_read() {
    let text = r#"[{"op":"add","path":"/a~1b","value":null},{"op":"remove","path":"/c"},{"op":"replace","path":"","value":{}},{"op":"move","from":"/d","path":"/e"},{"op":"copy","from":"/f","path":"/g"},{"op":"test","path":"/h","value":0.5}]"#;
    let arena = arena();
    let operations = read(json::read(&arena, text).unwrap()).unwrap();
    assert_eq!(serde_json::to_string(&operations).unwrap(), text);
}

#[test]
fn rejects_patches_that_make_bombs() {
    let copies = |from: &str, path: &str, count: usize| {
        let one = format!(r#"{{"op":"copy","from":"{from}","path":"{path}"}}"#);
        format!("[{}]", vec![one; count].join(","))
    };
    let error = patched(r#"{"a":[0]}"#, &copies("", "/a/-", 100)).unwrap_err();
    assert_eq!(error, "operation 20 exceeds the 4194304 values that a patch may place");
    let error = patched(r#"{"a":1}"#, &copies("", "/b", 2_000)).unwrap_err();
    assert_eq!(error, "operation 999 makes an object of more than 1000 levels");
}
