//! What `admittance status` says of servers: their units, and whether they agree.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Colour, Tone, evidence, printable};
use crate::evidence::page;

/// One server, as it answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Its URL, or `NAMESPACE/POD`.
    pub name: String,
    /// Whether requests should come to it.
    pub ready: bool,
    /// What it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// What its policies did so far; None where it has no such page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<page::Page>,
    /// Why it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The page `/policies`. Fields that are not read here are not shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    digest: String,
    policies: usize,
    units: Vec<Unit>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unit {
    name: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(default)]
    policies: Vec<Policy>,
    #[serde(default)]
    problems: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unreached: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    twin: Option<String>,
}

/// How servers stand, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// All ready, all units active, all alike.
    Good,
    /// Something is not so.
    Bad,
    /// Somebody did not answer.
    Unknown,
}

/// How they stand together.
pub fn standing(servers: &[Server]) -> Standing {
    if servers.is_empty() || servers.iter().any(|server| server.page.is_none()) {
        return Standing::Unknown;
    }
    let is_good = |server: &Server| {
        let units = server.page.iter().flat_map(|page| &page.units);
        server.ready && units.into_iter().all(|unit| unit.state == "active")
    };
    if servers.iter().all(is_good) && digests(servers).len() == 1 { Standing::Good } else { Standing::Bad }
}

fn digests(servers: &[Server]) -> BTreeSet<&str> {
    servers.iter().filter_map(|server| server.page.as_ref()).map(|page| page.digest.as_str()).collect()
}

/// For people.
pub fn text(servers: &[Server], colour: Colour) -> String {
    let mut text = String::new();
    for server in servers {
        let name = printable(&server.name);
        let Some(page) = &server.page else {
            let problem = printable(server.problem.as_deref().unwrap_or("no answer"));
            let _ = writeln!(text, "{name}: {}: {problem}", colour.paint(Tone::Bad, "cannot be asked"));
            continue;
        };
        let ready = if server.ready { colour.paint(Tone::Good, "ready") } else { colour.paint(Tone::Bad, "not ready") };
        let count = counted(page.policies);
        let _ = writeln!(text, "{name}: {ready}, {count}, digest {}", printable(&page.digest));
        for unit in &page.units {
            let tone = if unit.state == "active" { Tone::Good } else { Tone::Bad };
            let state = colour.paint(tone, &format!("{:<6}", printable(&unit.state)));
            let _ = writeln!(text, "  {state}  {}: {}", printable(&unit.name), counted(unit.policies.len()));
            for problem in &unit.problems {
                let _ = writeln!(text, "    {}", printable(problem));
            }
            for policy in &unit.policies {
                if let Some(state @ ("stale" | "missing")) = policy.twin.as_deref() {
                    let line = format!("policy `{}`: its twin is {state}", policy.name);
                    let _ = writeln!(text, "    {}", colour.paint(Tone::Caution, &printable(&line)));
                }
                if let Some(unreached) = &policy.unreached {
                    let _ = writeln!(text, "    {}", colour.paint(Tone::Caution, &printable(unreached)));
                }
            }
        }
    }
    if digests(servers).len() > 1 {
        let problem = "the servers run different policies: their digests differ";
        let _ = writeln!(text, "{}", colour.paint(Tone::Bad, problem));
    }
    let pages: Vec<page::Page> = servers.iter().filter_map(|server| server.evidence.clone()).collect();
    text + &page::Page::together(&pages).map(|page| evidence::text(&page, colour)).unwrap_or_default()
}

fn counted(policies: usize) -> String {
    format!("{policies} {}", if policies == 1 { "policy" } else { "policies" })
}

/// The same as one document: `{schemaVersion, good, servers: [{name, ready, page, evidence | problem}]}`.
pub fn json(servers: &[Server]) -> String {
    let good = standing(servers) == Standing::Good;
    let document = json!({ "schemaVersion": 1, "good": good, "servers": servers });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, ready: bool, page: &str) -> Server {
        let page = (!page.is_empty()).then(|| serde_json::from_str(page).unwrap());
        let problem = page.is_none().then(|| "Connection refused".to_owned());
        Server { name: name.to_owned(), ready, page, evidence: None, problem }
    }

    const ACTIVE: &str = r#"{"schemaVersion":1,"digest":"aa","policies":1,"units":[
        {"name":"a.yaml","state":"active","digest":"bb","policies":[{"name":"x","module":"host-ports","action":"Deny","line":1}],"problems":[]}]}"#;
    const STALE: &str = r#"{"schemaVersion":1,"digest":"cc","policies":2,"units":[
        {"name":"a.yaml","state":"stale","policies":[{"name":"x","unreached":"x is never sent"},{"name":"w"}],
         "problems":["a.yaml:1:1: error: broken"]}]}"#;

    #[test]
    fn stands_well_only_where_all_are_ready_active_and_alike() {
        let good = server("a", true, ACTIVE);
        let with = |other: Server| standing(&[good.clone(), other]);
        assert_eq!(with(server("b", true, ACTIVE)), Standing::Good);
        assert_eq!(with(server("b", false, ACTIVE)), Standing::Bad);
        assert_eq!(with(server("b", true, STALE)), Standing::Bad);
        assert_eq!(with(server("b", true, &ACTIVE.replace("aa", "ab"))), Standing::Bad);
        assert_eq!(with(server("b", false, "")), Standing::Unknown);
        assert_eq!(standing(&[]), Standing::Unknown);
    }

    #[test]
    fn says_what_each_server_runs_and_that_they_differ() {
        let servers = [server("a", true, ACTIVE), server("b", false, STALE), server("c\x1b", false, "")];
        assert_eq!(
            text(&servers, Colour::Off),
            "\
a: ready, 1 policy, digest aa
  active  a.yaml: 1 policy
b: not ready, 2 policies, digest cc
  stale   a.yaml: 2 policies
    a.yaml:1:1: error: broken
    x is never sent
c\\u{1b}: cannot be asked: Connection refused
the servers run different policies: their digests differ
"
        );
    }
}
