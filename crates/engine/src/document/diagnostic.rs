//! What is wrong where: one problem of a file, its place, and how it is shown.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::source::SourceFile;

/// Whether a problem keeps a file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used as it is.
    Error,
    /// The file can be used, but hardly as its author meant it.
    Warning,
}

/// A byte range of a file; always on character boundaries inside the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Byte range in its text; may be empty (something is missing here).
    pub span: Range<usize>,
}

/// One problem, with its place.
///
/// `Display` gives one line, `FILE:LINE:COLUMN: error: MESSAGE`; [`Diagnostic::render`] shows the lines of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Where the problem stands.
    pub place: Place,
    /// What is wrong: lower case, no full stop, the culprit quoted, then what is accepted.
    pub message: String,
    /// A few words beside the caret; empty for none.
    pub label: String,
    /// Other places that explain this one, each with a label.
    pub related: Vec<(Place, String)>,
    /// What else is to know.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
}

/// How [`Diagnostic::render`] decorates its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// ASCII only.
    Plain,
    /// With ANSI colours, for terminals.
    Coloured,
}

impl Diagnostic {
    /// An error at a byte range of a file; the range is cut to character boundaries inside the file.
    pub fn error(file: &Arc<SourceFile>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, file, span, message)
    }

    /// As [`Diagnostic::error`], for what does not keep the file from being used.
    pub fn warning(file: &Arc<SourceFile>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, file, span, message)
    }

    fn new(severity: Severity, file: &Arc<SourceFile>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity,
            place: Place::new(file, span),
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// The same problem, said not to keep the file from being used.
    #[must_use]
    pub fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Puts a few words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place, in this or another file.
    #[must_use]
    pub fn related(mut self, file: &Arc<SourceFile>, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related.push((Place::new(file, span), label.into()));
        self
    }

    /// Adds what else is to know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The problem as rustc would print it: message, place, the lines with a caret, notes and help.
    pub fn render(&self, paint: Paint) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        // Lines of the primary file and of each other file, in order of first mention.
        let mut windows = vec![Window::new(&self.place, AnnotationKind::Primary, &self.label)];
        for (place, label) in &self.related {
            match windows.iter_mut().find(|window| window.holds(&place.file)) {
                Some(window) => window.marks.push((AnnotationKind::Context, place.span.clone(), label)),
                None => windows.push(Window::new(place, AnnotationKind::Context, label)),
            }
        }
        let mut group: Group<'_> =
            level.primary_title(&self.message).elements(windows.into_iter().map(Window::into_snippet));
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note));
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Coloured => Renderer::styled(),
        };
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}: {severity}: {}", self.place, self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl Place {
    /// A byte range of a file, cut to character boundaries inside the file.
    pub fn new(file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        let start = file.text().floor_char_boundary(span.start);
        let end = file.text().ceil_char_boundary(span.end.max(start));
        Self { file: Arc::clone(file), span: start..end }
    }
}

/// `FILE:LINE:COLUMN`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.file.position(self.span.start);
        write!(f, "{}:{}:{}", self.file.name(), at.line, at.column)
    }
}

/// The lines of one file that a rendering shows, and what is marked in them.
struct Window<'a> {
    file: &'a SourceFile,
    marks: Vec<(AnnotationKind, Range<usize>, &'a str)>,
}

impl<'a> Window<'a> {
    fn new(place: &'a Place, kind: AnnotationKind, label: &'a str) -> Self {
        Self { file: &place.file, marks: vec![(kind, place.span.clone(), label)] }
    }

    fn holds(&self, file: &SourceFile) -> bool {
        std::ptr::eq(self.file, file)
    }

    /// Only the marked lines are handed to the renderer: it would index a file of megabytes for each problem.
    fn into_snippet(self) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let start = self.marks.iter().map(|(_, span, _)| span.start).min().unwrap_or_default();
        let end = self.marks.iter().map(|(_, span, _)| span.end).max().unwrap_or_default();
        let (first_line, lines) = self.file.lines_around(&(start..end));
        Snippet::source(self.file.slice(&lines)).line_start(first_line).path(self.file.name()).annotations(
            self.marks.into_iter().map(|(kind, span, label)| {
                let label = (!label.is_empty()).then_some(label);
                kind.span(span.start - lines.start..span.end - lines.start).label(label)
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_like_rustc() {
        let file = SourceFile::new("configmap/system/rules:a.yaml", "é: 1\nb: 2\n\n\n\n\n\nb: 3\n");
        let problem = Diagnostic::error(&file, 16..17, "duplicate key \"b\"")
            .label("set again here")
            .related(&file, 6..7, "first set here")
            .note("the first is as good as the second")
            .help("remove one of them");
        assert_eq!(problem.to_string(), "configmap/system/rules:a.yaml:8:1: error: duplicate key \"b\"");
        assert_eq!(
            problem.render(Paint::Plain),
            "\
error: duplicate key \"b\"
 --> configmap/system/rules:a.yaml:8:1
  |
2 | b: 2
  | - first set here
...
8 | b: 3
  | ^ set again here
  |
  = note: the first is as good as the second
  = help: remove one of them"
        );
        assert!(problem.render(Paint::Coloured).contains("\u{1b}["));
    }

    #[test]
    fn renders_places_in_two_files() {
        let one = SourceFile::new("one.yaml", "name: ä\nname: b\n");
        let two = SourceFile::new("two.yaml", "name: ä\n");
        let problem = Diagnostic::warning(&one, 6..8, "two policies are called \"ä\"").related(&two, 6..8, "the other");
        assert_eq!(
            problem.render(Paint::Plain),
            "\
warning: two policies are called \"ä\"
 --> one.yaml:1:7
  |
1 | name: ä
  |       ^
  |
 ::: two.yaml:1:7
  |
1 | name: ä
  |       - the other"
        );
    }

    #[test]
    fn keeps_the_place_of_what_is_missing_and_of_an_empty_file() {
        for (text, at) in [("", 0), ("a:\n", 2), ("a:\n", 3), ("é", 1), ("a", 77)] {
            let file = SourceFile::new("f", text);
            let problem = Diagnostic::error(&file, at..at, "nothing here");
            assert!(problem.render(Paint::Plain).starts_with("error: nothing here\n --> f:"), "{text:?}");
        }
    }
}
