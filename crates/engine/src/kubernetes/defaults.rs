//! The form in which the API server sends an object to webhooks: its defaults filled in, in the fields of its type.
//!
//! Offline there is no API server, and policies are written for what one sends: a container always has an
//! `imagePullPolicy`, a pod a `dnsPolicy`, an object of a known kind no field that its type lacks. What is done is
//! specified beside the generated table, in `data/defaults.md`.

mod fill;
mod pod_ips;
mod pod_level;
mod rebuild;
mod rule;
mod scalar;
mod table;
mod typed;

use std::fmt;
use std::sync::LazyLock;

use fill::Filling;
use table::Table;
use typed::Typing;

use crate::json::{Arena, Node};

/// The defaults of the kinds that hold pods, of ConfigMaps and of Services, as Kubernetes 1.36 has them.
///
/// ```
/// use admittance_engine::json::{Arena, read};
/// use admittance_engine::kubernetes::defaults::Defaults;
///
/// let arena = Arena::with_limit(1 << 20);
/// let map = read(&arena, r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dta":{}}"#)?;
/// let sent = Defaults::built_in().apply(&arena, "", "v1", "ConfigMap", map);
/// assert_eq!(serde_json::to_string(&sent)?, r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Defaults {
    table: Table,
}

impl Defaults {
    /// Reads the table that is a part of the program. It costs about a millisecond: make it once for a run.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the table is a constant of the program: what the tests have read can be read"
    )]
    pub fn built_in() -> Self {
        let table = Table::read(include_str!("../../data/defaults.json"));
        Self { table: table.expect("the built-in table of defaults is readable") }
    }

    /// The same for whoever has no place to keep it: read once. A set of policies that may need it reads it when it is made, so
    /// that no request has to.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Defaults> = LazyLock::new(Defaults::built_in);
        &SHARED
    }

    /// The object as a webhook would be sent it when it is created. Objects of kinds that the table does not know come back
    /// as they are, and so does every part in which nothing changes, by address; so a second application changes nothing.
    ///
    /// It is total: a value of a wrong type is left as it stands with all below it, for the API server refuses such an
    /// object before any webhook sees it.
    pub fn apply<'a>(&self, arena: &'a Arena, group: &str, version: &str, kind: &str, object: Node<'a>) -> Node<'a> {
        let Some(id) = self.table.kind(group, version, kind) else { return object };
        let typed = Typing { table: &self.table, arena }.object(id, object);
        Filling { table: &self.table, arena }.object(id, typed)
    }

    /// The object in the form in which the API server holds built-in kinds, without their defaults: fields that the kind does
    /// not have are gone, and empty structs are there.
    pub fn shape<'a>(&self, arena: &'a Arena, group: &str, version: &str, kind: &str, object: Node<'a>) -> Node<'a> {
        match self.table.kind(group, version, kind) {
            Some(id) => Typing { table: &self.table, arena }.object(id, object),
            None => object,
        }
    }
}

impl fmt::Debug for Defaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Defaults")
    }
}

#[cfg(test)]
mod tests;
