//! What an expression is meant to be, and templates of expressions with holes for others.

use std::rc::Rc;

/// The meaning of an expression: nearly its static type. Texts of a certain form (`$ip`) are kinds, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Base(&'static str),
    Of(&'static str, Vec<Kind>),
    /// A letter of a template.
    Letter(char),
}

impl Kind {
    /// `int`, `list(T)`, `map(string,dyn)`, `$ip`
    pub(crate) fn read(text: &'static str) -> Self {
        let Some((head, inner)) = text.split_once('(') else {
            return match text.chars().next() {
                Some(letter) if text.len() == 1 && letter.is_ascii_uppercase() => Self::Letter(letter),
                _ => Self::Base(text),
            };
        };
        let inner = inner.strip_suffix(')').unwrap();
        let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
        for (index, character) in inner.char_indices() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(Self::read(inner[start..index].trim()));
                    start = index + 1;
                }
                _ => {}
            }
        }
        parts.push(Self::read(inner[start..].trim()));
        Self::Of(head, parts)
    }

    /// Whether a template that makes this makes `wanted`, and what its letters are then.
    pub(crate) fn makes(&self, wanted: &Self, letters: &mut Vec<(char, Self)>) -> bool {
        match (self, wanted) {
            (Self::Letter(letter), _) => match letters.iter().find(|(bound, _)| bound == letter) {
                Some((_, bound)) => bound == wanted,
                None => {
                    letters.push((*letter, wanted.clone()));
                    true
                }
            },
            (Self::Of(head, parts), Self::Of(other, others)) => {
                head == other
                    && parts.len() == others.len()
                    && parts.iter().zip(others).all(|(part, other)| part.makes(other, letters))
            }
            _ => self == wanted,
        }
    }

    /// With its letters replaced; `new` chooses for those that are free.
    pub(crate) fn with(&self, letters: &mut Vec<(char, Self)>, new: &mut impl FnMut() -> Self) -> Self {
        match self {
            Self::Base(_) => self.clone(),
            Self::Of(head, parts) => Self::Of(head, parts.iter().map(|part| part.with(letters, new)).collect()),
            Self::Letter(letter) => match letters.iter().find(|(bound, _)| bound == letter) {
                Some((_, bound)) => bound.clone(),
                None => {
                    let kind = new();
                    letters.push((*letter, kind.clone()));
                    kind
                }
            },
        }
    }
}

/// A form of expression.
pub(crate) struct Template {
    pub(crate) makes: Kind,
    pub(crate) text: &'static str,
    pub(crate) segments: Vec<Segment>,
}

pub(crate) enum Segment {
    Text(&'static str),
    /// `{kind}`: an expression.
    Hole(Kind),
    /// `<kind>`: the name of a new variable, which what follows may use.
    Binder(Kind),
}

/// Reads lines `kind = template`.
pub(crate) fn templates(lines: &'static str) -> Vec<Rc<Template>> {
    let read = |line: &'static str| {
        let (makes, text) = line.split_once(" = ").unwrap();
        let (mut segments, mut rest) = (Vec::new(), text);
        // Braces and angles that are not holes are written `\{`, `\<`.
        while let Some(start) = rest.find(['{', '<', '\\']) {
            if start > 0 {
                segments.push(Segment::Text(&rest[..start]));
            }
            let inner = &rest[start + 1..];
            match rest.as_bytes()[start] {
                b'<' if inner.starts_with([' ', '=']) => {
                    segments.push(Segment::Text(&rest[start..=start]));
                    rest = inner;
                }
                b'\\' => {
                    segments.push(Segment::Text(&inner[..1]));
                    rest = &inner[1..];
                }
                open => {
                    let end = inner.find(if open == b'{' { '}' } else { '>' }).unwrap();
                    let kind = Kind::read(inner[..end].trim());
                    segments.push(if open == b'{' { Segment::Hole(kind) } else { Segment::Binder(kind) });
                    rest = &inner[end + 1..];
                }
            }
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest));
        }
        Rc::new(Template { makes: Kind::read(makes.trim()), text, segments })
    };
    lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(read).collect()
}
