//! The last explanations, newest first, within bounds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::value::RawValue;

/// How many are kept at the most, however small they are.
const MOST: usize = 8_192;
/// What one takes beside its texts, in bytes.
const OVERHEAD: usize = 256;

/// One decision, explained.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) uid: String,
    pub(super) namespace: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) denied: bool,
    /// The policies that found something, failed or changed something.
    pub(super) policies: Vec<String>,
    /// All that there is to say, JSON.
    pub(super) json: Box<RawValue>,
}

/// Which ones somebody wants to see; what is not set fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) uid: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) denied: bool,
}

impl Wanted {
    fn fits(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.uid, &record.uid)
            && is(&self.namespace, &record.namespace)
            && self.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case(&record.kind))
            && is(&self.name, &record.name)
            && self.policy.as_ref().is_none_or(|policy| record.policies.contains(policy))
            && (!self.denied || record.denied)
    }
}

/// The ring.
pub(super) struct Ring {
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    records: VecDeque<Record>,
    bytes: usize,
}

impl Record {
    fn bytes(&self) -> usize {
        let texts = [&self.uid, &self.namespace, &self.kind, &self.name];
        let texts: usize = texts.into_iter().chain(&self.policies).map(String::len).sum();
        OVERHEAD + texts + self.json.get().len()
    }
}

impl Ring {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, kept: Mutex::default() }
    }

    /// Keeps one; the oldest go where there is no room. One that alone is too large is not kept.
    pub(super) fn push(&self, record: Record) {
        let bytes = record.bytes();
        if bytes > self.limit {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.bytes + bytes > self.limit || kept.records.len() >= MOST {
            let Some(oldest) = kept.records.pop_front() else { break };
            kept.bytes -= oldest.bytes();
        }
        kept.bytes += bytes;
        kept.records.push_back(record);
    }

    /// The newest of those that fit, and how many are kept in all.
    pub(super) fn find(&self, wanted: &Wanted, most: usize) -> (Vec<Box<RawValue>>, usize) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.records.iter().rev().filter(|record| wanted.fits(record)).take(most);
        (found.map(|record| record.json.clone()).collect(), kept.records.len())
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ring({} bytes)", self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(uid: &str, namespace: &str, policies: &[&str], denied: bool) -> Record {
        Record {
            uid: uid.to_owned(),
            namespace: namespace.to_owned(),
            kind: "Pod".to_owned(),
            name: "web".to_owned(),
            denied,
            policies: policies.iter().map(|&policy| policy.to_owned()).collect(),
            json: RawValue::from_string(format!("\"{uid}\"")).unwrap(),
        }
    }

    fn found(ring: &Ring, wanted: &Wanted) -> String {
        ring.find(wanted, 100)
            .0
            .iter()
            .map(|json| json.get().trim_matches('"').to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn finds_the_newest_that_fit_first() {
        let ring = Ring::new(1 << 20);
        ring.push(record("a", "shop", &["tags"], true));
        ring.push(record("b", "bank", &["tags", "ports"], true));
        ring.push(record("c", "shop", &[], false));
        let some = |text: &str| Some(text.to_owned());
        for (wanted, expected) in [
            (Wanted::default(), "c b a"),
            (Wanted { denied: true, ..Wanted::default() }, "b a"),
            (Wanted { policy: some("ports"), ..Wanted::default() }, "b"),
            (Wanted { namespace: some("shop"), kind: some("pod"), name: some("web"), ..Wanted::default() }, "c a"),
            (Wanted { uid: some("a"), ..Wanted::default() }, "a"),
            (Wanted { kind: some("Job"), ..Wanted::default() }, ""),
        ] {
            assert_eq!(found(&ring, &wanted), expected, "{wanted:?}");
        }
        assert_eq!(ring.find(&Wanted::default(), 2).0.len(), 2);
    }

    #[test]
    fn lets_the_oldest_go_where_there_is_no_room() {
        let one = record("0", "shop", &[], true).bytes();
        let ring = Ring::new(3 * one);
        (0..5).for_each(|uid| ring.push(record(&uid.to_string(), "shop", &[], true)));
        assert_eq!(found(&ring, &Wanted::default()), "4 3 2");
        ring.push(record(&"x".repeat(4 * one), "shop", &[], true));
        assert_eq!(found(&ring, &Wanted::default()), "4 3 2", "one that is too large alone");
        let many = Ring::new(usize::MAX);
        (0..MOST + 10).for_each(|uid| many.push(record(&uid.to_string(), "shop", &[], true)));
        assert_eq!(many.find(&Wanted::default(), 1).1, MOST);
    }
}
