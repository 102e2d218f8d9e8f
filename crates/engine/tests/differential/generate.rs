//! Makes expressions.

use std::rc::Rc;

use super::chance::Chance;
use super::kind::{Kind, Segment, Template, templates};
use super::leaves::{FIELDS, constants};
use super::tree::{Node, Piece};
use super::world::{TYPED, World};

const SIMPLE: [&str; 9] = ["int", "string", "bool", "double", "uint", "bytes", "timestamp", "duration", "dyn"];

const RESULTS: [&str; 26] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "duration",
    "timestamp",
    "dyn",
    "type",
    "list(int)",
    "list(string)",
    "list(dyn)",
    "map(string,int)",
    "map(string,string)",
    "optional(int)",
    "optional(string)",
    "quantity",
    "ip",
    "cidr",
    "url",
    "semver",
    "format",
    "decision",
    "map(string,dyn)",
    "list(list(int))",
];

/// A template, and what its letters are.
type Fitting = (Rc<Template>, Vec<(char, Kind)>);

pub(crate) struct Generator<'w> {
    world: &'w World,
    pub(crate) templates: Vec<Rc<Template>>,
    scope: Vec<(String, Kind)>,
    /// How many variables of macros were named.
    named: usize,
    /// Whether to mix in parts of wrong kinds.
    careless: bool,
    /// Whether names are rare.
    pub(crate) prefers_constants: bool,
}

