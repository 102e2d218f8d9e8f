//! Maps and sets whose hashes are the same in every process, so that what is counted of them is too.
//!
//! Only for keys that the authors of policies choose, or the program itself: who knows the hashes can make keys that collide. What
//! requests say belongs into ordered maps, or into those of the standard library with their random seed.

use std::collections;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// A map; made with `default()`.
pub(crate) type HashMap<K, V> = collections::HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// A set; made with `default()`.
pub(crate) type HashSet<K> = collections::HashSet<K, BuildHasherDefault<DefaultHasher>>;
