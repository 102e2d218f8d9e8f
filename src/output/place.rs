//! Where in the user's file something stands that is said about an object.

use std::ops::Range;

use admittance_engine::document::{Kind, SourceFile, Spanned};
use admittance_engine::json::{PathBuf, SegmentBuf};
use admittance_engine::review::Operation;

use crate::manifests::{Judged, Manifest};

/// A place for people and for CI systems: lines and columns from 1, columns in characters. The end is the first column behind
/// it, and on the line where it starts: of a value on several lines only the first is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its line.
    pub line: usize,
    /// Its first column.
    pub column: usize,
    /// The column behind its last one; at least one more than the first.
    pub end_column: usize,
}

impl Region {
    /// Of a byte range of a file.
    pub fn of(file: &SourceFile, span: &Range<usize>) -> Self {
        let start = file.position(span.start);
        let first_line = file.slice(span).lines().next().unwrap_or_default().trim_end();
        Self { line: start.line, column: start.column, end_column: start.column + first_line.chars().count().max(1) }
    }
}

/// What stands in the file at a path of the judged object. What was not written (a default, or what mutation added) is placed
/// at as much of the way to it as was.
///
/// The second value says whether all of the way was written.
pub fn written<'t>(manifest: &Manifest<'t>, judged: &Judged<'_>, path: &PathBuf) -> (&'t Spanned, bool) {
    let object = match judged.review.operation {
        _ if !manifest.is_review() => Some(manifest.document),
        Operation::Delete => manifest.document.at("/request/oldObject"),
        _ => manifest.document.at("/request/object"),
    };
    written_at(object.unwrap_or(manifest.document), path)
}

/// The value at a path, or the last one on the way to it. Items of lists are looked for by their key: mutation may have put
/// others before them.
fn written_at<'t>(object: &'t Spanned, path: &PathBuf) -> (&'t Spanned, bool) {
    let step = |node: &'t Spanned, segment: &SegmentBuf| match (&node.kind, segment) {
        (Kind::Map(map), SegmentBuf::Key(key)) => map.get(key),
        (Kind::List(items), SegmentBuf::Item { index, key: None }) => items.get(*index),
        (Kind::List(items), SegmentBuf::Item { key: Some((field, value)), .. }) => items.iter().find(|item| {
            let found = item.as_map().and_then(|map| map.get(field)).and_then(Spanned::as_str);
            found == Some(value.as_str())
        }),
        _ => None,
    };
    let mut node = object;
    for segment in &path.0 {
        let Some(next) = step(node, segment) else { return (node, false) };
        node = next;
    }
    (node, true)
}
