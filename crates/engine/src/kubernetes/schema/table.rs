//! Reads the table of built-in types. Its head explains its notation.

use std::borrow::Cow;

use super::{Field, Items, ListType, MapType, Scalar, Schemas, Type, TypeId, Types, fields};
use crate::json::Constant;
use crate::seedless::HashMap;

/// As it was generated from the OpenAPI documents of Kubernetes.
pub(super) const TABLE: &str = include_str!("../../../data/schemas.txt");

const DEDUCED: &str = "__untyped_deduced_";
const METADATA: &str = "apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The table's types while it is being read: those that have a name or a notation of their own are made once.
#[derive(Default)]
struct Reader {
    types: Types,
    /// By name and by notation.
    known: HashMap<&'static str, TypeId>,
    /// Replaced as a whole where they are mentioned: the type itself, and its copy.
    atomic: Vec<(TypeId, TypeId)>,
}

/// That every line can be read, and that no name is without a type, is tested.
pub(super) fn read() -> Schemas {
    let mut reader = Reader::default();
    let (head, blocks) = TABLE.split_once("\n\n").unwrap_or((TABLE, ""));
    for block in blocks.split("\n\n") {
        reader.block(block);
    }
    // When all are known: a copy differs from what it copies in this alone.
    for (original, copy) in std::mem::take(&mut reader.atomic) {
        if let Some(mut one) = reader.types.get(original).cloned() {
            // As Schema.Resolve overrides it: the map if it is one.
            match (&mut one.map, &mut one.list) {
                (Some(map), _) => map.is_atomic = true,
                (None, Some(list)) => list.items = Items::Atomic,
                (None, None) => {}
            }
            reader.types.set(copy, one);
        }
    }
    let kinds = head.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
    let mut kinds: Vec<_> = kinds.map(|(kind, name)| (kind, reader.named(name))).collect();
    kinds.sort_unstable_by_key(|kind| kind.0);
    let (deduced, metadata) = (reader.named(DEDUCED), reader.named(METADATA));
    Schemas { types: reader.types.0.into(), kinds, deduced, metadata }
}

impl Reader {
    /// A type by its name, which may be defined on a later line.
    fn named(&mut self, name: &'static str) -> TypeId {
        let types = &mut self.types;
        *self.known.entry(name).or_insert_with(|| types.add(Type::default()))
    }

    fn block(&mut self, block: &'static str) {
        let mut lines = block.lines();
        let Some((name, notation)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
        let id = self.named(name);
        let plain = notation.strip_prefix('!').unwrap_or(notation);
        let one = match plain.strip_prefix("fields") {
            Some(others) => {
                let others = (!others.is_empty()).then(|| self.mentioned(others));
                let declared: Vec<Field> = lines.filter_map(|line| self.field(line)).collect();
                let is_atomic = plain.len() < notation.len();
                Type { map: Some(MapType { fields: fields(declared), others, is_atomic }), ..Type::default() }
            }
            None => self.atom(notation),
        };
        self.types.set(id, one);
    }

    fn field(&mut self, line: &'static str) -> Option<Field> {
        let mut parts = line.trim_start().splitn(3, ' ');
        let (name, of) = (parts.next()?, parts.next()?);
        let default: Option<Constant> = parts.next().and_then(|text| serde_json::from_str(text).ok());
        Some(Field { name: Cow::Borrowed(name), of: self.mentioned(of), default })
    }

    /// The type that is written at a place where one is mentioned: a name, a name with `!`, or a notation.
    fn mentioned(&mut self, text: &'static str) -> TypeId {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        if let Some(name) = text.strip_prefix('!').filter(|name| !name.starts_with("{}")) {
            let original = self.named(name);
            let copy = self.named(text);
            self.atomic.push((original, copy));
            return copy;
        }
        if scalar(text).is_none() && !text.starts_with(['[', '{', '!']) {
            return self.named(text);
        }
        let one = self.atom(text);
        let id = self.types.add(one);
        self.known.insert(text, id);
        id
    }

    fn atom(&mut self, notation: &'static str) -> Type {
        let mut one = Type::default();
        for part in notation.split('|') {
            if let Some(scalar) = scalar(part) {
                one.scalar = Some(scalar);
            } else if let Some((keys, element)) = part.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                let items = match keys {
                    "" => Items::Atomic,
                    "set" => Items::Set,
                    keys => Items::Keyed(keys.split(',').map(Cow::Borrowed).collect()),
                };
                one.list = Some(ListType { items, element: self.mentioned(element) });
            } else if let Some((mark, element)) = part.split_once("{}") {
                let others = Some(self.mentioned(element));
                one.map = Some(MapType { fields: [].into(), others, is_atomic: mark == "!" });
            }
        }
        one
    }
}

fn scalar(text: &str) -> Option<Scalar> {
    match text {
        "numeric" => Some(Scalar::Numeric),
        "string" => Some(Scalar::String),
        "boolean" => Some(Scalar::Boolean),
        "untyped" => Some(Scalar::Untyped),
        _ => None,
    }
}
