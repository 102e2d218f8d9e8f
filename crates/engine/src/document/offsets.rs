//! From a place inside a decoded string to its place in the file, for the five notations of a scalar (and JSON's,
//! which is a double-quoted one).
//!
//! The raw text is read again beside the decoded one, in pieces: each piece of decoded text comes from one stretch of
//! raw text. Where both do not go together the whole scalar is the answer, never a wrong place.

use std::ops::Range;

use super::tree::Text;

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
    /// The value was computed (base64): there is no way back.
    Opaque,
}

/// A stretch of the decoded text and the stretch of the file that it stands for. If both are equally long, their bytes
/// correspond one by one; else they do as a whole.
#[derive(Debug, PartialEq)]
struct Piece {
    decoded: Range<usize>,
    raw: Range<usize>,
}

pub(super) fn raw_range(text: &Text, file: &str, decoded: &Range<usize>) -> Range<usize> {
    let Some(pieces) = pieces(text, file) else { return text.raw.clone() };
    let start = decoded.start.min(text.value.len());
    let end = decoded.end.clamp(start, text.value.len());
    // The piece that holds the first byte; at the end of the string, the end of the last piece.
    let first = pieces.iter().find(|piece| piece.decoded.contains(&start));
    let raw_start = match (first, pieces.last()) {
        (Some(piece), _) => piece.byte(start),
        (None, Some(last)) => last.raw.end,
        (None, None) => text.raw.end - usize::from(matches!(text.style, Style::Single | Style::Double)),
    };
    if start == end {
        return raw_start..raw_start;
    }
    let last = pieces.iter().find(|piece| piece.decoded.contains(&(end - 1)));
    let raw_end =
        last.map_or(raw_start, |piece| if end == piece.decoded.end { piece.raw.end } else { piece.byte_end(end) });
    raw_start..raw_end.max(raw_start)
}

impl Piece {
    fn is_exact(&self) -> bool {
        self.decoded.len() == self.raw.len()
    }

    fn byte(&self, decoded: usize) -> usize {
        if self.is_exact() { self.raw.start + (decoded - self.decoded.start) } else { self.raw.start }
    }

    fn byte_end(&self, decoded: usize) -> usize {
        if self.is_exact() { self.raw.start + (decoded - self.decoded.start) } else { self.raw.end }
    }
}

/// All pieces in order, without a gap in the decoded text; none if the scalar does not read as expected.
fn pieces(text: &Text, file: &str) -> Option<Vec<Piece>> {
    let mut walk =
        Walk { file, decoded: &text.value, at: 0, raw: text.raw.start, end: text.raw.end, pieces: Vec::new() };
    match text.style {
        Style::Plain => walk.flow(Flow::Plain)?,
        Style::Single | Style::Double => {
            let flow = if text.style == Style::Single { Flow::Single } else { Flow::Double };
            walk.raw += 1;
            walk.end = walk.end.checked_sub(1)?;
            walk.flow(flow)?;
        }
        Style::Literal => walk.block(false)?,
        Style::Folded => walk.block(true)?,
        Style::Opaque => return None,
    }
    (walk.at == text.value.len()).then_some(walk.pieces)
}

#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Plain,
    Single,
    Double,
}

