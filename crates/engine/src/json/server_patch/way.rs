//! Finding a place as the library finds it, and changing it by path copying.

use super::super::pointer;
use super::{
    Arena, INVALID_INDEX, List, MISSING, Map, Node, Stop, View, add_entry, drop_entry, drop_item, insert_item,
    is_placed_null, replace_entry, replace_item,
};

/// What keeps a place from being changed.
pub(super) enum Why {
    /// Words for the place where it happened.
    Words(String),
    /// The library would panic.
    Crash(Stop),
}

impl Why {
    pub(super) fn within(self, place: impl FnOnce(String) -> Stop) -> Stop {
        match self {
            Self::Words(words) => place(words),
            Self::Crash(stop) => stop,
        }
    }
}

fn words<T>(text: String) -> Result<T, Why> {
    Err(Why::Words(text))
}

/// The container that holds a place.
enum Container<'a> {
    Map(Map<'a>),
    List(List<'a>),
    /// A null that an operation placed: a map that can be read and not written.
    Null,
}

/// The way down to a place, and the place's key in the last container.
pub(super) struct Way<'a> {
    /// From the root: what an edit must copy, and the position of the next in each.
    above: Vec<(Node<'a>, usize)>,
    container: Container<'a>,
    pub(super) key: String,
}

impl<'a> Way<'a> {
    /// None if there is no container at the end of the path, or no slash in it.
    pub(super) fn to(root: Node<'a>, path: &str) -> Option<Self> {
        // What stands before the first slash does not count.
        let (_, path) = path.split_once('/')?;
        let (parents, key) = path.rsplit_once('/').map_or((None, path), |(parents, key)| (Some(parents), key));
        let mut above = vec![];
        let mut node = root;
        for part in parents.into_iter().flat_map(|parents| parents.split('/')) {
            let part = pointer::decode(part);
            let (position, next) = match node.view() {
                View::Map(map) => {
                    let position = map.position(&part)?;
                    (position, map.entries().get(position)?.1)
                }
                View::List(items) => {
                    let position = index(&part, items.len()).ok()?;
                    (position, *items.get(position)?)
                }
                _ => return None,
            };
            if next.is_null() {
                return None;
            }
            above.push((node, position));
            node = next;
        }
        let container = match node.view() {
            View::Map(map) => Container::Map(*map),
            View::List(items) => Container::List(items),
            View::Null if is_placed_null(node) => Container::Null,
            _ => return None,
        };
        Some(Self { above, container, key: pointer::decode(key).into_owned() })
    }

    /// How many containers stand around the place.
    pub(super) fn depth(&self) -> usize {
        self.above.len() + 1
    }

    /// What stands there; None for a key that is absent or null.
    pub(super) fn get(&self) -> Result<Option<Node<'a>>, String> {
        match self.container {
            Container::Map(map) => Ok(map.get(&self.key).filter(|node| !node.is_null())),
            Container::List(items) => {
                let position = index(&self.key, items.len())?;
                Ok(items.get(position).copied().filter(|node| !node.is_null()))
            }
            Container::Null => Ok(None),
        }
    }

    /// Sets a key, or inserts before the item of this index.
    pub(super) fn add(&self, arena: &'a Arena, value: Option<Node<'a>>) -> Result<Node<'a>, Why> {
        let value = value.unwrap_or(Node::NULL);
        let Container::List(items) = self.container else { return self.set(arena, Some(value)) };
        let position = if self.key == "-" {
            items.len()
        } else {
            let number = atoi(&self.key);
            let number =
                number.or_else(|why| words(format!("value was not a proper array index: '{}': {why}", self.key)))?;
            // As if the list had one item more: -1 is behind the last.
            position(number, items.len() + 1).or_else(words)?
        };
        Ok(self.put(arena, insert_item(arena, items, position, value)))
    }

    /// Sets a key, or the item of this index.
    pub(super) fn set(&self, arena: &'a Arena, value: Option<Node<'a>>) -> Result<Node<'a>, Why> {
        let value = value.unwrap_or(Node::NULL);
        let new = match self.container {
            Container::Map(map) => match map.position(&self.key) {
                Some(position) => replace_entry(arena, map, position, value),
                None => add_entry(arena, map, &self.key, value),
            },
            Container::List(items) => replace_item(arena, items, index(&self.key, items.len()).or_else(words)?, value),
            Container::Null => return super::crash("a field of a null").map_err(Why::Crash),
        };
        Ok(self.put(arena, new))
    }

    /// Takes a key or an item away.
    pub(super) fn remove(&self, arena: &'a Arena) -> Result<Node<'a>, Why> {
        let absent = || words(format!("Unable to remove nonexistent key: {}: {MISSING}", self.key));
        let new = match self.container {
            Container::Map(map) => match map.position(&self.key) {
                Some(position) => drop_entry(arena, map, position),
                None => return absent(),
            },
            Container::List(items) => drop_item(arena, items, index(&self.key, items.len()).or_else(words)?),
            Container::Null => return absent(),
        };
        Ok(self.put(arena, new))
    }

    /// The root with another last container.
    fn put(&self, arena: &'a Arena, new: Node<'a>) -> Node<'a> {
        self.above.iter().rev().fold(new, |new, (container, position)| match container.view() {
            View::Map(map) => replace_entry(arena, *map, *position, new),
            View::List(items) => replace_item(arena, items, *position, new),
            _ => new,
        })
    }
}

/// Go's strconv.Atoi: a sign and leading zeros are fine.
fn atoi(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("strconv.Atoi: parsing {text:?}: invalid syntax"));
    }
    text.parse().map_err(|_| format!("strconv.Atoi: parsing {text:?}: value out of range"))
}

/// The position that a key means among `len` items.
fn index(key: &str, len: usize) -> Result<usize, String> {
    position(atoi(key)?, len)
}

fn position(number: i64, len: usize) -> Result<usize, String> {
    let from_start = if number < 0 { number.checked_add_unsigned(len as u64) } else { Some(number) };
    let position = from_start.and_then(|number| usize::try_from(number).ok()).filter(|position| *position < len);
    position.ok_or_else(|| format!("Unable to access invalid index: {number}: {INVALID_INDEX}"))
}
