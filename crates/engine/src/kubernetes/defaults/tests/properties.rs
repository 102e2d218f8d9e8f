//! What must hold on any JSON.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::kubernetes::defaults::table::{Field, Inner, Scalar, Shape, Table, TypeId};
use crate::kubernetes::quantity::Quantity;

/// One change of a document: which of its places, and what is done there.
#[derive(Clone, Debug)]
enum Change {
    Put(usize, Value),
    Remove(usize),
    /// Puts what stands at the second place.
    Copy(usize, usize),
}

fn any_json() -> impl Strategy<Value = Value> {
    let word =
        prop::sample::select(vec!["", "a", "Always", "nginx:latest", "RollingUpdate", "ClientIP", "1500u", "1e3"]);
    let key = prop::sample::select(vec![
        "spec",
        "metadata",
        "containers",
        "ip",
        "limits",
        "requests",
        "cpu",
        "managedFields",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5..40i64).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<usize>(), any_json()).prop_map(|(place, value)| Change::Put(place, value)),
        2 => any::<usize>().prop_map(Change::Remove),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(place, from)| Change::Copy(place, from)),
    ]
}

/// The places of a document, as JSON pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{here}/{n}"), found));
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            places(item, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        _ => {}
    }
}

fn changed(mut document: Value, changes: &[Change]) -> Value {
    for change in changes {
        let mut found = vec![];
        places(&document, "", &mut found);
        let at = |n: usize| &found[n % found.len()];
        let (place, value) = match change {
            Change::Put(place, value) => (at(*place), value.clone()),
            Change::Copy(place, from) => (at(*place), document.pointer(at(*from)).cloned().unwrap_or_default()),
            Change::Remove(place) => {
                let Some((holder, key)) = at(*place).rsplit_once('/') else { continue };
                match document.pointer_mut(holder) {
                    Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
                    Some(Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
                    _ => {}
                }
                continue;
            }
        };
        if let Some(place) = document.pointer_mut(place) {
            *place = value;
        }
    }
    document
}

/// A manifest of a known kind, with anything in it.
fn manifest() -> impl Strategy<Value = Value> {
    let inputs: Vec<Value> =
        fixtures().into_iter().map(|(_, input, _)| serde_json::from_str(&input).unwrap()).collect();
    (prop::sample::select(inputs), prop::collection::vec(change(), 0..6)).prop_map(|(input, changes)| {
        let mut made = changed(input.clone(), &changes);
        // It stays of its kind: what else it may be is tried by itself.
        if let Value::Object(map) = &mut made {
            ["apiVersion", "kind"].into_iter().for_each(|key| drop(map.insert(key.to_owned(), input[key].clone())));
        }
        made
    })
}

/// Fields that a rule may set over what the user wrote, or take away.
fn is_ruled(path: &str) -> bool {
    let ends = [
        "spec.serviceAccount",
        "spec.sessionAffinityConfig",
        "spec.terminationGracePeriodSeconds",
        "podIPs",
        "targetPort",
        "rollback.to",
        "init-containers",
        "init-container-statuses",
    ];
    ends.iter().any(|end| path.ends_with(end)) || path.contains("volumeClaimTemplates[")
}

/// Walks down what the user wrote, and collects what was lost of it.
struct Keeping<'t> {
    table: &'t Table,
    lost: Vec<String>,
}