/// A position in the raw text and the one in the decoded text that corresponds.
struct Walk<'a> {
    file: &'a str,
    decoded: &'a str,
    at: usize,
    raw: usize,
    end: usize,
    pieces: Vec<Piece>,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> &'a str {
        self.file.get(self.raw..self.end).unwrap_or_default()
    }

    fn rest_decoded(&self) -> &'a str {
        self.decoded.get(self.at..).unwrap_or_default()
    }

    /// `decoded` bytes of the decoded text stand for `raw` bytes of the file.
    fn take(&mut self, decoded: usize, raw: usize) -> Option<()> {
        let piece = Piece { decoded: self.at..self.at + decoded, raw: self.raw..self.raw + raw };
        self.decoded.get(piece.decoded.clone())?;
        (piece.raw.end <= self.end).then_some(())?;
        self.at = piece.decoded.end;
        self.raw = piece.raw.end;
        if decoded > 0 {
            self.pieces.push(piece);
        }
        Some(())
    }

    /// `text` stands in both.
    fn take_same(&mut self, text: &str) -> Option<()> {
        self.rest_decoded().starts_with(text).then_some(())?;
        self.take(text.len(), text.len())
    }

    /// Plain and quoted scalars: characters, escapes and folded line breaks.
    fn flow(&mut self, flow: Flow) -> Option<()> {
        while let Some(first) = self.rest().chars().next() {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            if line_break(rest.get(blanks..)?).is_some() {
                self.fold(blanks)?;
            } else if flow == Flow::Single && rest.starts_with("''") {
                self.rest_decoded().starts_with('\'').then_some(())?;
                self.take(1, 2)?;
            } else if flow == Flow::Double && first == '\\' {
                self.escape()?;
            } else {
                let special = |c: char| {
                    matches!(c, ' ' | '\t' | '\r' | '\n')
                        || flow == Flow::Single && c == '\''
                        || flow == Flow::Double && c == '\\'
                };
                let run = rest.find(special).unwrap_or(rest.len()).max(first.len_utf8());
                self.take_same(rest.get(..run)?)?;
            }
        }
        Some(())
    }

    /// A line break and all blanks around it: a space, or one line feed for each further line break.
    fn fold(&mut self, blanks: usize) -> Option<()> {
        let rest = self.rest();
        let white = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let breaks = count_breaks(rest.get(blanks..white)?);
        let decoded = if breaks == 1 { " ".len() } else { breaks - 1 };
        let expected = |c: char| if breaks == 1 { c == ' ' } else { c == '\n' };
        self.rest_decoded().get(..decoded)?.chars().all(expected).then_some(())?;
        self.take(decoded, white)
    }

    /// One escape of a double-quoted scalar (YAML 1.2 section 5.7; JSON's are among them).
    fn escape(&mut self) -> Option<()> {
        let rest = self.rest();
        let after = rest.get(1..)?;
        if let Some(width) = line_break(after) {
            // The break is escaped: nothing stands for it, nor for the blanks that begin the next line; every further
            // break is one line feed.
            let white = after.len() - after.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let further = count_breaks(after.get(width..white)?);
            self.rest_decoded().get(..further)?.chars().all(|c| c == '\n').then_some(())?;
            return self.take(further, 1 + white);
        }
        let hex = |digits: usize| after.get(1..=digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = after.chars().next()?;
        let (raw, unit) = match code {
            'x' => (4, hex(2)?),
            'u' => (6, hex(4)?),
            'U' => (10, hex(8)?),
            _ => (1 + code.len_utf8(), 0),
        };
        // The second half of a surrogate pair is an escape of its own.
        let raw = if (0xd800..0xdc00).contains(&unit) { raw + 6 } else { raw };
        let decoded = self.rest_decoded().chars().next()?;
        self.take(decoded.len_utf8(), raw)
    }

    /// Block scalars. The raw text begins at the first character of the first line that is not blank, and so its
    /// column is the indentation of all lines.
    fn block(&mut self, folded: bool) -> Option<()> {
        let before = self.file.get(..self.raw)?;
        let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let indent = self.raw - line_start;
        let leading = self.decoded.len() - self.decoded.trim_start_matches('\n').len();
        if leading == self.decoded.len() {
            return None;
        }
        self.leading_breaks(before.get(..line_start)?, leading)?;
        let mut first = true;
        while !self.rest().is_empty() {
            if !first {
                let blanks = self.rest().bytes().take(indent).take_while(|byte| *byte == b' ').count();
                self.take(0, blanks)?;
            }
            first = false;
            let rest = self.rest();
            let line = rest.find(['\r', '\n']).unwrap_or(rest.len());
            self.take_same(rest.get(..line)?)?;
            self.block_breaks(folded, indent)?;
        }
        if self.rest_decoded() == "\n" {
            // The file ends without the line break that the scalar keeps.
            self.take(1, 0)?;
        }
        Some(())
    }

    /// The line feeds that begin the decoded text are the breaks of the blank lines before the first line.
    fn leading_breaks(&mut self, before: &str, count: usize) -> Option<()> {
        let start = self.raw;
        let mut breaks = Vec::with_capacity(count);
        let mut end = before.len();
        for _ in 0..=count {
            let line = before.get(..end)?;
            let width = if line.ends_with("\r\n") { 2 } else { usize::from(line.ends_with(['\n', '\r'])) };
            breaks.push(end.checked_sub(width)?..end);
            let body = line.get(..end - width)?;
            end = body.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        }
        // The last that was found ends the header.
        for raw in breaks.into_iter().rev().skip(1) {
            self.raw = raw.start;
            self.take(1, raw.len())?;
        }
        self.raw = start;
        Some(())
    }

    /// The breaks after a line: one line feed each in a literal scalar; in a folded one a single break is a space, or
    /// the first of several is nothing, unless a line beside it is indented further. The decoded text tells which.
    fn block_breaks(&mut self, folded: bool, indent: usize) -> Option<()> {
        let mut breaks = Vec::new();
        let mut after = self.raw;
        while let Some(width) = self.file.get(after..self.end).and_then(line_break) {
            breaks.push(after..after + width);
            after += width;
            // A line of nothing but its indentation is blank; with more blanks it has content.
            let rest = self.file.get(after..self.end)?;
            let blanks = rest.bytes().take(indent).take_while(|byte| *byte == b' ').count();
            match rest.get(blanks..) {
                Some(content) if !content.is_empty() && line_break(content).is_none() => break,
                Some("") => {
                    after += blanks;
                    break;
                }
                _ => after += blanks,
            }
        }
        let feeds = self.rest_decoded().len() - self.rest_decoded().trim_start_matches('\n').len();
        let last = self.file.get(after..self.end).is_none_or(str::is_empty);
        if folded && !last && feeds == 0 {
            (breaks.len() == 1 && self.rest_decoded().starts_with(' ')).then_some(())?;
            return self.take(1, breaks.first()?.len());
        }
        // Fewer line feeds than breaks: folded away at the front, or chomped at the end.
        let skipped = breaks.len().checked_sub(feeds);
        let kept = match skipped {
            Some(skipped) if folded && !last => breaks.get(skipped..)?,
            _ => breaks.get(..feeds.min(breaks.len()))?,
        };
        for raw in kept {
            self.raw = raw.start;
            self.take(1, raw.len())?;
        }
        self.raw = after;
        Some(())
    }
}

/// The width of the line break that a text begins with.
fn line_break(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [b'\r', b'\n', ..] => Some(2),
        [b'\r' | b'\n', ..] => Some(1),
        _ => None,
    }
}

fn count_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
        + text.as_bytes().windows(2).filter(|pair| matches!(pair, [b'\r', after] if *after != b'\n')).count()
        + usize::from(text.ends_with('\r'))
}
