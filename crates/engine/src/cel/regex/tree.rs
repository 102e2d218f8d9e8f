//! The tree of a pattern and its limits (regexp/syntax/regexp.go and the first part of parse.go).
//!
//! Nodes stand in one list and are used again when the parser drops them, as in Go: how many were made decides when Go starts
//! to look at the limits, so it has to be the same number.

use super::runes::Runes;

/// A node's place in the tree.
pub(super) type Id = usize;

/// The kinds of nodes, in Go's order: of two that are merged into one class, the later one takes the other in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    NoMatch,
    EmptyMatch,
    Literal,
    CharClass,
    AnyCharNotNewline,
    AnyChar,
    BeginLine,
    EndLine,
    BeginText,
    EndText,
    WordBoundary,
    NoWordBoundary,
    Capture,
    Star,
    Plus,
    Quest,
    Repeat,
    Concat,
    Alternate,
    /// On the parser's stack alone.
    LeftParen,
    /// On the parser's stack alone.
    VerticalBar,
}

impl Op {
    /// Whether it stands on the parser's stack alone.
    pub(super) fn is_pseudo(self) -> bool {
        self >= Self::LeftParen
    }
}

/// Flags of the parser, kept with the nodes. A set bit is the flag's letter, except that `ONE_LINE` is the absence of `m`.
pub(super) mod flags {
    pub(in super::super) const FOLD_CASE: u8 = 1;
    pub(in super::super) const DOT_NEWLINE: u8 = 2;
    pub(in super::super) const ONE_LINE: u8 = 4;
    pub(in super::super) const NON_GREEDY: u8 = 8;
    /// On the end of the text: it was written `$`, not `\z`.
    pub(in super::super) const WAS_DOLLAR: u8 = 16;
}

/// A node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) op: Op,
    pub(super) flags: u8,
    pub(super) subs: Vec<Id>,
    /// The characters of a literal.
    pub(super) text: Vec<u32>,
    /// Those of a class.
    pub(super) class: Runes,
    pub(super) min: u32,
    /// None: no limit.
    pub(super) max: Option<u32>,
    /// The number of a capture; 0 for a group that captures nothing.
    pub(super) capture: usize,
}

impl Node {
    fn new(op: Op) -> Self {
        Self { op, flags: 0, subs: vec![], text: vec![], class: Runes::default(), min: 0, max: Some(0), capture: 0 }
    }

    /// One character, a class, `.`
    pub(super) fn is_char_class(&self) -> bool {
        match self.op {
            Op::Literal => self.text.len() == 1,
            op => matches!(op, Op::CharClass | Op::AnyCharNotNewline | Op::AnyChar),
        }
    }
}

/// A limit that a pattern goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// `expression nests too deeply`
    Height,
    /// `expression too large`
    Size,
}

/// The height that Go allows.
const MAX_HEIGHT: usize = 1000;

/// The size that Go allows, in instructions: 128 MB of 40 bytes.
const MAX_SIZE: i64 = (128 << 20) / 40;

/// Ranges in classes. Go allows 16 million (128 MB); a pattern with more than this is too large for the matcher anyway.
const MAX_RANGES: usize = 1 << 19;

/// All nodes.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    free: Vec<Id>,
    ranges: usize,
    /// The product of all repetitions.
    repeats: i64,
    /// What Go's maps hold by node. The heights are forgotten with a node, the sizes are not.
    heights: Vec<Option<usize>>,
    sizes: Vec<Option<i64>>,
    has_heights: bool,
    has_sizes: bool,
}

#[expect(clippy::indexing_slicing, reason = "ids are made here and nodes never go away")]
impl Tree {
    /// A node of this kind.
    pub(super) fn make(&mut self, op: Op) -> Id {
        if let Some(id) = self.free.pop() {
            self.nodes[id] = Node::new(op);
            return id;
        }
        self.nodes.push(Node::new(op));
        self.heights.push(None);
        self.sizes.push(None);
        self.nodes.len() - 1
    }

