//! Warnings of pods that a Namespace's new label would not let in.

use std::fmt::Write as _;

use super::super::level::{Level, Standard, Version};
use super::super::{PodSecurity, Settings, relabel};
use crate::deadline::Deadline;
use crate::json::{Arena, read};
use crate::review::{Answer, Lookup, Lookups};
use crate::rule::Module as _;
use crate::verdict::{Bounds, Report};

/// A cluster whose answer to every question is this text; without one it cannot be asked.
struct Cluster(Option<String>);

impl Lookups for Cluster {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        assert_eq!(*lookup, Lookup::Pods("shop".into()));
        match &self.0 {
            Some(text) => Answer::Found(read(arena, arena.text(text)).unwrap()),
            None => Answer::Unavailable("there is no cluster to ask"),
        }
    }
}

fn warnings(settings: Settings, deadline: Deadline, cluster: &Cluster) -> Vec<String> {
    let module = PodSecurity::new(settings).unwrap();
    let arena = Arena::with_limit(1 << 26);
    let mut report = Report::new(&[], cluster).within(Bounds { deadline, ..Bounds::default() });
    let baseline = Standard { level: Level::Baseline, version: Version::Latest };
    relabel::judge_pods(&module, "shop", baseline, &arena, &mut report);
    report.into_reported().findings.into_iter().map(|finding| finding.message).collect()
}

fn list(items: &[String], remaining: usize) -> Cluster {
    Cluster(Some(format!(r#"{{"metadata":{{"remainingItemCount":{remaining}}},"items":[{}]}}"#, items.join(","))))
}

fn pod(name: &str, owner: &str, spec: &str) -> String {
    let mut text = format!(r#"{{"metadata":{{"name":"{name}""#);
    if !owner.is_empty() {
        let _ = write!(text, r#","ownerReferences":[{{"uid":"other"}},{{"controller":true,"uid":"{owner}"}}]"#);
    }
    text + &format!(r#"}},"spec":{{{spec}}}}}"#)
}

const BAD: &str = r#""hostPID":true"#;

#[test]
fn groups_pods_by_what_is_wrong_with_them() {
    let all = [
        pod("b", "", BAD),
        pod("a", "", BAD),
        pod("good", "", ""),
        pod("path", "", r#""volumes":[{"name":"v","hostPath":{}}]"#),
        pod("c", "", BAD),
        pod("exempt", "", r#""runtimeClassName":"sandboxed","hostPID":true"#),
        pod("two", "", r#""volumes":[{"name":"v","hostPath":{}}],"hostPID":true"#),
        pod("three", "", r#""volumes":[{"name":"v","hostPath":{}}],"hostIPC":true"#),
    ];
    let mut settings = Settings::default();
    settings.exemptions.runtime_classes.push("sandboxed".to_owned());
    assert_eq!(
        warnings(settings, Deadline::never(), &list(&all, 0)),
        [
            "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:latest\"",
            "a (and 2 other pods): host namespaces",
            "path: hostPath volumes",
            "three (and 1 other pod): host namespaces, hostPath volumes",
        ]
    );
    assert!(warnings(Settings::default(), Deadline::never(), &list(&[pod("good", "", "")], 0)).is_empty());
}

#[test]
fn looks_at_three_thousand_pods_and_at_one_of_each_controller_first() {
    let mut all: Vec<String> = (0..3_000).map(|n| pod(&format!("r{n}"), "replica-set", "")).collect();
    all.push(pod("last", "", BAD));
    assert_eq!(
        warnings(Settings::default(), Deadline::never(), &list(&all, 20)),
        [
            "new PodSecurity enforce level only checked against the first 3000 of 3021 existing pods",
            "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:latest\"",
            "last: host namespaces",
        ]
    );
}

#[test]
fn ends_with_the_time_for_the_request() {
    let over = Deadline::at(std::time::Instant::now());
    assert_eq!(
        warnings(Settings::default(), over, &list(&[pod("a", "", BAD), pod("b", "", BAD)], 0)),
        [
            "new PodSecurity enforce level only checked against the first 1 of 2 existing pods",
            "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"baseline:latest\"",
            "a: host namespaces",
        ]
    );
}

#[test]
fn says_that_pods_cannot_be_listed() {
    let warnings = warnings(Settings::default(), Deadline::never(), &Cluster(None));
    assert_eq!(warnings, ["failed to list pods while checking new PodSecurity enforce level"]);
}
