//! What nobody may see of a review that is kept: in a recording, or in a server's memory for those who ask later.
//!
//! | redacted | where |
//! |---|---|
//! | the values of `data` and `stringData` | of Secrets |
//! | `spec` and `status` | of TokenRequests and TokenReviews |
//! | annotations that repeat the whole object (`kubectl.kubernetes.io/last-applied-configuration` and its like) | everywhere, in templates too |
//! | `managedFields`, which repeat keys and members of sets | everywhere |
//! | what the rules name that somebody configured | of their kinds |
//!
//! Each value becomes a marker ([`Node::is_redacted`]); maps keep their keys. A policy that looks at a marker leaves a trace
//! in the arena ([`Arena::unknowns`]), so that what is concluded from it is known to be in doubt. An update's value that the
//! stored object has at the same place has the same marker there: that nothing has changed is no secret.
//!
//! Where a rule's path leads to something else than a map or a list, as it says, that is redacted as a whole: a path that does
//! not fit must not let anything out.

mod rule;

#[cfg(test)]
mod tests;

pub use rule::{Rule, RuleError};

use self::rule::Step;
use crate::json::{Arena, Node, ReadError};
use crate::review::{Answer, GroupVersionKind, KindName, Lazy, Lookup, Review};

/// Annotations in which tools keep a copy of the object that they have applied: kubectl, kapp, Rancher's Wrangler (Fleet,
/// k3s), and operators with Banzai Cloud's objectmatcher.
const COPIES: [&str; 4] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
];

/// Half of a typical object.
const MANAGED_FIELDS: &str = "managedFields";

/// What is redacted. The default is what always is.
#[derive(Clone, Debug)]
pub struct Redaction {
    rules: Vec<Rule>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::with(vec![])
    }
}

/// A group and a kind, whatever the version.
type Kind<'k> = (&'k str, &'k str);

impl Redaction {
    /// What always is, and what these rules name.
    pub fn with(rules: Vec<Rule>) -> Self {
        Self { rules: rule::always().into_iter().chain(rules).collect() }
    }

    /// The review as it may be kept. Its trees are in the same arena.
    ///
    /// # Errors
    /// When an object cannot be read.
    pub fn review<'a>(&self, review: &Review<'a>) -> Result<Review<'a>, ReadError> {
        let arena = review.arena;
        let kinds = [kind(review.kind), kind(review.request_kind)];
        let redacted = |lazy: Option<&Lazy<'a>>, twin: Option<Pair<'a>>| -> Result<Option<Pair<'a>>, ReadError> {
            let Some(original) = lazy.map(Lazy::node).transpose()? else { return Ok(None) };
            Ok(Some(Pair { original, redacted: self.object(arena, &kinds, original, twin) }))
        };
        let object = redacted(review.object.as_ref(), None)?;
        let old = redacted(review.old_object.as_ref(), object)?;
        let options = redacted(review.options.as_ref(), None)?;
        let lazy = |pair: Option<Pair<'a>>| pair.map(|pair| Lazy::of(arena, pair.redacted));
        Ok(Review { object: lazy(object), old_object: lazy(old), options: lazy(options), ..review.clone() })
    }

    /// What was found for a lookup, as it may be kept.
    pub fn answer<'a>(&self, arena: &'a Arena, lookup: &Lookup<'_>, answer: Answer<'a>) -> Answer<'a> {
        let Answer::Found(found) = answer else { return answer };
        let object = |kind: Kind<'_>, object: Node<'a>| self.object(arena, &[kind], object, None);
        let items = |kind: Kind<'_>, list: Node<'a>| {
            let items: Vec<Node<'a>> = list.items().iter().map(|item| object(kind, *item)).collect();
            arena.list(&items)
        };
        Answer::Found(match lookup {
            Lookup::Access(_) | Lookup::Scope(_) => found,
            Lookup::Namespace(_) => object(("", "Namespace"), found),
            Lookup::Object(name) => object(kind_of(&name.kind), found),
            Lookup::Objects(name) => items(kind_of(&name.kind), found),
            Lookup::Pods(_) => match found.as_map().and_then(|list| Some((list, list.position("items")?))) {
                Some((list, position)) => {
                    let mut entries = list.entries().to_vec();
                    if let Some((_, pods)) = entries.get_mut(position) {
                        *pods = items(("", "Pod"), *pods);
                    }
                    arena.map(&entries)
                }
                None => object(("", "Pod"), found),
            },
        })
    }

    /// An object of these kinds, and of the one that it says it is.
    fn object<'a>(&self, arena: &'a Arena, kinds: &[Kind<'_>], object: Node<'a>, twin: Option<Pair<'a>>) -> Node<'a> {
        let own = object.str("apiVersion").unwrap_or_default();
        let own = (own.split_once('/').map_or("", |(group, _)| group), object.str("kind").unwrap_or_default());
        let mut paths: Vec<Vec<Step>> = Vec::new();
        for (group, kind) in kinds.iter().copied().chain([own]) {
            for path in self.rules.iter().filter_map(|rule| rule.path_in(group, kind)) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        let paths: Vec<&[Step]> = paths.iter().map(Vec::as_slice).collect();
        walk(arena, object, &paths, twin)
    }
}

fn kind(kind: GroupVersionKind<'_>) -> Kind<'_> {
    (kind.group, kind.kind)
}

fn kind_of<'k>(name: &'k KindName<'_>) -> Kind<'k> {
    (name.api_version.split_once('/').map_or("", |(group, _)| group), &name.kind)
}

/// The value at the same place of the other object, before and after redaction.
#[derive(Clone, Copy)]
struct Pair<'a> {
    original: Node<'a>,
    redacted: Node<'a>,
}

impl Pair<'_> {
    fn key(self, key: &str) -> Option<Self> {
        // What is redacted is one value: there is nothing in it to compare with.
        let redacted = (!self.redacted.is_unread()).then_some(self.redacted)?;
        Some(Self { original: self.original.get(key)?, redacted: redacted.get(key)? })
    }

    fn item(self, index: usize) -> Option<Self> {
        let redacted = (!self.redacted.is_unread()).then_some(self.redacted)?;
        Some(Self { original: *self.original.items().get(index)?, redacted: *redacted.items().get(index)? })
    }
}

