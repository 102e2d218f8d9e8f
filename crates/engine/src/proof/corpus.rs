//! The starter corpus: workloads of every common shape, a part of the program.

use std::sync::LazyLock;

use crate::document::{Limits, SourceFile, Spanned, parse};
use crate::json::{Arena, Node};

const TEXT: &str = include_str!("../../data/corpus.yaml");

static DOCUMENTS: LazyLock<Vec<Spanned>> =
    LazyLock::new(|| parse(&SourceFile::new("corpus.yaml", TEXT), &Limits::default()).documents);

/// How many objects there are.
pub(super) fn len() -> usize {
    DOCUMENTS.len()
}

/// The object at this position, as somebody would write it; null beyond the last.
pub(super) fn object(arena: &Arena, position: usize) -> Node<'_> {
    DOCUMENTS.get(position).map_or(Node::NULL, |document| document.to_node(arena))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::decoding::fault;
    use crate::kubernetes::schema::Schemas;

    #[test]
    fn holds_objects_that_are_what_they_say() {
        let (arena, schemas) = (Arena::with_limit(1 << 24), Schemas::built_in());
        assert!(len() > 20);
        for position in 0..len() {
            let object = object(&arena, position);
            let (api_version, kind) = (object.str("apiVersion").unwrap(), object.str("kind").unwrap());
            let schema = schemas.of(api_version, kind).unwrap_or_else(|| panic!("{api_version} {kind}"));
            assert_eq!(
                fault(&schema, Node::NULL, object),
                None,
                "{kind} {:?}",
                object.at(&["metadata"]).unwrap().str("name")
            );
        }
    }
}
