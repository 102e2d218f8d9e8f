//! From YAML's events to spanned trees, as go-yaml v2 composes them: aliases, merge keys, keys of any type.
//!
//! The events come from granit-parser. Nothing here recurses but the cloning of an alias, which the depth limit bounds.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag, options};

use super::diagnostic::Diagnostic;
use super::offsets::Style;
use super::open_map::{Key, OpenMap};
use super::scalar::{self, Scalar};
use super::source::SourceFile;
use super::tree::{Entry, Kind, Limits, Map, Parsed, Spanned, Text};

/// Reads all documents. After a syntax error, reading goes on with the next `---`.
pub(super) fn parse(file: &Arc<SourceFile>, limits: &Limits) -> Parsed {
    let options = options! {
        emit_comments: false,
        // Both kinds together are held to the limit by the composer; these two keep the parser's own stack small.
        flow_nesting_limit: limits.depth + 1,
        block_nesting_limit: limits.depth + 1,
    };
    let mut parser = Parser::new_from_str_with_options(file.text(), options);
    let mut composer = Composer::new(file, limits);
    while !composer.parsed.is_full() {
        let stop = match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => break,
            Some(Ok((event, span))) => composer.event(event, &span).err(),
            Some(Err(error)) => {
                composer.syntax_error(&error);
                Some(Stop::Document)
            }
        };
        match stop {
            None => {}
            Some(Stop::Document) if next_document(&mut parser, &mut composer) => {}
            Some(_) => break,
        }
    }
    composer.parsed.finish(file)
}

/// Leaves the current document; false if there is no other.
fn next_document<'a>(parser: &mut Parser<'a, StrInput<'a>>, composer: &mut Composer<'a>) -> bool {
    composer.leave_document();
    match parser.proceed_next_document() {
        Ok(more) => more,
        Err(error) => {
            composer.syntax_error(&error);
            false
        }
    }
}

/// What a problem puts an end to.
enum Stop {
    Document,
    File,
}

/// A list or map that is still open.
struct Open {
    content: Content,
    span: Range<usize>,
    /// Flow collections end with a bracket, block collections with their last value.
    flow: bool,
    anchor: usize,
    weight: usize,
    height: usize,
}

enum Content {
    List(Vec<Spanned>),
    Map(OpenMap),
}

/// What an anchor names, and what an alias of it costs.
struct Anchored {
    node: Spanned,
    weight: usize,
    height: usize,
}

struct Composer<'a> {
    file: &'a Arc<SourceFile>,
    limits: &'a Limits,
    parsed: Parsed,
    problems_before: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
}

impl<'a> Composer<'a> {
    fn new(file: &'a Arc<SourceFile>, limits: &'a Limits) -> Self {
        Self {
            file,
            limits,
            parsed: Parsed::default(),
            problems_before: 0,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
        }
    }

