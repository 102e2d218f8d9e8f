//! What modules say in Rust and what their twins say in CEL: the same, about every case and about objects made of pieces of
//! cases.

use std::collections::{BTreeMap, BTreeSet};

use admittance_engine::document::SourceFile;
use admittance_engine::export::{Exemptions, Twin, export};
use admittance_engine::pipeline::Route;
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{Unit, compile};
use serde_json::{Map, Value};

use crate::case::{Case, cases, documents};
use crate::cases::judge;

/// A policy and its twin, each alone.
struct Pair {
    policy: PolicySet,
    twin: PolicySet,
    exported: Twin,
}

fn set(text: &str) -> PolicySet {
    let unit = compile(&Unit::of_file(SourceFile::new("policies.yaml", text)));
    let unit = unit.unwrap_or_else(|problems| panic!("{}\n{text}", problems[0]));
    link(&[unit]).0
}

/// Of a Policy document, whose action is made Deny. None if it has no twin.
fn pair(document: &Value) -> Option<Pair> {
    let mut document = document.clone();
    if document["kind"] != "Policy" || document["spec"]["mutations"].is_array() {
        return None;
    }
    document["spec"].as_object_mut()?.remove("actions");
    let text = document.to_string();
    let unit = compile(&Unit::of_file(SourceFile::new("policy.yaml", text.as_str()))).ok()?;
    let exemptions = Exemptions { namespaces: vec!["nowhere".to_owned()], ..Exemptions::default() };
    let export = export(&[unit], &exemptions);
    for row in &export.unchecked {
        assert!(!row.reason.contains("would be refused"), "{text}\n{}", row.reason);
    }
    let exported = export.twins.into_iter().next()?;
    let twin = exported.documents.iter().fold(String::new(), |all, document| all + &document.to_string() + "\n");
    Some(Pair { policy: set(&text), twin: set(&twin), exported })
}

/// As the API server has objects of built-in kinds: without nulls.
fn typed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), typed(v))).collect())
        }
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).map(typed).collect(),
        other => other.clone(),
    }
}

/// Whether it is let in, and what went wrong.
fn ask(case: &Case, set: &PolicySet) -> (bool, Vec<String>) {
    let body = case.review(set.kinds());
    judge(case, set, &body, Route::Validate, |_, verdict| {
        let failures = verdict.failures.iter().map(|failure| failure.error.to_string());
        let findings = verdict.findings.iter().map(ToString::to_string);
        (verdict.is_allowed(), failures.map(|failure| format!("error: {failure}")).chain(findings).collect())
    })
}

/// What the two disagree about.
fn difference(pair: &Pair, case: &Case) -> Option<String> {
    let ((policy, found), (twin, said)) = (ask(case, &pair.policy), ask(case, &pair.twin));
    if policy == twin {
        return None;
    }
    // What a twin says that it sees otherwise concerns violations that were there before.
    if twin && case.operation() == "UPDATE" && !pair.exported.differs.is_empty() {
        return None;
    }
    Some(format!(
        "{}: the policy says {policy} {found:?}, its twin {twin} {said:?}\n{}\n{}",
        case.name, case.object, case.old_object
    ))
}

/// The case with its objects as the API server has them; None where it would not have them at all. Kinds that it serves no
/// more are those of older ones.
fn accepted(case: &Case) -> Option<Case> {
    let is_accepted = case.api_server || case.folder() == "deprecated-apis";
    is_accepted.then(|| case.asking(case.request.clone(), typed(&case.object), typed(&case.old_object)))
}

fn policies_of(case: &Case) -> Vec<Value> {
    case.policies.iter().flat_map(|text| documents(text)).collect()
}

#[test]
fn twins_say_the_same_of_every_case() {
    let (mut wrong, mut asked, mut denied) = (vec![], BTreeMap::<String, u32>::new(), BTreeSet::new());
    for case in cases() {
        let Some(accepted) = accepted(&case) else { continue };
        for document in policies_of(&case) {
            let Some(pair) = pair(&document) else { continue };
            let module = document["spec"]["module"].as_str().unwrap_or("expressions").to_owned();
            *asked.entry(module.clone()).or_default() += 1;
            if !ask(&accepted, &pair.twin).0 {
                denied.insert(module);
            }
            wrong.extend(difference(&pair, &accepted));
        }
    }
    println!("asked {asked:?}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n\n"));
    let silent: Vec<&String> = asked.keys().filter(|module| !denied.contains(*module)).collect();
    assert!(silent.is_empty(), "twins that refuse nothing: {silent:?}");
    assert!(asked.len() > 40, "only {} modules have twins", asked.len());
}

/// Values that stand under a key of a map under another key, anywhere in the cases: pieces of the right type.
type Pieces = BTreeMap<(String, String), Vec<Value>>;

fn collect(value: &Value, parent: &str, pieces: &mut Pieces) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let known = pieces.entry((parent.to_owned(), key.clone())).or_default();
                if known.len() < 12 && !known.contains(inner) {
                    known.push(inner.clone());
                }
                collect(inner, key, pieces);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, parent, pieces)),
        _ => {}
    }
}

/// A small generator of numbers (splitmix64): the same objects on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((value ^ (value >> 31)) % bound.max(1) as u64).unwrap()
    }
}

/// What says what an object is, and what every object has.
const KEPT: &[&str] =
    &["apiVersion", "kind", "metadata", "name", "namespace", "spec", "template", "roleRef", "mountPath"];

