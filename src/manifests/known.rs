//! All that is known of a cluster offline.

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::review::{Answer, KindName, Lookup, Lookups};
use admittance_engine::set::Parameters;

use super::namespaces::Namespaces;

/// Answers from files.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// Its kinds.
    pub kinds: &'k Kinds,
    /// Its namespaces.
    pub namespaces: &'k Namespaces,
    /// Objects that are parameters of policies.
    pub parameters: &'k Parameters,
}

impl Lookups for Known<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        match lookup {
            Lookup::Object(object) if object.kind == KindName::CUSTOM_RESOURCE_DEFINITION => {
                match self.parameters.answer(self.kinds, lookup, arena) {
                    Some(given @ Answer::Found(_)) => given,
                    _ => self.namespaces.definition(&object.name, arena),
                }
            }
            Lookup::Scope(_) | Lookup::Object(_) | Lookup::Objects(_) => {
                let unknown = Answer::Unavailable("no object of the kind is known, name a file with --params");
                self.parameters.answer(self.kinds, lookup, arena).unwrap_or(unknown)
            }
            Lookup::Pods(_) => Answer::Unavailable("there is no cluster to ask"),
            Lookup::Namespace(_) | Lookup::Access(_) => self.namespaces.answer(lookup, arena),
        }
    }
}
