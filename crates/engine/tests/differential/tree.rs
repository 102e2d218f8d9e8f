//! A generated expression, and smaller ones like it.

use std::borrow::Cow;
use std::rc::Rc;

use super::kind::{Kind, Template};

/// An expression.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) pieces: Vec<Piece>,
    /// What it is made by; None for what stands alone.
    pub(crate) template: Option<Rc<Template>>,
}

#[derive(Clone)]
pub(crate) enum Piece {
    Text(Cow<'static, str>),
    Part(Node),
}

impl Node {
    pub(crate) fn leaf(kind: Kind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, pieces: vec![Piece::Text(text.into())], template: None }
    }

    /// Its text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Part(part) if part.is_loose() => {
                    text.push('(');
                    part.write(text);
                    text.push(')');
                }
                Piece::Part(part) => part.write(text),
            }
        }
    }

    /// Whether it needs parentheses: an operator stands at one of its ends.
    fn is_loose(&self) -> bool {
        match (self.pieces.first(), self.pieces.last()) {
            (Some(Piece::Text(sign)), _) if matches!(&**sign, "-" | "!") => true,
            (_, Some(Piece::Part(_))) => true,
            (Some(Piece::Text(only)), _) => only.starts_with('-'),
            _ => false,
        }
    }

    /// The templates that it is made by.
    pub(crate) fn templates(&self, seen: &mut impl FnMut(&Rc<Template>)) {
        if let Some(template) = &self.template {
            seen(template);
        }
        for part in self.parts() {
            part.templates(seen);
        }
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &Self> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Text(_) => None,
        })
    }

    /// Expressions like it that are shorter: a node gives way to one of its parts, or to a constant. `constant` makes one.
    pub(crate) fn smaller(&self, constant: &impl Fn(&Kind) -> &'static str) -> Vec<Self> {
        let mut all: Vec<Self> = self.parts().cloned().collect();
        let plain = constant(&self.kind);
        if self.text().len() > plain.len() {
            all.push(Self::leaf(self.kind.clone(), plain));
        }
        for (index, piece) in self.pieces.iter().enumerate() {
            if let Piece::Part(part) = piece {
                for smaller in part.smaller(constant) {
                    let mut changed = self.clone();
                    changed.pieces[index] = Piece::Part(smaller);
                    all.push(changed);
                }
            }
        }
        all
    }
}
