//! A ConfigMap as a unit.

use admittance_engine::document::SourceFile;
use admittance_engine::unit::Unit;
use k8s_openapi::api::core::v1::ConfigMap;

use crate::source::{Read, Revision};

/// The unit of a ConfigMap: `NAMESPACE/NAME`, with a file `NAMESPACE/NAME/KEY` for each key of its data.
pub fn unit_of(object: &ConfigMap) -> Read {
    let metadata = &object.metadata;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = format!("{}/{}", text(&metadata.namespace), text(&metadata.name));
    let revision = Revision {
        uid: text(&metadata.uid),
        version: metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or_default(),
    };
    match problem(object) {
        Some(problem) => Read::Unreadable(name, problem, revision),
        None => {
            let files = object.data.iter().flatten();
            let files = files.map(|(key, text)| SourceFile::new(format!("{name}/{key}"), text.as_str())).collect();
            Read::Unit(Unit { name, files }, revision)
        }
    }
}

fn problem(object: &ConfigMap) -> Option<String> {
    if object.binary_data.as_ref().is_some_and(|data| !data.is_empty()) {
        return Some("policies in binaryData are not read, move them to data".to_owned());
    }
    let ends = |key: &str| [".yaml", ".yml", ".json"].iter().any(|ending| key.ends_with(ending));
    let odd = object.data.iter().flatten().map(|(key, _)| key).find(|key| !ends(key));
    odd.map(|key| format!("the key `{key}` must end in .yaml, .yml or .json"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(data: &serde_json::Value) -> Read {
        let mut object = json!({"metadata": {"name": "rules", "namespace": "ns", "uid": "u", "resourceVersion": "17"}});
        object.as_object_mut().unwrap().append(data.clone().as_object_mut().unwrap());
        unit_of(&serde_json::from_value(object).unwrap())
    }

    #[test]
    fn makes_a_file_of_each_key() {
        let Read::Unit(unit, revision) = read(&json!({"data": {"b.yaml": "x", "a.json": "{}"}})) else { panic!() };
        let files: Vec<_> = unit.files.iter().map(|file| (file.name(), file.text())).collect();
        assert_eq!(
            (unit.name.as_str(), files),
            ("ns/rules", vec![("ns/rules/a.json", "{}"), ("ns/rules/b.yaml", "x")])
        );
        assert_eq!(revision, Revision { uid: "u".to_owned(), version: 17 });
        let Read::Unit(unit, _) = read(&json!({})) else { panic!() };
        assert_eq!(unit.files.len(), 0);
    }

    #[test]
    fn refuses_keys_that_are_no_files_of_policies() {
        let reason = |read| if let Read::Unreadable(_, reason, _) = read { reason } else { panic!() };
        assert_eq!(reason(read(&json!({"data": {"notes": "x"}}))), "the key `notes` must end in .yaml, .yml or .json");
        assert_eq!(
            reason(read(&json!({"binaryData": {"a.yaml": "eA=="}}))),
            "policies in binaryData are not read, move them to data"
        );
    }
}
