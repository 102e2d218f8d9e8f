//! Every pod, level and version of the corpora and of a generator, against what Kubernetes' own admission says.

mod corpus;
mod differential;
mod pods;

use serde_json::Value;

use super::check::PodFields;
use super::level::{Level, Standard, Version};
use super::table::{Table, details};
use crate::json::{Arena, read};

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
