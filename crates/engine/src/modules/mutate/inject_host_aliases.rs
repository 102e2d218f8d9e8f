//! Puts names of hosts into the `/etc/hosts` of pods.
//!
//! # What it does
//! Adds each name to the entry of its address in `hostAliases`, or a new entry where the pod has none for the address. A name
//! that the pod maps already, to whatever address, stays as it is.
//!
//! Pods are changed when they are created, never mirror pods. Which ones is said by the policy's `namespaces` and by the
//! selectors of its `matchConstraints`.
//!
//! # Why
//! A service outside of the cluster that has moved, or has no name in any DNS, is found by every pod without its manifest
//! being edited.
//!
//! # Settings
//! - `hostAliases`: the entries, as a pod's specification writes them, each with an `ip` and `hostnames`; at least one.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: names-of-the-data-center }
//! spec:
//!   module: inject-host-aliases
//!   settings:
//!     hostAliases:
//!       - { ip: 10.1.2.3, hostnames: [db.example.com, db] }
//! ```

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node, Segment};
use crate::kubernetes::names::is_subdomain;
use crate::kubernetes::pod::Changeable;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What is added.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Addresses and their names.
    host_aliases: Vec<HostAlias>,
}

/// An address and its names (core/v1 HostAlias).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct HostAlias {
    /// The address.
    ip: String,
    /// Its names.
    hostnames: Vec<String>,
}

/// See the page of `inject-host-aliases`.
#[derive(Debug)]
pub struct InjectHostAliases(Vec<HostAlias>);

const FIELD: &str = "hostAliases";

impl Module for InjectHostAliases {
    const ID: &'static str = "inject-host-aliases";
    const GROUP: Group = Group::Injection;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("inject_host_aliases.rs");
    type Settings = Settings;

    fn new(Settings { host_aliases }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if host_aliases.is_empty() {
            let message =
                "there is nothing to add: name at least one, such as {ip: 10.1.2.3, hostnames: [db.example.com]}";
            errors.push(problem("/hostAliases", message));
        }
        let mut known: Vec<&str> = vec![];
        for (position, alias) in host_aliases.iter().enumerate() {
            let pointer = format!("/hostAliases/{position}");
            if alias.ip.parse::<IpAddr>().is_err() {
                let message = format!("{:?} is no address: expected one such as \"10.1.2.3\"", alias.ip);
                errors.push(problem(format!("{pointer}/ip"), message));
            }
            if alias.hostnames.is_empty() {
                errors.push(problem(format!("{pointer}/hostnames"), "the address has no names: name at least one"));
            }
            for (place, name) in alias.hostnames.iter().enumerate() {
                let pointer = format!("{pointer}/hostnames/{place}");
                if !is_subdomain(name) {
                    let message = format!("{name:?} can be no name of a host: expected one such as \"db.example.com\"");
                    errors.push(problem(pointer, message));
                } else if known.contains(&name.as_str()) {
                    errors.push(problem(pointer, format!("{name:?} has an address already: leave one of them out")));
                }
                known.push(name);
            }
        }
        if errors.is_empty() { Ok(Self(host_aliases)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.iter().map(|alias| PathPattern(format!("spec.hostAliases[ip={}]", alias.ip))).collect()
    }
}

/// Whether both are the same address: `::1` and `0:0:0:0:0:0:0:1` are.
fn is_same(left: &str, right: &str) -> bool {
    left == right || left.parse::<IpAddr>().is_ok_and(|left| right.parse() == Ok(left))
}

impl HostAlias {
    fn add<'a>(&'a self, arena: &'a Arena, spec: Node<'a>) -> Edited<'a> {
        let present = spec.items_of(FIELD);
        let is_known = |name: &&String| {
            let mut names = present.iter().flat_map(|alias| alias.items_of("hostnames"));
            names.any(|known| known.as_str() == Some(name))
        };
        let missing: Vec<Node<'a>> =
            self.hostnames.iter().filter(|name| !is_known(name)).map(|name| Node::string(name)).collect();
        if missing.is_empty() {
            return Ok(spec);
        }
        match present.iter().position(|alias| alias.str("ip").is_some_and(|ip| is_same(ip, &self.ip))) {
            Some(position) => missing.into_iter().try_fold(spec, |spec, name| {
                let names = [Segment::Key(FIELD), Segment::at(position), Segment::Key("hostnames")];
                edit::append(arena, spec, &names, name)
            }),
            None => {
                let alias = arena.map(&[("ip", Node::string(&self.ip)), ("hostnames", arena.list(&missing))]);
                edit::append(arena, spec, &[FIELD], alias)
            }
        }
    }
}

impl Mutate for InjectHostAliases {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let arena = subject.arena();
        let add = |spec| self.0.iter().try_fold(spec, |spec, alias| alias.add(arena, spec));
        Ok(pod.edit_spec(arena, add)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_no_host() {
        let errors = |aliases| {
            let settings = serde_json::json!({"hostAliases": aliases});
            InjectHostAliases::new(serde_json::from_value(settings).unwrap()).unwrap_err()
        };
        assert_eq!(
            errors(serde_json::json!([{"ip": "10.1.2", "hostnames": ["db", "Db", "db"]}, {"ip": "::1"}])),
            [
                problem("/hostAliases/0/ip", "\"10.1.2\" is no address: expected one such as \"10.1.2.3\""),
                problem(
                    "/hostAliases/0/hostnames/1",
                    "\"Db\" can be no name of a host: expected one such as \"db.example.com\""
                ),
                problem("/hostAliases/0/hostnames/2", "\"db\" has an address already: leave one of them out"),
                problem("/hostAliases/1/hostnames", "the address has no names: name at least one"),
            ]
        );
        let message = "there is nothing to add: name at least one, such as {ip: 10.1.2.3, hostnames: [db.example.com]}";
        assert_eq!(errors(serde_json::json!([])), [problem("/hostAliases", message)]);
    }

    #[test]
    fn knows_an_address_however_it_is_written() {
        assert!(is_same("10.1.2.3", "10.1.2.3") && is_same("::1", "0:0:0:0:0:0:0:1") && is_same("x", "x"));
        assert!(!is_same("10.1.2.3", "10.1.2.4") && !is_same("x", "y"));
    }
}