impl Keeping<'_> {
    fn object(&mut self, id: TypeId, path: &str, given: Node<'_>, got: Node<'_>) {
        for (key, value) in given.entries() {
            let path = format!("{path}.{key}");
            match self.table.get(id).unwrap().field(key) {
                None if got.get(key).is_some() => self.lost.push(format!("{path} is no field and was kept")),
                Some(field) if !value.is_null() && !is_ruled(&path) => self.field(field, &path, *value, got.get(key)),
                _ => {}
            }
        }
    }

    fn field(&mut self, field: &Field, path: &str, given: Node<'_>, got: Option<Node<'_>>) {
        // Zero says no more than nothing does where the field is not optional: a default may take its place.
        if field.is_zero(given) {
            return;
        }
        let Some(got) = got else {
            // A map that holds nothing but annotations which no longer mean anything goes with them.
            if !path.ends_with("metadata.annotations") {
                self.lost.push(format!("{path} is gone"));
            }
            return;
        };
        match field.shape {
            Shape::One(inner) => self.value(inner, path, given, got),
            Shape::List(inner) if given.as_list().is_some() => {
                if given.items().len() != got.items().len() {
                    self.lost.push(format!("{path} has another length"));
                }
                for (n, (given, got)) in given.items().iter().zip(got.items()).enumerate() {
                    self.value(inner, &format!("{path}[{n}]"), *given, *got);
                }
            }
            Shape::Map(inner) if given.as_map().is_some() => {
                for (key, given) in given.entries() {
                    match got.get(key) {
                        Some(got) => self.value(inner, &format!("{path}.{key}"), *given, got),
                        None if is_ruled(&format!("{path}.{key}")) => {}
                        None => self.lost.push(format!("{path}.{key} is gone")),
                    }
                }
            }
            Shape::List(_) | Shape::Map(_) if given != got => self.lost.push(format!("{path} was of a wrong type")),
            Shape::List(_) | Shape::Map(_) => {}
        }
    }

    fn value(&mut self, inner: Inner, path: &str, given: Node<'_>, got: Node<'_>) {
        let is_kept = match inner {
            Inner::Type(id) if given.as_map().is_some() => return self.object(id, path, given, got),
            _ if given.is_null() || given == got => true,
            Inner::Scalar(Scalar::Quantity) => match (Quantity::read(given), Quantity::read(got)) {
                (Ok(given), Ok(got)) => got == given || got == given.rounded_up_to_milli(),
                _ => false,
            },
            Inner::Scalar(Scalar::Time | Scalar::Bytes) => given.as_str().is_some() && got.as_str().is_some(),
            Inner::Scalar(_) | Inner::Type(_) => false,
        };
        if !is_kept {
            self.lost.push(format!("{path} is another"));
        }
    }
}

/// All that must hold of one object.
fn holds(defaults: &Defaults, (group, version, kind): (&str, &str, &str), text: &str) -> Result<(), TestCaseError> {
    let arena = Arena::with_limit(1 << 24);
    // What cannot be read (a number that no double can hold) reaches nobody.
    let Ok(given) = read(&arena, text) else { return Ok(()) };
    let once = defaults.apply(&arena, group, version, kind, given);
    let twice = defaults.apply(&arena, group, version, kind, once);
    prop_assert!(twice == once, "not the same the second time");
    prop_assert!(twice.is_same(once), "made anew the second time");
    prop_assert!(
        serde_json::to_string(&given).unwrap() == serde_json::to_string(&read(&arena, text).unwrap()).unwrap()
    );
    let mut keeping = Keeping { table: &defaults.table, lost: vec![] };
    match defaults.table.kind(group, version, kind) {
        Some(id) if given.as_map().is_some() => keeping.object(id, "", given, once),
        _ => prop_assert!(once.is_same(given)),
    }
    prop_assert!(keeping.lost.is_empty(), "{}", keeping.lost.join("\n"));
    Ok(())
}

const KINDS: &[(&str, &str, &str)] = &[
    ("", "v1", "Pod"),
    ("", "v1", "Service"),
    ("", "v1", "ReplicationController"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("batch", "v1", "CronJob"),
    ("batch", "v1", "Job"),
    ("example.com", "v1", "Pod"),
];

#[test]
fn keeps_what_the_user_wrote_and_changes_nothing_the_second_time() {
    let defaults = Defaults::built_in();
    proptest!(ProptestConfig::with_cases(400), |(manifest in manifest())| {
        let api_version = manifest["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = manifest["kind"].as_str().unwrap_or_default();
        holds(&defaults, (group, version, kind), &manifest.to_string())?;
    });
}

#[test]
fn takes_any_json_for_an_object_of_any_kind() {
    let defaults = Defaults::built_in();
    proptest!(ProptestConfig::with_cases(400), |(kind in prop::sample::select(KINDS), json in any_json())| {
        holds(&defaults, kind, &json.to_string())?;
        holds(&defaults, kind, &json!({"metadata": json, "spec": json, "status": json}).to_string())?;
    });
}
