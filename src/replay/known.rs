//! What is known of the cluster that a review came from.

use std::cell::RefCell;
use std::collections::BTreeSet;

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::recording::Fact;
use admittance_engine::recording::fact::Looked;
use admittance_engine::review::{Answer, KindName, Lookup, Lookups};
use admittance_engine::set::Parameters;

/// Answers, in this order: from objects of the kind among the policies, from the recording, from what is built in.
pub(super) struct Known<'k> {
    pub(super) kinds: &'k Kinds,
    /// Objects among the policies, and those that the command line names.
    pub(super) parameters: &'k Parameters,
    pub(super) lookups: &'k [Looked<'k>],
    /// Whether there was a cluster to ask.
    pub(super) cluster: Option<bool>,
    /// What was asked and is not known.
    pub(super) in_vain: RefCell<BTreeSet<String>>,
}

const NAMESPACE: KindName<'static> =
    KindName { api_version: std::borrow::Cow::Borrowed("v1"), kind: std::borrow::Cow::Borrowed("Namespace") };

impl Known<'_> {
    fn among_documents<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Option<Answer<'a>> {
        match lookup {
            Lookup::Object(name) | Lookup::Objects(name) if self.parameters.has(&name.kind) => {
                self.parameters.answer(self.kinds, lookup, arena)
            }
            Lookup::Scope(_) => self.parameters.answer(self.kinds, lookup, arena),
            Lookup::Namespace(name) => {
                let name = admittance_engine::review::ObjectName {
                    kind: NAMESPACE,
                    namespace: "".into(),
                    name: name.as_ref().into(),
                };
                match self.parameters.answer(self.kinds, &Lookup::Object(name), arena) {
                    Some(found @ Answer::Found(_)) => Some(found),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn note(&self, lookup: &Lookup<'_>, why: &str) {
        self.in_vain.borrow_mut().insert(format!("{lookup}, {why}"));
    }
}

impl Lookups for Known<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        if let Some(answer) = self.among_documents(lookup, arena) {
            return answer;
        }
        if let Some(Looked(_, fact)) = self.lookups.iter().find(|Looked(asked, _)| asked == lookup) {
            if let Fact::Failed(_) = fact {
                self.note(lookup, "which the cluster could not be asked");
            }
            return fact.answer(arena);
        }
        if self.cluster == Some(false) {
            // As the server that recorded it.
            let among_policies = self.parameters.answer(self.kinds, lookup, arena);
            return among_policies.unwrap_or(Answer::Unavailable("there is no cluster to ask"));
        }
        arena.mark_unknown();
        self.note(lookup, "which the recording does not hold");
        Answer::Unavailable("the recording does not hold it")
    }
}
