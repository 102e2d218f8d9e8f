//! The tree of an expression, macros expanded.

/// A place in the text of an expression, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

/// The number of an expression in its [`Ast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExprId(pub(crate) u32);

impl ExprId {
    /// As an index of what is kept for each expression.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An expression. All parts stand in one list and name each other by number, so that dropping a tree of any depth recurses
/// nowhere, and what the checker finds out stands in lists beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    /// Every expression; parts stand before what they are part of.
    pub(super) expressions: Vec<Expr>,
    /// The whole.
    pub(super) root: ExprId,
}

/// One expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands. The parts of an expanded macro stand where the macro does.
    pub span: Span,
}

/// What an expression is (cel-spec, syntax.proto `Expr`). Operators are calls of cel-go's operator names: `_+_`, `_&&_`,
/// `_?_:_`, `_[_]`, `_[?_]`, `_?._`, `!_`, `-_`, `@in`, `@not_strictly_false`.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A name. A leading dot is kept: `.x` names the outermost `x`.
    Ident(Box<str>),
    /// `operand.field`, or `has(operand.field)`.
    Select {
        /// What has the field.
        operand: ExprId,
        /// Its name.
        field: Box<str>,
        /// Whether the presence is asked for, not the value.
        test_only: bool,
    },
    /// `function(args)`, `target.function(args)`, or an operator. `&&` and `||` have two operands or more: chains are flat.
    Call {
        /// What stands before the dot.
        target: Option<ExprId>,
        /// The function's name.
        function: Box<str>,
        /// The arguments.
        args: Vec<ExprId>,
    },
    /// `[a, ?b]`
    List {
        /// The elements.
        elements: Vec<ExprId>,
        /// Which of them have a `?`, ascending.
        optional: Vec<u32>,
    },
    /// `{a: b, ?c: d}`
    Map(Vec<MapEntry>),
    /// `Type{field: value, ?field: value}`
    Struct {
        /// The type's name, as it is written.
        name: Box<str>,
        /// The fields.
        fields: Vec<StructField>,
    },
    /// What the macros over lists and maps expand to.
    Comprehension(Box<Comprehension>),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `-1`
    Int(i64),
    /// `1u`
    Uint(u64),
    /// `1.0`
    Double(f64),
    /// `'text'`
    String(Box<str>),
    /// `b'text'`
    Bytes(Box<[u8]>),
}

/// `key: value` of a map literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapEntry {
    /// The key.
    pub key: ExprId,
    /// The value.
    pub value: ExprId,
    /// Whether the key has a `?`.
    pub optional: bool,
}

/// `field: value` of a struct literal.
#[derive(Clone, Debug, PartialEq)]
pub struct StructField {
    /// The name.
    pub name: Box<str>,
    /// Where it stands.
    pub span: Span,
    /// The value.
    pub value: ExprId,
    /// Whether the name has a `?`.
    pub optional: bool,
}

/// A fold (cel-spec, syntax.proto `Comprehension`), exactly as cel-go expands the macro: costs are counted on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    /// The macro that it comes from.
    pub origin: Macro,
    /// What is walked over.
    pub range: ExprId,
    /// The name of the element, or of index or key where there are two names.
    pub variable: Box<str>,
    /// The second name.
    pub variable2: Option<Box<str>>,
    /// The name of the accumulator.
    pub accumulator: Box<str>,
    /// What it begins with.
    pub init: ExprId,
    /// The walk ends where this is false.
    pub condition: ExprId,
    /// The accumulator's next value.
    pub step: ExprId,
    /// The value of the whole.
    pub result: ExprId,
}

/// Which macro a comprehension is. The parts that the user wrote are found in it: evaluation has a fast path for each, and
/// the printer writes the macro again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Macro {
    /// `range.all(x, predicate)`, also with two variables
    All {
        /// The predicate.
        predicate: ExprId,
    },
    /// `range.exists(x, predicate)`, also with two variables
    Exists {
        /// The predicate.
        predicate: ExprId,
    },
    /// `range.exists_one(x, predicate)`, `range.existsOne(i, x, predicate)`
    ExistsOne {
        /// The predicate.
        predicate: ExprId,
    },
    /// `range.map(x, transform)`, `range.map(x, predicate, transform)`
    Map {
        /// Which elements.
        predicate: Option<ExprId>,
        /// To what.
        transform: ExprId,
    },
    /// `range.filter(x, predicate)`
    Filter {
        /// Which elements.
        predicate: ExprId,
    },
    /// `range.transformList(i, x, predicate?, transform)`
    TransformList {
        /// Which elements.
        predicate: Option<ExprId>,
        /// To what.
        transform: ExprId,
    },
    /// `range.transformMap(k, v, predicate?, transform)`
    TransformMap {
        /// Which entries.
        predicate: Option<ExprId>,
        /// To what value.
        transform: ExprId,
    },
    /// `range.transformMapEntry(k, v, predicate?, transform)`
    TransformMapEntry {
        /// Which entries.
        predicate: Option<ExprId>,
        /// To what map.
        transform: ExprId,
    },
    /// `optional.optMap(x, transform)`; the fold binds `x` to the value, inside a conditional
    OptMap {
        /// To what.
        transform: ExprId,
    },
    /// `optional.optFlatMap(x, transform)`
    OptFlatMap {
        /// To what.
        transform: ExprId,
    },
    /// `range.sortBy(x, key)`; the fold binds a name to the range, and sorts it by the keys that a `map` over it makes
    SortBy {
        /// The call that sorts.
        transform: ExprId,
    },
}