    /// Takes a node back.
    pub(super) fn reuse(&mut self, id: Id) {
        self.heights[id] = None;
        self.free.push(id);
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id]
    }

    pub(super) fn op(&self, id: Id) -> Op {
        self.nodes[id].op
    }

    /// Counts the ranges of a class.
    pub(super) fn count_ranges(&mut self, id: Id) {
        self.ranges += self.nodes[id].class.0.len();
    }

    /// Whether the node, with all on the stack made before it, keeps to the limits.
    pub(super) fn check_limits(&mut self, id: Id, stack: &[Id]) -> Result<(), Limit> {
        if self.ranges > MAX_RANGES {
            return Err(Limit::Size);
        }
        self.check_size(id, stack)?;
        self.check_height(id, stack)
    }

    fn check_size(&mut self, id: Id, stack: &[Id]) -> Result<(), Limit> {
        if !self.has_sizes {
            self.repeats = self.repeats.max(1);
            let node = &self.nodes[id];
            if node.op == Op::Repeat {
                let times = i64::from(node.max.unwrap_or(node.min).max(1));
                self.repeats = if times > MAX_SIZE / self.repeats { MAX_SIZE } else { self.repeats * times };
            }
            if i64::try_from(self.nodes.len()).is_ok_and(|nodes| nodes < MAX_SIZE / self.repeats) {
                return Ok(());
            }
            self.has_sizes = true;
            for &below in stack {
                if self.size(below, true) > MAX_SIZE {
                    return Err(Limit::Size);
                }
            }
        }
        if self.size(id, true) > MAX_SIZE { Err(Limit::Size) } else { Ok(()) }
    }

    /// Recursion ends: a node is no higher than [`MAX_HEIGHT`] above those whose size is known.
    fn size(&mut self, id: Id, force: bool) -> i64 {
        if let Some(size) = self.sizes[id].filter(|_| !force) {
            return size;
        }
        let mut size = 0;
        for position in 0..self.nodes[id].subs.len() {
            size += self.size(self.nodes[id].subs[position], false);
        }
        let node = &self.nodes[id];
        let size = match node.op {
            Op::Literal => i64::try_from(node.text.len()).unwrap_or(i64::MAX),
            Op::Capture | Op::Star => 2 + size,
            Op::Plus | Op::Quest => 1 + size,
            Op::Alternate => size + i64::try_from(node.subs.len().saturating_sub(1)).unwrap_or(i64::MAX),
            Op::Repeat => match (node.max, node.min) {
                (None, 0) => 2 + size,
                (None, min) => 1 + i64::from(min) * size,
                (Some(max), min) => i64::from(max) * size + i64::from(max) - i64::from(min),
            },
            _ => size,
        };
        let size = size.max(1);
        self.sizes[id] = Some(size);
        size
    }

    fn check_height(&mut self, id: Id, stack: &[Id]) -> Result<(), Limit> {
        if self.nodes.len() < MAX_HEIGHT {
            return Ok(());
        }
        if !self.has_heights {
            self.has_heights = true;
            for &below in stack {
                if self.height(below, true) > MAX_HEIGHT {
                    return Err(Limit::Height);
                }
            }
        }
        if self.height(id, true) > MAX_HEIGHT { Err(Limit::Height) } else { Ok(()) }
    }

    /// How many nodes stand above one another, from this one down. Recursion ends: a node is no higher than [`MAX_HEIGHT`] above
    /// those whose height is known.
    pub(super) fn height(&mut self, id: Id, force: bool) -> usize {
        if let Some(height) = self.heights[id].filter(|_| !force) {
            return height;
        }
        let mut height = 1;
        for position in 0..self.nodes[id].subs.len() {
            height = height.max(1 + self.height(self.nodes[id].subs[position], false));
        }
        self.heights[id] = Some(height);
        height
    }

    /// Whether a repetition and those inside it make no more than `copies` of the innermost.
    pub(super) fn repeat_is_valid(&self, id: Id, copies: u32) -> bool {
        let mut todo = vec![(id, copies)];
        while let Some((id, mut copies)) = todo.pop() {
            let node = &self.nodes[id];
            if node.op == Op::Repeat {
                let times = match node.max {
                    Some(0) => continue,
                    max => max.unwrap_or(node.min),
                };
                if times > copies {
                    return false;
                }
                copies /= times.max(1);
            }
            todo.extend(node.subs.iter().map(|&sub| (sub, copies)));
        }
        true
    }

    /// Whether two nodes are the same pattern.
    pub(super) fn equal(&self, left: Id, right: Id) -> bool {
        let mut todo = vec![(left, right)];
        while let Some((left, right)) = todo.pop() {
            let (left, right) = (&self.nodes[left], &self.nodes[right]);
            let differing = left.flags ^ right.flags;
            let is_same = left.op == right.op
                && match left.op {
                    Op::EndText => differing & flags::WAS_DOLLAR == 0,
                    Op::Literal | Op::CharClass => {
                        differing & flags::FOLD_CASE == 0 && left.text == right.text && left.class == right.class
                    }
                    Op::Star | Op::Plus | Op::Quest => differing & flags::NON_GREEDY == 0,
                    Op::Repeat => differing & flags::NON_GREEDY == 0 && left.min == right.min && left.max == right.max,
                    Op::Capture => left.capture == right.capture,
                    _ => true,
                };
            if !is_same || left.subs.len() != right.subs.len() {
                return false;
            }
            todo.extend(left.subs.iter().copied().zip(right.subs.iter().copied()));
        }
        true
    }
}
