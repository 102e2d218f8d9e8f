use super::*;
use crate::json::read;

const POD: &str = r#"{"metadata":{"name":"a","labels":{"app":"web"},"annotations":null},"spec":{"containers":[{"name":"web","image":"nginx"},{"name":"log","image":"fluent"}],"volumes":[{"name":"tmp"}],"hostNetwork":true}}"#;

const CONTAINERS: [Segment<'_>; 2] = [Segment::Key("spec"), Segment::Key("containers")];

fn arena() -> Arena {
    Arena::with_limit(1 << 20)
}

fn text(node: Node<'_>) -> String {
    serde_json::to_string(&node).unwrap()
}

fn item(index: usize) -> [Segment<'static>; 3] {
    [CONTAINERS[0], CONTAINERS[1], Segment::at(index)]
}

#[test]
fn creates_absent_and_null_parents() {
    let arena = arena();
    let pod = read(&arena, POD).unwrap();
    let pod = set(&arena, pod, &["metadata", "annotations", "example.com/a~b"], Node::string("x")).unwrap();
    let pod = set(&arena, pod, &["status", "deep", "er"], Node::int(1)).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text(pod)).unwrap();
    assert_eq!(parsed["metadata"]["annotations"], serde_json::json!({"example.com/a~b": "x"}));
    assert_eq!(parsed["status"], serde_json::json!({"deep": {"er": 1}}));
    assert_eq!(text(set(&arena, Node::NULL, &["a"], Node::bool(true)).unwrap()), r#"{"a":true}"#);
}

#[test]
fn shares_what_it_does_not_touch() {
    let arena = arena();
    let old = read(&arena, POD).unwrap();
    let new = set(&arena, old, &["metadata", "labels", "team"], Node::string("blue")).unwrap();
    assert!(!new.is_same(old));
    assert!(new.get("spec").unwrap().is_same(old.get("spec").unwrap()));
    assert!(new.at(&["metadata", "name"]).unwrap().is_same(old.at(&["metadata", "name"]).unwrap()));

    let image = [item(1).as_slice(), &[Segment::Key("image")]].concat();
    let new = set(&arena, old, &image, Node::string("vector")).unwrap();
    let (old_items, new_items) = (old.at(&["spec", "containers"]).unwrap(), new.at(&["spec", "containers"]).unwrap());
    assert!(new_items.items()[0].is_same(old_items.items()[0]) && !new_items.items()[1].is_same(old_items.items()[1]));
    assert!(new.at(&["spec", "volumes"]).unwrap().is_same(old.at(&["spec", "volumes"]).unwrap()));
    assert_eq!(text(old), POD);
}

#[test]
fn returns_the_same_root_when_nothing_changes() {
    let arena = arena();
    let root = read(&arena, r#"{"a":{"b":[1,0.5,{"c":"x"}]}}"#).unwrap();
    let equal = read(&arena, r#"[1.0,5e-1,{"c":"x"}]"#).unwrap();
    let same = [
        set(&arena, root, &["a", "b"], equal).unwrap(),
        set_default(&arena, root, &["a"], Node::int(1)).unwrap(),
        update(&arena, root, &["a", "b"], Ok).unwrap(),
        update(&arena, root, &["x", "y", "z"], Ok).unwrap(),
        update(&arena, root, &["a", "b"], |list| map_items(&arena, list, |_, item| Ok(item))).unwrap(),
        remove(&arena, root, &["a", "c"]),
        remove(&arena, root, &["x", "y"]),
        remove(&arena, root, &[Segment::Key("a"), Segment::Key("b"), Segment::at(3)]),
        remove(&arena, root, &[Segment::Key("a"), Segment::at(0)]),
        remove(&arena, root, &["a", "b", "c", "d"]),
    ];
    for (case, node) in same.into_iter().enumerate() {
        assert!(node.is_same(root), "case {case}");
    }
}

#[test]
fn sets_inserts_appends_and_removes_items() {
    let arena = arena();
    let root = read(&arena, r#"{"l":[1,2,3]}"#).unwrap();
    let nine = Node::int(9);
    let at = |index| [Segment::Key("l"), Segment::at(index)];
    assert_eq!(text(set(&arena, root, &at(2), nine).unwrap()), r#"{"l":[1,2,9]}"#);
    assert_eq!(text(insert(&arena, root, &["l"], 0, nine).unwrap()), r#"{"l":[9,1,2,3]}"#);
    assert_eq!(text(insert(&arena, root, &["l"], 2, nine).unwrap()), r#"{"l":[1,2,9,3]}"#);
    assert_eq!(text(insert(&arena, root, &["l"], 3, nine).unwrap()), r#"{"l":[1,2,3,9]}"#);
    assert_eq!(text(append(&arena, root, &["l"], nine).unwrap()), r#"{"l":[1,2,3,9]}"#);
    assert_eq!(text(append(&arena, root, &["m", "n"], nine).unwrap()), r#"{"l":[1,2,3],"m":{"n":[9]}}"#);
    assert_eq!(text(insert(&arena, root, &["m"], 0, nine).unwrap()), r#"{"l":[1,2,3],"m":[9]}"#);
    assert_eq!(text(remove(&arena, root, &at(0))), r#"{"l":[2,3]}"#);
    assert_eq!(text(remove(&arena, root, &at(2))), r#"{"l":[1,2]}"#);
    assert_eq!(text(remove(&arena, root, &["l"])), "{}");
}

#[test]
fn keeps_null_and_absent_apart() {
    let arena = arena();
    let root = read(&arena, r#"{"a":null}"#).unwrap();
    assert_eq!(text(set(&arena, root, &["b"], Node::NULL).unwrap()), r#"{"a":null,"b":null}"#);
    assert_eq!(text(remove(&arena, root, &["a"])), "{}");
    assert_eq!(text(set_default(&arena, root, &["a"], Node::int(1)).unwrap()), r#"{"a":1}"#);
    let filled = update(&arena, root, &["b", "c"], |_| Ok(Node::int(1))).unwrap();
    assert_eq!(text(filled), r#"{"a":null,"b":{"c":1}}"#);
}

#[test]
fn edits_maps_that_carry_an_index() {
    let arena = arena();
    let mut root = Node::NULL;
    for count in 0..40i64 {
        root = set(&arena, root, &[format!("k{count}").as_str()], Node::int(count)).unwrap();
    }
    let root = set(&arena, root, &["k3"], Node::int(33)).unwrap();
    let root = remove(&arena, root, &["k20"]);
    assert_eq!(root.as_map().unwrap().len(), 39);
    for count in 0..40i64 {
        let expected = [(3, Some(33)), (20, None)].into_iter().find(|known| known.0 == count);
        let expected = expected.map_or(Some(count), |known| known.1);
        assert_eq!(root.get(&format!("k{count}")).and_then(Node::as_i64), expected);
    }
}

#[test]
fn copies_a_list_once_however_many_items_change() {
    let arena = Arena::with_limit(1 << 30);
    let long = format!("[{}0]", "0,".repeat(99_999));
    let list = read(&arena, &long).unwrap();
    let before = arena.used();
    let new = map_items(&arena, list, |index, _| Ok(Node::int(i64::try_from(index).unwrap()))).unwrap();
    assert_eq!(new.items()[99_999].as_i64(), Some(99_999));
    // 100,000 nodes of 24 bytes; bumpalo's chunks at most double.
    assert!(arena.used() - before < 3 * 2_400_000, "{}", arena.used() - before);
}

#[test]
fn rejects_walking_through_what_has_no_such_part() {
    let arena = arena();
    let pod = read(&arena, POD).unwrap();
    let one = Node::int(1);
    let error = |edited: Edited<'_>| edited.unwrap_err().to_string();
    assert_eq!(
        error(set(&arena, pod, &["spec", "hostNetwork", "x"], one)),
        r#""spec.hostNetwork" is a boolean, not a map"#
    );
    assert_eq!(error(set(&arena, pod, &["spec", "containers", "x"], one)), r#""spec.containers" is a list, not a map"#);
    assert_eq!(error(set(&arena, pod, &item(2), one)), r#""spec.containers" has 2 items, none at position 2"#);
    assert_eq!(
        error(set(&arena, pod, &[Segment::Key("spec"), Segment::Key("volumes"), Segment::at(7)], one)),
        r#""spec.volumes" has 1 item, none at position 7"#
    );
    assert_eq!(error(set(&arena, pod, &[Segment::Key("x"), Segment::at(0)], one)), r#""x" is null, not a list"#);
    assert_eq!(error(append(&arena, pod, &["metadata", "name"], one)), r#""metadata.name" is a string, not a list"#);
    assert_eq!(
        error(insert(&arena, pod, &["spec", "containers"], 3, one)),
        r#""spec.containers" has 2 items, none at position 3"#
    );
    assert_eq!(error(set(&arena, one, &["a"], one)), "the object is a number, not a map");
    assert_eq!(
        error(set(&arena, pod, &["metadata", "labels", "app", "a.b/c"], one)),
        r#""metadata.labels.app" is a string, not a map"#
    );
}

#[test]
fn names_the_place_from_the_root_in_an_error_of_an_inner_edit() {
    let arena = arena();
    let pod = read(&arena, POD).unwrap();
    let edited = update(&arena, pod, &["spec", "containers"], |list| {
        map_items(&arena, list, |index, container| {
            let path: &[&str] = if index == 1 { &["image", "tag"] } else { &["tag"] };
            set(&arena, container, path, Node::string("x"))
        })
    });
    assert_eq!(edited.unwrap_err().to_string(), r#""spec.containers[1].image" is a string, not a map"#);
}

#[test]
fn edits_inside_a_part_that_was_left_unparsed() {
    let arena = arena();
    let root = read(&arena, r#"{"metadata":{"managedFields":[{"manager":"a"}]}}"#).unwrap();
    let path = [Segment::Key("metadata"), Segment::Key("managedFields"), Segment::at(0), Segment::Key("manager")];
    assert!(set(&arena, root, &path, Node::string("a")).unwrap().is_same(root));
    let new = set(&arena, root, &path, Node::string("b")).unwrap();
    assert_eq!(text(new), r#"{"metadata":{"managedFields":[{"manager":"b"}]}}"#);
}