/// Calls `change` with the map that is reached after `countdown` others, and the key above it.
fn at_map(
    value: &mut Value,
    parent: &str,
    countdown: &mut usize,
    change: &mut dyn FnMut(&str, &mut Map<String, Value>),
) {
    match value {
        Value::Object(map) => {
            if *countdown == 0 {
                change(parent, map);
            }
            *countdown = countdown.wrapping_sub(1);
            map.iter_mut().for_each(|(key, inner)| at_map(inner, key, countdown, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| at_map(item, parent, countdown, change)),
        _ => {}
    }
}

fn count_maps(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(count_maps).sum::<usize>(),
        Value::Array(items) => items.iter().map(count_maps).sum(),
        _ => 0,
    }
}

/// The object with a few pieces taken away, exchanged or put in.
fn varied(object: &Value, pieces: &Pieces, chance: &mut Chance) -> Value {
    let mut object = object.clone();
    if object.is_null() {
        return object;
    }
    for _ in 0..=chance.below(3) {
        let mut countdown = chance.below(count_maps(&object));
        let mut draw = [chance.below(1 << 20), chance.below(1 << 20), chance.below(1 << 20)];
        at_map(&mut object, "", &mut countdown, &mut |parent, map| {
            let known: Vec<&(String, String)> =
                pieces.keys().filter(|(above, key)| above == parent && !KEPT.contains(&key.as_str())).collect();
            let [which, what, takes_away] = &mut draw;
            let Some((above, key)) = known.get(*which % known.len().max(1)) else { return };
            if *takes_away % 4 == 0 {
                map.remove(key);
            } else if let Some(values) = pieces.get(&(above.clone(), key.clone())) {
                let value = values[*what % values.len()].clone();
                // A field has the same type wherever it stands below the same key, or it is another field.
                if map.get(key).is_none_or(|old| std::mem::discriminant(old) == std::mem::discriminant(&value)) {
                    map.insert(key.clone(), value);
                }
            }
        });
    }
    object
}

#[test]
fn twins_say_the_same_of_objects_made_of_pieces() {
    let cases: Vec<Case> = cases().iter().filter_map(accepted).collect();
    let rounds = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(40_usize);
    let (mut wrong, mut verdicts) = (vec![], BTreeMap::<String, [u32; 2]>::new());
    for module in admittance_engine::modules::MODULES.iter().filter(|module| !module.mutates) {
        let of_module: Vec<&Case> = cases.iter().filter(|case| case.folder() == module.id).collect();
        let mut pieces = Pieces::default();
        for case in &of_module {
            collect(&case.object, "", &mut pieces);
            collect(&case.old_object, "", &mut pieces);
        }
        let mut settings: Vec<(Value, Pair)> = vec![];
        for document in of_module.iter().flat_map(|case| policies_of(case)) {
            if document["spec"]["module"] == module.id && settings.iter().all(|(known, _)| *known != document) {
                settings.extend(pair(&document).map(|pair| (document, pair)));
            }
        }
        if settings.is_empty() {
            continue;
        }
        let mut chance = Chance(module.id.bytes().map(u64::from).sum());
        for _ in 0..rounds {
            let (_, pair) = &settings[chance.below(settings.len())];
            let base = of_module[chance.below(of_module.len())];
            let object = varied(&base.object, &pieces, &mut chance);
            let (object, old) = match base.operation() {
                "DELETE" => (Value::Null, varied(&base.old_object, &pieces, &mut chance)),
                "UPDATE" => (object, varied(&base.old_object, &pieces, &mut chance)),
                "CREATE" if chance.below(3) == 0 => (varied(&object, &pieces, &mut chance), object),
                _ => (object, base.old_object.clone()),
            };
            let mut request = base.request.clone();
            if request.operation.as_deref() == Some("CREATE") {
                request.operation = None;
            }
            let case = base.asking(request, typed(&object), typed(&old));
            let (allowed, said) = ask(&case, &pair.twin);
            if said.iter().all(|said| !said.starts_with("error: ")) {
                verdicts.entry(module.id.to_owned()).or_default()[usize::from(allowed)] += 1;
            }
            wrong.extend(difference(pair, &case));
        }
    }
    println!("denied and allowed {verdicts:?}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n\n"));
    let idle: Vec<&String> = verdicts.iter().filter(|(_, [denied, _])| *denied == 0).map(|(id, _)| id).collect();
    assert!(idle.len() < 6, "of too many modules nothing is refused: {idle:?}");
}

#[test]
fn says_which_policies_of_the_packs_have_twins() {
    // (policies that judge, of these with a twin)
    let mut counts = BTreeMap::<String, [usize; 2]>::new();
    let mut without = vec![];
    for folder in crate::case::entries(&crate::case::root().join("manifests/policies")) {
        let files = crate::case::entries(&folder);
        let units: Vec<_> = files
            .iter()
            .map(|path| SourceFile::new(path.to_str().unwrap(), std::fs::read_to_string(path).unwrap()))
            .map(|file| compile(&Unit::of_file(file)).unwrap())
            .collect();
        let export = export(&units, &Exemptions::default());
        let judging = export.unchecked.iter().filter(|row| !row.reason.starts_with("it changes objects"));
        let missing: Vec<String> = judging.map(|row| format!("{}: {}", row.source.policy, row.reason)).collect();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        counts.insert(name, [export.twins.len() + missing.len(), export.twins.len()]);
        without.extend(missing);
    }
    let counts: Vec<(&str, [usize; 2])> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [
            ("hardened", [23, 23]),
            ("multi-tenant", [19, 18]),
            ("reference-demo", [3, 3]),
            ("reliability", [10, 8]),
            ("starter", [3, 3])
        ]
    );
    let looks_up = "it looks up other objects in the cluster, which a ValidatingAdmissionPolicy cannot";
    assert_eq!(
        without,
        [
            format!("tenants-unique-ingress-hosts: {looks_up}"),
            format!("reliability-disruption-budget: {looks_up}"),
            "reliability-cron-schedule: it computes times from the schedule, which CEL cannot".to_owned(),
        ]
    );
}
