//! What one request has asked so far.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use admittance_engine::json::{self, Arena};
use admittance_engine::review::{Answer, Lookup, Lookups};
use admittance_engine::set::{Parameters, PolicySet};

use super::{Cluster, Fact};

/// The answers that one request goes by: what it has seen once stays, whatever the cluster says later.
pub struct Asked<'c> {
    cluster: Option<&'c Cluster>,
    set: &'c PolicySet,
    parameters: &'c Parameters,
    answered: RefCell<HashMap<Lookup<'static>, Fact>>,
}

/// What one request was answered.
#[derive(Clone, Default)]
pub struct Facts(HashMap<Lookup<'static>, Fact>);

impl Facts {
    /// What was asked, each with its answer.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Lookup<'static>, &Fact)> {
        self.0.iter()
    }
}

impl<'c> Asked<'c> {
    /// Nothing is asked yet. Without a cluster nothing can be: then parameters are those that stand among the policies.
    pub fn new(cluster: Option<&'c Cluster>, set: &'c PolicySet, parameters: &'c Parameters) -> Self {
        Self { cluster, set, parameters, answered: RefCell::default() }
    }

    /// The same answers once more, and no others: for judging again what was judged with them.
    pub fn again(set: &'c PolicySet, parameters: &'c Parameters, facts: &Facts) -> Self {
        Self { answered: RefCell::new(facts.0.clone()), ..Self::new(None, set, parameters) }
    }

    /// What was answered so far.
    pub fn facts(&self) -> Facts {
        Facts(self.answered.borrow().clone())
    }

    /// Whether there is a cluster to ask.
    pub fn has_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Asks all of these, side by side. None stays without an answer: what cannot be asked in time is known to be so.
    pub async fn fetch(self, lookups: Vec<Lookup<'static>>, deadline: Instant) -> Self {
        let Some(cluster) = self.cluster else { return self };
        let asked = lookups.into_iter().map(|lookup| async move {
            let fact = cluster.ask(&lookup, deadline).await;
            (lookup, fact)
        });
        for (lookup, fact) in futures_util::future::join_all(asked).await {
            cluster.keep(lookup.clone(), fact.clone());
            self.answered.borrow_mut().insert(lookup, fact);
        }
        self
    }
}

impl Fact {
    fn read(self, arena: &Arena) -> Answer<'_> {
        match self {
            Self::Found(text) => match json::read(arena, arena.text(&text)) {
                Ok(node) => Answer::Found(node),
                Err(_) => Answer::Unavailable("the cluster's answer cannot be read"),
            },
            Self::Missing => Answer::Missing,
            Self::Failed(reason) => Answer::Unavailable(reason),
        }
    }
}

impl Lookups for Asked<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let owned = lookup.clone().into_owned();
        let answered = self.answered.borrow().get(&owned).cloned();
        let Some(cluster) = self.cluster.filter(|_| answered.is_none()) else {
            if let Some(fact) = answered {
                return fact.read(arena);
            }
            let among_policies = self.parameters.answer(self.set.kinds(), lookup, arena);
            return among_policies.unwrap_or(Answer::Unavailable("there is no cluster to ask"));
        };
        let fact = cluster.known(&owned);
        let Some(fact) = fact else { return Answer::Unknown };
        self.answered.borrow_mut().insert(owned, fact.clone());
        fact.read(arena)
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Asked({} answers)", self.answered.borrow().len())
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Facts({})", self.0.len())
    }
}