    fn leave_document(&mut self) {
        self.open.clear();
        self.anchors.clear();
        self.problems_before = self.parsed.problems.len();
    }

    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.parsed.problems.push(Diagnostic::error(self.file, span, message));
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or_default();
        let end = at + self.file.text().get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => self.too_deep(at..end),
            ErrorKind::ExpectedDocumentStart => self.problem(at..end, "nothing may follow a document but `---`"),
            _ => self.problem(at..end, error.info()),
        }
    }

    fn too_deep(&mut self, span: Range<usize>) {
        let message = format!("lists and maps are nested deeper than {} levels", self.limits.depth);
        self.problem(span, message);
    }

    fn event(&mut self, event: Event<'a>, span: &Span) -> Result<(), Stop> {
        let span = span.byte_range().unwrap_or_default();
        match event {
            Event::DocumentStart(..) => self.leave_document(),
            Event::Scalar(text, style, anchor, tag) => {
                return self.scalar(&text, style, anchor, tag.as_deref(), span);
            }
            Event::SequenceStart(style, anchor, _) => {
                let content = Content::List(Vec::new());
                return self.start(content, span, style == granit_parser::StructureStyle::Flow, anchor);
            }
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Map(OpenMap::new(self.holder()));
                return self.start(content, span, style == granit_parser::StructureStyle::Flow, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(&span),
            Event::Alias(anchor) => return self.alias(anchor, span),
            _ => {}
        }
        Ok(())
    }

    /// The key that the next value stands under.
    fn holder(&self) -> Option<Range<usize>> {
        match &self.open.last()?.content {
            Content::Map(OpenMap { key: Some(Key::Name(_, span)), .. }) => Some(span.clone()),
            _ => None,
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map(OpenMap { key: None, .. }), .. }))
    }

    fn count(&mut self, weight: usize, span: &Range<usize>) -> Result<(), Stop> {
        self.nodes += weight;
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        let message = format!("the file holds more than {} values when its aliases are expanded", self.limits.nodes);
        self.problem(span.clone(), message);
        Err(Stop::File)
    }

    fn start(&mut self, content: Content, span: Range<usize>, flow: bool, anchor: usize) -> Result<(), Stop> {
        self.count(1, &span)?;
        if self.open.len() >= self.limits.depth {
            self.too_deep(span);
            return Err(Stop::Document);
        }
        self.open.push(Open { content, span, flow, anchor, weight: 1, height: 1 });
        Ok(())
    }

    fn end(&mut self, last: &Range<usize>) -> Result<(), Stop> {
        let Some(Open { content, mut span, flow, anchor, weight, height }) = self.open.pop() else {
            return Ok(());
        };
        let kind = match content {
            Content::List(items) => {
                span.end = items.last().map_or(span.end, |item| item.span.end.max(span.end));
                Kind::List(items)
            }
            Content::Map(OpenMap { entries, held_by, .. }) => {
                let ends = entries.iter().map(|entry| entry.value.span.end.max(entry.key_span.end));
                // An alias ends where its definition does: before this map, so that the maximum is the end.
                span.end = ends.max().map_or(span.end, |end| end.max(span.end));
                Kind::Map(Map { entries, held_by })
            }
        };
        if flow {
            span.end = last.end;
        }
        self.add(Spanned { span, kind }, weight, height, anchor)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        raw: Range<usize>,
    ) -> Result<(), Stop> {
        self.count(1, &raw)?;
        let plain = style == ScalarStyle::Plain;
        // The parser writes `~` for a value that is left out.
        let text = if plain && raw.is_empty() { "" } else { text };
        let span = self.visible(&raw, style);
        if self.expects_key() && anchor == 0 {
            let key = match scalar::key(text, plain, tag) {
                Ok(Some(name)) => Key::Name(name, span),
                Ok(None) => Key::Merge(span),
                Err(message) => {
                    self.problem(span, message);
                    Key::Bad
                }
            };
            self.set_key(key);
            return Ok(());
        }
        let style = notation(style);
        let kind = match scalar::resolve(text, plain, tag) {
            Ok(Scalar::Null) => Kind::Null,
            Ok(Scalar::Bool(value)) => Kind::Bool(value),
            Ok(Scalar::Int(value)) => Kind::Int(value),
            Ok(Scalar::UInt(value)) => Kind::UInt(value),
            Ok(Scalar::Float(value)) => Kind::Float(value),
            Ok(Scalar::String | Scalar::Merge) => Kind::String(Text { value: text.to_owned(), style, raw }),
            Ok(Scalar::Decoded(value)) => Kind::String(Text { value, style: Style::Opaque, raw }),
            Err(message) => {
                self.problem(span.clone(), message);
                Kind::Null
            }
        };
        self.add(Spanned { span, kind }, 1 + text.len() / 64, 0, anchor)
    }

    /// Block scalars end with line breaks, which no caret should mark.
    fn visible(&self, raw: &Range<usize>, style: ScalarStyle) -> Range<usize> {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return raw.clone();
        }
        let text = self.file.slice(raw).trim_end_matches([' ', '\r', '\n']);
        raw.start..raw.start + text.len()
    }

    fn alias(&mut self, anchor: usize, span: Range<usize>) -> Result<(), Stop> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.problem(span, "an alias stands inside the value that it names");
            return Err(Stop::Document);
        };
        let (weight, height) = (anchored.weight, anchored.height);
        if self.open.len() + height > self.limits.depth {
            self.too_deep(span);
            return Err(Stop::Document);
        }
        self.count(weight, &span)?;
        let Some(node) = self.anchors.get(&anchor).map(|anchored| anchored.node.clone()) else { return Ok(()) };
        self.add(node, weight, height, 0)
    }

    /// A value is complete: it becomes an item, a key, the value of a key, or the document.
    fn add(&mut self, node: Spanned, weight: usize, height: usize, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            self.count(weight, &node.span)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, height });
        }
        let Some(open) = self.open.last_mut() else {
            let sound = self.parsed.problems.len() == self.problems_before;
            if sound && node.kind != Kind::Null {
                self.parsed.documents.push(node);
            }
            return Ok(());
        };
        open.weight += weight;
        open.height = open.height.max(height + 1);
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map(map) => match map.key.take() {
                None => {
                    let key = self.key_of(node);
                    self.set_key(key);
                }
                Some(Key::Name(key, key_span)) => {
                    if let Some(first) = map.set(Entry { key, key_span: key_span.clone(), value: node }, false) {
                        self.duplicate(key_span, first);
                    }
                }
                Some(Key::Merge(key_span)) => self.merge(node, &key_span),
                Some(Key::Bad) => {}
            },
        }
        Ok(())
    }

    fn set_key(&mut self, key: Key) {
        if let Some(Open { content: Content::Map(map), .. }) = self.open.last_mut() {
            map.key = Some(key);
        }
    }

    /// An anchored scalar, an alias or a collection as a key.
    fn key_of(&mut self, node: Spanned) -> Key {
        let name = match node.kind {
            Kind::String(text) => text.value,
            Kind::Bool(value) => value.to_string(),
            Kind::Int(value) => value.to_string(),
            Kind::Float(value) => value.to_string(),
            Kind::Null | Kind::UInt(_) | Kind::List(_) | Kind::Map(_) => {
                self.problem(node.span, "a key must be a string, a number or a boolean");
                return Key::Bad;
            }
        };
        Key::Name(name, node.span)
    }

    fn duplicate(&mut self, span: Range<usize>, first: Range<usize>) {
        let key = self.file.slice(&span).trim_matches(['"', '\'']);
        self.parsed.problems.push(
            Diagnostic::error(self.file, span.clone(), format!("duplicate key `{key}`"))
                .label("set again here")
                .related(self.file, first, "first set here"),
        );
    }

    /// `<<: MAP` or `<<: [MAP, …]`. As in go-yaml v2 the last to set a key wins, the merge itself too; within a list
    /// of maps the first wins.
    fn merge(&mut self, node: Spanned, key_span: &Range<usize>) {
        let maps: Option<Vec<Map>> = match node.kind {
            Kind::Map(map) => Some(vec![map]),
            Kind::List(items) => items.into_iter().rev().map(into_map).collect(),
            _ => None,
        };
        let Some(maps) = maps else {
            return self.problem(key_span.clone(), "`<<` takes a map or a list of maps");
        };
        if let Some(Open { content: Content::Map(map), .. }) = self.open.last_mut() {
            for entry in maps.into_iter().flat_map(|map| map.entries) {
                map.set(entry, true);
            }
        }
    }
}

fn into_map(node: Spanned) -> Option<Map> {
    match node.kind {
        Kind::Map(map) => Some(map),
        _ => None,
    }
}

fn notation(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}