/// The value without what these paths lead to. What has nothing of it is the same node.
fn walk<'a>(arena: &'a Arena, node: Node<'a>, paths: &[&[Step]], twin: Option<Pair<'a>>) -> Node<'a> {
    if node.is_null() || node.is_redacted() {
        return node;
    }
    let is_misfit = |step: &Step| match step {
        Step::Key(_) | Step::AnyKey => node.as_map().is_none(),
        Step::AnyItem => node.as_list().is_none(),
    };
    if paths.iter().any(|path| path.first().is_none_or(is_misfit)) {
        return hide(arena, node, twin);
    }
    if let Some(items) = node.as_list() {
        let below = after(paths, |step| *step == Step::AnyItem);
        let item = |(index, item): (usize, &Node<'a>)| walk(arena, *item, &below, twin.and_then(|it| it.item(index)));
        let new: Vec<Node<'a>> = items.iter().enumerate().map(item).collect();
        let is_same = new.iter().zip(items).all(|(new, old)| new.is_same(*old));
        return if is_same { node } else { arena.list(&new) };
    }
    let Some(map) = node.as_map() else { return node };
    let entry = |(key, value): &(&'a str, Node<'a>)| {
        let twin = twin.and_then(|twin| twin.key(key));
        if COPIES.contains(key) || (*key == MANAGED_FIELDS && value.is_unread()) {
            return (*key, if value.is_null() { *value } else { hide(arena, *value, twin) });
        }
        let below = after(paths, |step| match step {
            Step::Key(wanted) => wanted == key,
            step => *step == Step::AnyKey,
        });
        (*key, walk(arena, *value, &below, twin))
    };
    let new: Vec<_> = map.entries().iter().map(entry).collect();
    let is_same = new.iter().zip(map.entries()).all(|(new, old)| new.1.is_same(old.1));
    if is_same { node } else { arena.map(&new) }
}

/// What is left of the paths that begin so.
fn after<'p>(paths: &[&'p [Step]], is_taken: impl Fn(&Step) -> bool) -> Vec<&'p [Step]> {
    let rest = |path: &&'p [Step]| path.split_first().filter(|(first, _)| is_taken(first)).map(|(_, rest)| rest);
    paths.iter().filter_map(rest).collect()
}

fn hide<'a>(arena: &'a Arena, node: Node<'a>, twin: Option<Pair<'a>>) -> Node<'a> {
    match twin {
        Some(twin) if twin.redacted.is_redacted() && twin.original == node => twin.redacted,
        _ => arena.redacted(),
    }
}
