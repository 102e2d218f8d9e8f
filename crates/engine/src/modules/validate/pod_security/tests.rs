//! Every pod, level and version of the corpora and of a generator, against what Kubernetes' own admission says.

mod corpus;
mod differential;
mod pods;
mod relabel;

use serde_json::Value;

use super::check::PodFields;
use super::level::{Level, Standard, Version};
use super::table::{Table, details};
use super::{PodSecurity, Settings};
use crate::json::{Arena, read};
use crate::rule::{Module as _, SettingsError};

thread_local! {
    static TABLE: Table = Table::new();
}

/// What is said against a pod at a level of a version.
fn verdict(level: &str, version: &str, pod: &Value) -> Option<String> {
    let standard = Standard { level: Level::parse(level).unwrap(), version: Version::parse(version).unwrap() };
    let (arena, text) = (Arena::with_limit(1 << 24), pod.to_string());
    let pod = read(&arena, &text).unwrap();
    let part = |key| pod.get(key).unwrap_or_default();
    let forbidden = TABLE.with(|table| table.judge(standard, &PodFields::of(&arena, part("metadata"), part("spec"))));
    (!forbidden.is_empty()).then(|| details(&forbidden))
}

#[test]
fn rejects_versions_that_are_none() {
    let settings: Settings = serde_json::from_str(r#"{"enforceVersion":"1.30","warnVersion":"v1.x"}"#).unwrap();
    let expected = |pointer: &str, text: &str| SettingsError {
        pointer: pointer.to_owned(),
        message: format!("{text:?} is no version: expected \"latest\", or one such as \"v1.30\""),
    };
    let errors = PodSecurity::new(settings).unwrap_err();
    assert_eq!(errors, [expected("/enforceVersion", "1.30"), expected("/warnVersion", "v1.x")]);
}

#[test]
fn allocates_nothing_for_a_pod_without_violation() {
    let text = r#"{"spec":{"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
        "volumes":[{"name":"v","emptyDir":{}}],"initContainers":[{"name":"i","securityContext":
        {"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}],"containers":[{"name":"a",
        "ports":[{"containerPort":80}],"livenessProbe":{"httpGet":{"port":80}},"securityContext":
        {"allowPrivilegeEscalation":false,"capabilities":{"add":["NET_BIND_SERVICE"],"drop":["ALL"]}}}]}}"#;
    let (arena, table) = (Arena::with_limit(1 << 20), Table::new());
    let pod = read(&arena, text).unwrap();
    let mut found = vec![];
    for level in [Level::Baseline, Level::Restricted] {
        let standard = Standard { level, version: Version::Latest };
        let measured = allocation_counter::measure(|| {
            let fields = PodFields::of(&arena, crate::json::Node::NULL, pod.get("spec").unwrap_or_default());
            found = table.judge(standard, &fields);
        });
        assert_eq!((found.len(), measured.count_total), (0, 0));
    }
}
