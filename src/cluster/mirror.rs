//! What a watch has seen: the objects that are there.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use kube::runtime::watcher::Event;

/// Objects of one watch, each as a `T`.
#[derive(Debug)]
pub(crate) struct Mirror<T> {
    known: BTreeMap<Key, T>,
    /// A new list that is not complete yet.
    arriving: Option<BTreeMap<Key, T>>,
    is_synced: bool,
}

/// Namespace, empty for what is in none, and name.
pub(crate) type Key = (String, String);

fn key<K: kube::Resource>(object: &K) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

impl<T> Default for Mirror<T> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), arriving: None, is_synced: false }
    }
}

impl<T> Mirror<T> {
    /// Whether it has been complete once.
    pub(crate) const fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// What there is, by namespace and name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &T)> {
        self.known.iter()
    }

    /// The one of this namespace and name.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<&T> {
        self.known.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Takes over an event; an object that is read as None is passed over. Says whether what there is may have changed.
    pub(crate) fn take<K: kube::Resource>(&mut self, event: Event<K>, read: impl Fn(K) -> Option<T>) -> bool {
        match event {
            Event::Init => {
                self.arriving = Some(BTreeMap::new());
                false
            }
            Event::InitApply(object) => {
                let key = key(&object);
                if let (Some(arriving), Some(read)) = (&mut self.arriving, read(object)) {
                    arriving.insert(key, read);
                }
                false
            }
            Event::InitDone => {
                self.known = self.arriving.take().unwrap_or_default();
                self.is_synced = true;
                true
            }
            Event::Apply(object) => {
                let key = key(&object);
                match read(object) {
                    Some(read) => drop(self.known.insert(key, read)),
                    None => drop(self.known.remove(&key)),
                }
                true
            }
            Event::Delete(object) => self.known.remove(&key(&object)).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::core::ObjectMeta;

    use super::*;

    fn named(name: &str) -> ConfigMap {
        ConfigMap {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            ..ConfigMap::default()
        }
    }

    #[test]
    fn holds_a_new_list_back_until_it_is_complete() {
        let mut mirror = Mirror::<String>::default();
        let mut take = |event| mirror.take(event, |object: ConfigMap| Some(object.name_any()));
        assert!(!take(Event::Init) && !take(Event::InitApply(named("a"))) && !take(Event::InitApply(named("b"))));
        assert!(take(Event::InitDone) && take(Event::Apply(named("c"))) && take(Event::Delete(named("a"))));
        assert!(!take(Event::Delete(named("x"))) && !take(Event::Init) && !take(Event::InitApply(named("d"))));
        assert_eq!(mirror.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert!(mirror.take(Event::InitDone, |object: ConfigMap| Some(object.name_any())));
        assert_eq!(mirror.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["d"]);
    }
}
