//! The text of one file and the way from byte offsets to lines and columns.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::Diagnostic;

/// A file as it was read: its name, its text and where its lines begin.
///
/// Shared by reference counting, so that a [`Diagnostic`] can show the text long after loading.
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    name: String,
    text: String,
    /// Byte offset at which each line begins; the first is always 0.
    lines: Vec<usize>,
}

/// A place for people: both numbers begin at 1, and the column counts characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl SourceFile {
    /// A file called `name`: a path, or `configmap/NAMESPACE/NAME:KEY` for a key of a ConfigMap.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Arc::new(Self { name: name.into(), text, lines })
    }

    /// As [`SourceFile::new`], from bytes that should be UTF-8; if they are not, the error points at the first bad byte.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Arc<Self>, Box<Diagnostic>> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(name, text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let file = Self::new(name, String::from_utf8_lossy(error.as_bytes()));
                let bad = file.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
                Err(Box::new(
                    Diagnostic::error(&file, at..at + bad, "the file is not UTF-8")
                        .label("the first byte that is not UTF-8"),
                ))
            }
        }
    }

    /// The name that messages print.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text at a byte range; empty where the range does not lie on character boundaries of this file.
    pub fn slice(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Line and column of a byte offset; an offset past the end is the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_of(offset);
        let start = self.line_start(line);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Position { line: line + 1, column }
    }

    /// The byte offset of a line and a column counted in *bytes*, both from 1, as serde_json reports them.
    pub(super) fn offset_of(&self, line: usize, byte_column: usize) -> usize {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        self.text.floor_char_boundary(start + byte_column.saturating_sub(1))
    }

    /// The whole lines that a byte range touches: the number of the first, from 1, and the byte range of all.
    pub(super) fn lines_around(&self, span: &Range<usize>) -> (usize, Range<usize>) {
        let first = self.line_of(span.start);
        let last = self.line_of(span.end.max(span.start));
        let end = self.lines.get(last + 1).copied().unwrap_or(self.text.len());
        (first + 1, self.line_start(first)..end)
    }

    fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }
}

/// Name and size only: a file may hold a Secret.
impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, {} bytes)", self.name, self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_columns_in_characters_and_keeps_inside_the_file() {
        let file = SourceFile::new("f", "a: é→x\r\nb\n");
        let at = |offset| {
            let Position { line, column } = file.position(offset);
            (line, column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (1, 4));
        assert_eq!(at(4), (1, 4), "inside a character is its beginning");
        assert_eq!(at(5), (1, 5));
        assert_eq!(at(8), (1, 6));
        assert_eq!(at(11), (2, 1));
        assert_eq!(at(13), (3, 1));
        assert_eq!(at(99), (3, 1));
    }

    #[test]
    fn rejects_bytes_that_are_not_utf8_with_their_place() {
        let error = SourceFile::from_bytes("f.yaml", b"a: 1\nb: \xff\xfe".to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "f.yaml:2:4: error: the file is not UTF-8");
    }
}
