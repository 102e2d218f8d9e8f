//! Whatever the patch, in the dialect of the API server's policies, applying it ends with a document or an error, and leaves the
//! first document as it was. Operations keep what they promise: what was added is found, and removed again; to move is to
//! remove and to add; one after another they do what they do together; and what the standard allows, the dialect does alike.

#![no_main]

use admittance_engine::json::server_patch::{Step, apply};
use admittance_engine::json::{Arena, Node, View, patch, read};
use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const KEYS: [&str; 8] = ["a", "b", "", "0", "~1", "m/n", "x\ny", "-"];
const TEXTS: [&str; 5] = ["", "a", "/~1", "ß", "\u{1}"];
const PARTS: [&str; 18] = [
    "a",
    "b",
    "",
    "0",
    "1",
    "-1",
    "-2",
    "+1",
    "01",
    "-",
    "~01",
    "~1",
    "m~1n",
    "~2",
    "9",
    "x\ny",
    "\u{1}",
    "99999999999999999999",
];
const OPERATIONS: [&str; 8] = ["add", "remove", "replace", "move", "copy", "test", "", "twist"];

fuzz_target!(|bytes: &[u8]| {
    let arena = Arena::with_limit(1 << 30);
    let mut input = Unstructured::new(bytes);
    let Ok((root, steps)) = case(&arena, &mut input) else { return };
    let before = text(root);
    let result = apply(&arena, root, &steps);
    assert_eq!(text(root), before, "the first document stays");
    match &result {
        Ok(result) => {
            let printed = arena.text(&text(*result));
            let again = read(&arena, printed);
            assert!(again.as_ref().is_ok_and(|again| again == result), "{printed}: {again:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if !steps.iter().any(|step| step.op == "test" || step.value.is_some_and(Node::is_null)) {
        let mut one_by_one = Ok(root);
        for step in &steps {
            one_by_one = one_by_one.and_then(|root| apply(&arena, root, &[*step]));
        }
        assert_eq!(shown(&one_by_one), shown(&result), "{steps:?}");
    }
    agrees_with_the_standard(&arena, root, &steps, &result);
    if let Ok(Some((path, value))) = place(&arena, &mut input, root) {
        adds_and_removes(&arena, root, &path, value);
    }
    moves(&arena, root, &steps);
});

type Applied<'a> = std::result::Result<Node<'a>, admittance_engine::json::server_patch::ServerPatchError>;

fn text(node: Node<'_>) -> String {
    serde_json::to_string(&node).expect("a tree is JSON")
}

fn shown(result: &Applied<'_>) -> std::result::Result<String, String> {
    result.as_ref().map(|node| text(*node)).map_err(ToString::to_string)
}

/// Where the standard has an outcome, and nothing is null, the dialect has the same.
fn agrees_with_the_standard<'a>(arena: &'a Arena, root: Node<'a>, steps: &[Step<'a>], ours: &Applied<'a>) {
    let is_plain = |step: &Step<'a>| {
        let has_value = matches!(step.op, "add" | "replace" | "test");
        matches!(step.op, "add" | "remove" | "replace" | "move" | "copy" | "test")
            && !step.path.is_empty()
            // An empty text is no place there, and the whole document in the standard.
            && !(matches!(step.op, "move" | "copy") && step.from.is_empty())
            && (has_value == step.value.is_some())
            && step.value.is_none_or(|value| !holds_null(value))
            && !step.path.contains(|letter: char| letter.is_control())
            && !step.from.contains(|letter: char| letter.is_control())
    };
    if holds_null(root) || !steps.iter().all(is_plain) {
        return;
    }
    let operations: Vec<Node<'a>> = steps
        .iter()
        .map(|step| {
            let mut entries = vec![("op", Node::string(step.op)), ("path", Node::string(step.path))];
            if matches!(step.op, "move" | "copy") {
                entries.push(("from", Node::string(step.from)));
            }
            entries.extend(step.value.map(|value| ("value", value)));
            arena.map(&entries)
        })
        .collect();
    let Ok(operations) = patch::read(arena.list(&operations)) else { return };
    if let Ok(theirs) = patch::apply(arena, root, &operations) {
        let ours = ours.as_ref().unwrap_or_else(|error| panic!("{error}: {steps:?} {}", text(root)));
        assert!(*ours == theirs, "{steps:?} {}: {} {}", text(root), text(*ours), text(theirs));
    }
}

fn holds_null(node: Node<'_>) -> bool {
    match node.view() {
        View::Null => true,
        View::List(items) => items.iter().any(|item| holds_null(*item)),
        View::Map(map) => map.entries().iter().any(|(_, value)| holds_null(*value)),
        _ => false,
    }
}

/// What is added to a free place is found there, and is gone when it is removed.
fn adds_and_removes<'a>(arena: &'a Arena, root: Node<'a>, path: &str, value: Node<'a>) {
    let path = arena.text(path);
    let step = |op| Step { op, path, from: "", value: (op != "remove").then_some(value) };
    let Ok(added) = apply(arena, root, &[step("add")]) else { return };
    let back = apply(arena, added, &[step("remove")]).expect("what is there can be removed");
    assert!(back == root, "{path}: {} {}", text(back), text(root));
    let replaced = apply(arena, added, &[step("replace")]).expect("what is there can be replaced");
    assert!(replaced == added, "{path}: {}", text(replaced));
    if !holds_null(value) && !holds_large(value) {
        let tested = apply(arena, added, &[step("test"), step("remove")]).expect("what was added is found");
        assert!(tested == root, "{path}: {}", text(tested));
    }
}

