//! From Go's tree to the matcher's.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, Look, Repetition};

use super::runes::{Runes, orbit};
use super::tree::{Id, Op, Tree, flags};

/// The pattern for the matcher. Recursion is as deep as the tree is high: Go allows 1000.
pub(super) fn lower(tree: &Tree, id: Id) -> Hir {
    let node = tree.node(id);
    let inner = || node.subs.first().map_or_else(Hir::empty, |&sub| lower(tree, sub));
    let repeated = |min, max| {
        let greedy = node.flags & flags::NON_GREEDY == 0;
        Hir::repetition(Repetition { min, max, greedy, sub: Box::new(inner()) })
    };
    let all = || node.subs.iter().map(|&sub| lower(tree, sub)).collect();
    match node.op {
        Op::NoMatch | Op::LeftParen | Op::VerticalBar => Hir::fail(),
        Op::EmptyMatch => Hir::empty(),
        Op::Literal => literal(&node.text, node.flags & flags::FOLD_CASE != 0),
        Op::CharClass => class(&node.class),
        Op::AnyCharNotNewline => Hir::dot(Dot::AnyCharExceptLF),
        Op::AnyChar => Hir::dot(Dot::AnyChar),
        Op::BeginLine => Hir::look(Look::StartLF),
        Op::EndLine => Hir::look(Look::EndLF),
        Op::BeginText => Hir::look(Look::Start),
        Op::EndText => Hir::look(Look::End),
        Op::WordBoundary => Hir::look(Look::WordAscii),
        Op::NoWordBoundary => Hir::look(Look::WordAsciiNegate),
        Op::Capture => inner(),
        Op::Star => repeated(0, None),
        Op::Plus => repeated(1, None),
        Op::Quest => repeated(0, Some(1)),
        Op::Repeat => repeated(node.min, node.max),
        Op::Concat => Hir::concat(all()),
        Op::Alternate => Hir::alternation(all()),
    }
}

fn literal(text: &[u32], folds: bool) -> Hir {
    let mut parts = vec![];
    let mut plain = String::new();
    for &rune in text {
        let mut runes = Runes::of(rune, rune);
        if folds {
            orbit(rune).for_each(|folded| runes.add(folded, folded));
        }
        match (runes.0.as_slice(), char::from_u32(rune)) {
            ([(low, high)], Some(rune)) if low == high => plain.push(rune),
            _ => {
                parts.push(Hir::literal(std::mem::take(&mut plain).into_bytes()));
                parts.push(class(&runes));
            }
        }
    }
    parts.push(Hir::literal(plain.into_bytes()));
    Hir::concat(parts)
}

fn class(runes: &Runes) -> Hir {
    let ranges = runes.0.iter().flat_map(|&(low, high)| {
        // Text holds no surrogates.
        [(low, high.min(0xd7ff)), (low.max(0xe000), high)]
    });
    let ranges = ranges.filter(|(low, high)| low <= high);
    let ranges = ranges.filter_map(|(low, high)| Some((char::from_u32(low)?, char::from_u32(high)?)));
    Hir::class(Class::Unicode(ClassUnicode::new(ranges.map(|(low, high)| ClassUnicodeRange::new(low, high)))))
}