impl Ast {
    /// The whole expression.
    pub const fn root(&self) -> ExprId {
        self.root
    }

    /// All expressions, parts before what they are part of.
    pub fn iter(&self) -> impl Iterator<Item = &Expr> {
        self.expressions.iter()
    }

    /// How many expressions there are.
    pub fn len(&self) -> usize {
        self.expressions.len()
    }

    /// Whether there is none: never, for a tree that was parsed.
    pub fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    /// One of its expressions; None for a number of another tree.
    pub fn get(&self, id: ExprId) -> Option<&Expr> {
        self.expressions.get(id.index())
    }

    /// Where an expression stands.
    pub fn span(&self, id: ExprId) -> Span {
        self.get(id).map(|expression| expression.span).unwrap_or_default()
    }
}

impl Span {
    /// From the beginning of one place to the end of another.
    pub(super) const fn to(self, end: Self) -> Self {
        Self { start: self.start, end: end.end }
    }
}

impl ExprKind {
    /// Its parts in the order in which they stand. What the origin of a comprehension names is a part of the comprehension's
    /// step, and is not visited again.
    pub fn for_each_part(&self, mut visit: impl FnMut(ExprId)) {
        match self {
            Self::Literal(_) | Self::Ident(_) => {}
            Self::Select { operand, .. } => visit(*operand),
            Self::Call { target, args, .. } => target.iter().chain(args).for_each(|part| visit(*part)),
            Self::List { elements, .. } => elements.iter().for_each(|part| visit(*part)),
            Self::Map(entries) => entries.iter().for_each(|entry| {
                visit(entry.key);
                visit(entry.value);
            }),
            Self::Struct { fields, .. } => fields.iter().for_each(|field| visit(field.value)),
            Self::Comprehension(fold) => {
                [fold.range, fold.init, fold.condition, fold.step, fold.result].into_iter().for_each(visit);
            }
        }
    }

    /// Gives its parts other numbers.
    pub(super) fn renumber(&mut self, number: impl Fn(ExprId) -> ExprId) {
        let change = |part: &mut ExprId| *part = number(*part);
        match self {
            Self::Literal(_) | Self::Ident(_) => {}
            Self::Select { operand, .. } => change(operand),
            Self::Call { target, args, .. } => target.iter_mut().chain(args).for_each(change),
            Self::List { elements, .. } => elements.iter_mut().for_each(change),
            Self::Map(entries) => entries.iter_mut().for_each(|entry| {
                change(&mut entry.key);
                change(&mut entry.value);
            }),
            Self::Struct { fields, .. } => fields.iter_mut().for_each(|field| change(&mut field.value)),
            Self::Comprehension(fold) => {
                let fold = fold.as_mut();
                [&mut fold.range, &mut fold.init, &mut fold.condition, &mut fold.step, &mut fold.result]
                    .into_iter()
                    .for_each(change);
                fold.origin.renumber(change);
            }
        }
    }
}

impl Macro {
    /// What is evaluated at each turn: the predicate, if it has one that decides whether the rest is evaluated, and the rest.
    /// Nothing for the macros that bind a name: what they compute is evaluated once.
    pub const fn body(self) -> (Option<ExprId>, Option<ExprId>) {
        match self {
            Self::All { predicate }
            | Self::Exists { predicate }
            | Self::ExistsOne { predicate }
            | Self::Filter { predicate } => (Some(predicate), None),
            Self::Map { predicate, transform }
            | Self::TransformList { predicate, transform }
            | Self::TransformMap { predicate, transform }
            | Self::TransformMapEntry { predicate, transform } => (predicate, Some(transform)),
            Self::OptMap { .. } | Self::OptFlatMap { .. } | Self::SortBy { .. } => (None, None),
        }
    }

    fn renumber(&mut self, change: impl Fn(&mut ExprId)) {
        match self {
            Self::All { predicate }
            | Self::Exists { predicate }
            | Self::ExistsOne { predicate }
            | Self::Filter { predicate } => change(predicate),
            Self::OptMap { transform } | Self::OptFlatMap { transform } | Self::SortBy { transform } => {
                change(transform);
            }
            Self::Map { predicate, transform }
            | Self::TransformList { predicate, transform }
            | Self::TransformMap { predicate, transform }
            | Self::TransformMapEntry { predicate, transform } => {
                predicate.iter_mut().for_each(&change);
                change(transform);
            }
        }
    }
}