/// A number that the library compares as text, and writes otherwise than it was given.
fn holds_large(node: Node<'_>) -> bool {
    match node.view() {
        View::Int(value) => value.unsigned_abs() > 1 << 53,
        View::UInt(value) => value > 1 << 53,
        View::Float(_) => true,
        View::List(items) => items.iter().any(|item| holds_large(*item)),
        View::Map(map) => map.entries().iter().any(|(_, value)| holds_large(*value)),
        _ => false,
    }
}

/// A place that is free: a new key of a map, or any place in a list. And a value for it.
fn place<'a>(arena: &'a Arena, input: &mut Unstructured<'_>, root: Node<'a>) -> Result<Option<(String, Node<'a>)>> {
    let (mut path, mut node) = (String::new(), root);
    loop {
        let goes_down = more(input, 2, 3)?;
        match node.view() {
            View::Map(map) if !map.is_empty() && goes_down => {
                let (key, value) = input.choose(map.entries())?;
                path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                node = *value;
            }
            View::List(items) if !items.is_empty() && goes_down => {
                let index = input.int_in_range(0..=items.len() - 1)?;
                path = format!("{path}/{index}");
                node = items[index];
            }
            View::Map(map) => {
                let key = *input.choose(&KEYS)?;
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                return Ok(if map.get(key).is_some() { None } else { Some((path, build(arena, input, 2)?)) });
            }
            View::List(items) => {
                let path = format!("{path}/{}", input.int_in_range(0..=items.len())?);
                return Ok(Some((path, build(arena, input, 2)?)));
            }
            _ => return Ok(None),
        }
    }
}

/// To move is to remove and to add.
fn moves<'a>(arena: &'a Arena, root: Node<'a>, steps: &[Step<'a>]) {
    for step in steps.iter().filter(|step| step.op == "move") {
        let nothing = Step { op: "copy", path: "/new key", from: step.from, value: None };
        let Ok(Some(value)) = apply(arena, root, &[nothing]).map(|copied| copied.get("new key")) else { continue };
        if value.is_null() || root.get("new key").is_some() {
            continue;
        }
        let remove = Step { op: "remove", path: step.from, from: "", value: None };
        let add = Step { op: "add", path: step.path, from: "", value: Some(value) };
        let (together, apart) = (apply(arena, root, &[*step]), apply(arena, root, &[remove, add]));
        assert_eq!(together.is_ok(), apart.is_ok(), "{step:?} {together:?} {apart:?}");
        if let (Ok(together), Ok(apart)) = (together, apart) {
            assert!(together == apart, "{step:?} {} {}", text(together), text(apart));
        }
    }
}

fn case<'a>(arena: &'a Arena, input: &mut Unstructured<'_>) -> Result<(Node<'a>, Vec<Step<'a>>)> {
    let root = build(arena, input, 0)?;
    let mut steps = vec![];
    while steps.len() < 8 && more(input, 4, 5)? {
        let op = *input.choose(&OPERATIONS)?;
        let (path, from) = (pointer(arena, input)?, if input.ratio(1, 3)? { pointer(arena, input)? } else { "" });
        let value = if input.ratio(2, 3)? { Some(build(arena, input, 2)?) } else { None };
        steps.push(Step { op, path, from, value });
    }
    Ok((root, steps))
}

fn pointer<'a>(arena: &'a Arena, input: &mut Unstructured<'_>) -> Result<&'a str> {
    if input.ratio(1, 16)? {
        return Ok(arena.text(input.arbitrary()?));
    }
    let mut path = String::from(if input.ratio(1, 16)? { "x" } else { "" });
    for _ in 0..input.int_in_range(0..=4)? {
        path = format!("{path}/{}", input.choose(&PARTS)?);
    }
    Ok(arena.text(&path))
}

fn build<'a>(arena: &'a Arena, input: &mut Unstructured<'_>, depth: usize) -> Result<Node<'a>> {
    let forms = match depth {
        0 => 7..=9,
        1..5 => 0..=9,
        _ => 0..=5,
    };
    Ok(match input.int_in_range(forms)? {
        0 => Node::NULL,
        1 => Node::bool(input.arbitrary()?),
        2 => Node::int(input.int_in_range(-1..=3)?),
        3 => Node::uint(input.arbitrary()?),
        4 => Node::float(f64::from(input.int_in_range(-4i8..=4)?) / 2.0),
        5 => Node::string(input.choose(&TEXTS)?),
        6 | 7 => {
            let mut items = vec![];
            while items.len() < 8 && more(input, 2, 3)? {
                items.push(build(arena, input, depth + 1)?);
            }
            arena.list(&items)
        }
        _ => {
            let mut entries: Vec<(&str, Node<'_>)> = vec![];
            while entries.len() < KEYS.len() && more(input, 2, 3)? {
                let key = *input.choose(&KEYS)?;
                if entries.iter().all(|entry| entry.0 != key) {
                    entries.push((key, build(arena, input, depth + 1)?));
                }
            }
            arena.map(&entries)
        }
    })
}

/// An input that is used up would say yes for ever.
fn more(input: &mut Unstructured<'_>, in_so_many: u8, of: u8) -> Result<bool> {
    Ok(!input.is_empty() && input.ratio(in_so_many, of)?)
}