impl<'w> Generator<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let templates = templates(include_str!("templates.txt"));
        Self { world, templates, scope: Vec::new(), named: 0, careless: false, prefers_constants: false }
    }

    /// A whole expression. Every template has its turn at the top; of ten expressions one is careless of types.
    pub(crate) fn expression(&mut self, chance: &mut Chance, number: usize) -> Node {
        self.scope = TYPED.iter().map(|(name, _, kind)| ((*name).to_owned(), Kind::read(kind))).collect();
        // Upstream makes a new environment for each line with variables of a policy.
        if chance.percent(10) {
            self.scope.push(("variables.count".to_owned(), Kind::Base("int")));
            self.scope.push(("variables.images".to_owned(), Kind::read("list(dyn)")));
            self.scope.push(("variables.broken".to_owned(), Kind::Base("dyn")));
        }
        self.named = 0;
        self.careless = chance.percent(12);
        let depth = 1 + chance.below(4);
        if number.is_multiple_of(2) {
            let template = Rc::clone(&self.templates[number / 2 % self.templates.len()]);
            let mut letters = Vec::new();
            let kind = template.makes.with(&mut letters, &mut || Kind::Base(chance.pick(&SIMPLE)));
            return self.fill(chance, &template, kind, letters, depth);
        }
        let kind = Kind::read(chance.pick(&RESULTS));
        self.node(chance, &kind, depth)
    }

    fn node(&mut self, chance: &mut Chance, kind: &Kind, depth: usize) -> Node {
        let kind = &concrete(chance, kind);
        if self.careless && chance.percent(8) {
            let other = Kind::read(chance.pick(&RESULTS));
            return self.leaf(chance, &other);
        }
        if depth == 0 || chance.percent(15) {
            return self.leaf(chance, kind);
        }
        let fitting: Vec<Fitting> = self
            .templates
            .iter()
            .filter_map(|template| {
                let mut letters = Vec::new();
                // A template that makes anything would be chosen for everything.
                let general = matches!(template.makes, Kind::Letter(_));
                (template.makes.makes(kind, &mut letters) && (!general || chance.percent(20)))
                    .then(|| (Rc::clone(template), letters))
            })
            .collect();
        if fitting.is_empty() {
            return self.leaf(chance, kind);
        }
        let (template, letters) = chance.of(&fitting).clone();
        self.fill(chance, &template, kind.clone(), letters, depth)
    }

    fn fill(
        &mut self,
        chance: &mut Chance,
        template: &Rc<Template>,
        kind: Kind,
        mut letters: Vec<(char, Kind)>,
        depth: usize,
    ) -> Node {
        let visible = self.scope.len();
        let mut pieces = Vec::new();
        let mut bound = Vec::new();
        for segment in &template.segments {
            match segment {
                Segment::Text(text) if text.contains("$field") => {
                    let field = chance.pick(&FIELDS);
                    pieces.push(Piece::Text(text.replace("$field", field).into()));
                }
                Segment::Text(text) => pieces.push(Piece::Text((*text).into())),
                Segment::Hole(hole) => {
                    let hole = hole.with(&mut letters, &mut || Kind::Base(chance.pick(&SIMPLE)));
                    self.scope.append(&mut bound);
                    pieces.push(Piece::Part(self.node(chance, &hole, depth - 1)));
                }
                Segment::Binder(binder) => {
                    let binder = binder.with(&mut letters, &mut || Kind::Base(chance.pick(&SIMPLE)));
                    // Now and then a variable hides another.
                    let name = if chance.percent(5) { "vi".to_owned() } else { format!("y{}", self.named) };
                    self.named += 1;
                    pieces.push(Piece::Text(name.clone().into()));
                    bound.push((name, binder));
                }
            }
        }
        self.scope.truncate(visible);
        Node { kind, pieces, template: Some(Rc::clone(template)) }
    }

    fn leaf(&mut self, chance: &mut Chance, kind: &Kind) -> Node {
        let names_something = !self.prefers_constants || chance.percent(15);
        if names_something && chance.percent(50) {
            let names: Vec<&String> = self.scope.iter().filter(|(_, of)| of == kind).map(|(name, _)| name).collect();
            if !names.is_empty() {
                // The newest are the most interesting.
                let recent = names.len().min(3);
                let name = (*chance.of(&names[names.len() - recent..])).clone();
                return Node::leaf(kind.clone(), name);
            }
        }
        let is_dyn = *kind == Kind::Base("dyn");
        if names_something && (is_dyn && chance.percent(70) || chance.percent(25)) {
            let paths: Vec<&String> =
                self.world.paths.iter().filter(|(_, of)| is_dyn || of == kind).map(|(path, _)| path).collect();
            if !paths.is_empty() {
                return Node::leaf(kind.clone(), (*chance.of(&paths)).clone());
            }
        }
        match kind {
            Kind::Base(name) => Node::leaf(kind.clone(), chance.pick(constants(name))),
            Kind::Of(head, parts) => self.composed(chance, kind, head, parts),
            Kind::Letter(_) => Node::leaf(kind.clone(), "1"),
        }
    }

    fn composed(&mut self, chance: &mut Chance, kind: &Kind, head: &str, parts: &[Kind]) -> Node {
        let count = chance.below(4);
        let mut pieces = Vec::new();
        let text = |text: &'static str| Piece::Text(text.into());
        match (head, parts) {
            ("list", [element]) => {
                pieces.push(text("["));
                for index in 0..count {
                    pieces.push(text(if index > 0 { ", " } else { "" }));
                    pieces.push(Piece::Part(self.leaf(chance, element)));
                }
                pieces.push(text("]"));
            }
            ("map", [key, value]) => {
                pieces.push(text("{"));
                for index in 0..count.min(2) {
                    pieces.push(text(if index > 0 { ", " } else { "" }));
                    pieces.push(Piece::Part(self.leaf(chance, key)));
                    pieces.push(text(": "));
                    pieces.push(Piece::Part(self.leaf(chance, value)));
                }
                pieces.push(text("}"));
            }
            ("optional", [_]) if count == 0 => pieces.push(text("optional.none()")),
            (_, parts) => {
                pieces.push(text("optional.of("));
                pieces.extend(parts.iter().map(|part| Piece::Part(self.leaf(chance, part))));
                pieces.push(text(")"));
            }
        }
        Node { kind: kind.clone(), pieces, template: None }
    }
}

/// Kinds that stand for several.
fn concrete(chance: &mut Chance, kind: &Kind) -> Kind {
    match kind {
        Kind::Base("number") => Kind::Base(chance.pick(&["int", "uint", "double"])),
        Kind::Base("ordered" | "sortable") => Kind::Base(chance.pick(&SIMPLE)),
        // The API server keeps lists, maps and optionals as keys by their address: two that are equal are two keys, and one
        // that is named twice is one.
        Kind::Of("map", parts) if matches!(parts.first(), Some(Kind::Of(..))) => {
            let value = parts.get(1).map(|value| concrete(chance, value));
            Kind::Of("map", [Kind::Base("string")].into_iter().chain(value).collect())
        }
        Kind::Of(head, parts) => Kind::Of(head, parts.iter().map(|part| concrete(chance, part)).collect()),
        other => other.clone(),
    }
}

/// The plainest expression of a kind.
pub(crate) fn plainest(kind: &Kind) -> &'static str {
    match kind {
        Kind::Base(name) => constants(name).first().copied().unwrap_or("1"),
        Kind::Of("list", _) => "[]",
        Kind::Of("map", _) => "{}",
        Kind::Of(..) => "optional.none()",
        Kind::Letter(_) => "1",
    }
}
