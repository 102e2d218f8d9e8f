//! Rules that fill in values, and the paths that they speak of.

use serde::Deserialize;

use super::table::{Field, Shape, Table, TypeId};
use crate::json::{Arena, Node, Segment, View};

/// What fills in one value, or takes it away.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) action: Action,
    /// All of them must hold.
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug)]
pub(super) enum Action {
    Set(Setting),
    Remove(Path),
    /// `round-up-to-milli`, on the map of quantities there.
    RoundUpToMilli(Path),
    /// `pod-ips`
    PodIps,
    /// `pod-level-resources`
    PodLevelResources,
}

/// What is set, and where.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) path: Path,
    pub(super) source: Source,
    /// Values over which it is set as if none were there.
    pub(super) over: Vec<Literal>,
    /// Whether it is set over every value.
    pub(super) is_replacing: bool,
}

/// Where the value comes from.
#[derive(Debug)]
pub(super) enum Source {
    To(Literal),
    /// The value there; also for a field beside the one that is set.
    Copy(Path),
    /// The map there, less the keys that the map which is set has already.
    Keys(Path),
    /// The image reference there.
    PullPolicy(Path),
}

#[derive(Debug)]
pub(super) struct Condition {
    pub(super) path: Path,
    one_of: Option<Vec<Literal>>,
    is_present: Option<bool>,
    below: Option<i64>,
}

impl Condition {
    /// Whether it holds for the value at its path.
    pub(super) fn holds(&self, value: Option<Node<'_>>) -> bool {
        let is_below = |limit| value.and_then(Node::as_i64).is_some_and(|int| int < limit);
        let is_one_of = |literals: &Vec<Literal>| value.is_some_and(|value| literals.iter().any(|one| one.is(value)));
        self.is_present.is_none_or(|is_present| value.is_some() == is_present)
            && self.below.is_none_or(is_below)
            && self.one_of.as_ref().is_none_or(is_one_of)
    }
}

/// A value that the table gives.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Literal {
    Bool(bool),
    Int(i64),
    Text(&'static str),
    Empty(EmptyMap),
}

/// `{}`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmptyMap {}

impl Literal {
    pub(super) fn node(self, arena: &Arena) -> Node<'_> {
        match self {
            Self::Bool(bool) => Node::bool(bool),
            Self::Int(int) => Node::int(int),
            Self::Text(text) => Node::string(text),
            Self::Empty(_) => arena.map(&[]),
        }
    }

    pub(super) fn is(self, value: Node<'_>) -> bool {
        match (self, value.view()) {
            (Self::Bool(left), View::Bool(right)) => left == right,
            (Self::Int(left), View::Int(right)) => left == right,
            (Self::Text(left), View::String(right)) => left == right,
            (Self::Empty(_), View::Map(map)) => map.is_empty(),
            _ => false,
        }
    }
}

/// A way from an object of a rule's type to a value: `spec.containers[].resources.requests`.
#[derive(Clone, Debug)]
pub(super) struct Path(Vec<Step>);

#[derive(Clone, Copy, Debug)]
enum Step {
    Field(Field),
    Key(&'static str),
    /// Each element of a list.
    Each,
}

impl Path {
    /// Reads a path that starts at a type.
    fn parse(text: &'static str, table: &Table, start: TypeId) -> Result<Self, String> {
        let wrong = || format!("the path {text:?} leads nowhere");
        let (mut steps, mut holder, mut rest) = (vec![], Some(start), text);
        let mut shape = None;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[]") {
                let Some(Shape::List(_)) = shape else { return Err(wrong()) };
                steps.push(Step::Each);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('[') {
                let Some(Shape::Map(_)) = shape else { return Err(wrong()) };
                let (key, after) = after.split_once(']').ok_or_else(wrong)?;
                steps.push(Step::Key(key));
                rest = after;
            } else {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let (name, after) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
                let field = holder.and_then(|id| table.get(id)).and_then(|found| found.field(name));
                let field = *field.ok_or_else(wrong)?;
                steps.push(Step::Field(field));
                (shape, holder, rest) = (Some(field.shape), field.shape.type_id(), after);
            }
        }
        Ok(Self(steps))
    }

    /// The path of a field beside the one at which this one ends.
    fn sibling(text: &'static str, name: &'static str, table: &Table, start: TypeId) -> Result<Self, String> {
        let wrong = || format!("there is no {name:?} beside {text:?}");
        let mut path = Self::parse(text, table, start)?;
        path.0.pop();
        let holder = path.0.iter().rev().find_map(Step::field).map_or(Some(start), |field| field.shape.type_id());
        let field = holder.and_then(|id| table.get(id)).and_then(|found| found.field(name)).ok_or_else(wrong)?;
        path.0.push(Step::Field(*field));
        Ok(path)
    }

    /// The positions of the elements that it leads through, once for each value that it may lead to.
    pub(super) fn places(&self, object: Node<'_>) -> Vec<Vec<usize>> {
        let mut places = vec![vec![]];
        for (depth, step) in self.0.iter().enumerate() {
            if !matches!(step, Step::Each) {
                continue;
            }
            let list = |place: &Vec<usize>| walk(object, self.0.get(..depth).unwrap_or_default(), place);
            let longer = |place: Vec<usize>| {
                let count = list(&place).map_or(0, |list| list.items().len());
                (0..count).map(move |index| [place.as_slice(), &[index]].concat())
            };
            places = places.into_iter().flat_map(longer).collect();
        }
        places
    }

    /// The value there, if there is one. `place` says which elements the path leads through.
    pub(super) fn at<'a>(&self, object: Node<'a>, place: &[usize]) -> Option<Node<'a>> {
        walk(object, &self.0, place)
    }

    pub(super) fn segments(&self, place: &[usize]) -> Vec<Segment<'static>> {
        let mut place = place.iter();
        let segment = |step: &Step| match step {
            Step::Field(field) => Segment::Key(field.name),
            Step::Key(key) => Segment::Key(key),
            Step::Each => Segment::at(place.next().copied().unwrap_or_default()),
        };
        self.0.iter().map(segment).collect()
    }

    /// The field at its end.
    pub(super) fn field(&self) -> Option<&Field> {
        self.0.last().and_then(Step::field)
    }

    fn has_each(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Each))
    }
}

fn walk<'a>(object: Node<'a>, steps: &[Step], place: &[usize]) -> Option<Node<'a>> {
    let mut place = place.iter();
    steps.iter().try_fold(object, |node, step| match step {
        Step::Field(field) => node.field(field.name).filter(|value| !field.is_zero(*value)),
        Step::Key(key) => node.field(key),
        Step::Each => node.items().get(*place.next()?).copied(),
    })
}

impl Step {
    fn field(&self) -> Option<&Field> {
        if let Self::Field(field) = self { Some(field) } else { None }
    }
}

/// A rule as the table has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawRule {
    set: Option<&'static str>,
    to: Option<Literal>,
    copy: Option<&'static str>,
    sibling: Option<&'static str>,
    keys: Option<&'static str>,
    pull_policy: Option<&'static str>,
    remove: Option<&'static str>,
    rule: Option<&'static str>,
    #[serde(default)]
    over: Vec<Literal>,
    #[serde(default)]
    replace: bool,
    #[serde(default, rename = "if")]
    conditions: Vec<RawCondition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCondition {
    path: &'static str,
    #[serde(rename = "in")]
    one_of: Option<Vec<Literal>>,
    present: Option<bool>,
    below: Option<i64>,
}

impl RawRule {
    /// The rule, if it is one for objects of this type.
    pub(super) fn check(self, table: &Table, id: TypeId) -> Result<Rule, String> {
        let path = |text| Path::parse(text, table, id);
        let conditions = self.conditions.iter().map(|raw| {
            Ok(Condition {
                path: path(raw.path)?,
                one_of: raw.one_of.clone(),
                is_present: raw.present,
                below: raw.below,
            })
        });
        let conditions = conditions.collect::<Result<Vec<_>, String>>()?;
        let action = match (self.rule, self.remove, self.set) {
            (Some("pod-ips"), None, None) => Action::PodIps,
            (Some("pod-level-resources"), None, None) => Action::PodLevelResources,
            (Some("round-up-to-milli"), None, Some(set)) => Action::RoundUpToMilli(path(set)?),
            (None, Some(remove), None) => Action::Remove(path(remove)?),
            (None, None, Some(set)) => Action::Set(Setting {
                path: path(set)?,
                source: self.source(set, table, id)?,
                over: self.over,
                is_replacing: self.replace,
            }),
            _ => return Err("a rule must have one of \"set\", \"remove\" and a known \"rule\"".to_owned()),
        };
        let (Action::Remove(path) | Action::RoundUpToMilli(path)) = &action else {
            return Ok(Rule { action, conditions });
        };
        if path.has_each() {
            return Err("only \"set\" may lead through lists".to_owned());
        }
        Ok(Rule { action, conditions })
    }

    fn source(&self, set: &'static str, table: &Table, id: TypeId) -> Result<Source, String> {
        let beside = |name| Path::sibling(set, name, table, id);
        match (self.to, self.copy, self.sibling, self.keys, self.pull_policy) {
            (Some(to), None, None, None, None) => Ok(Source::To(to)),
            (None, Some(copy), None, None, None) => Path::parse(copy, table, id).map(Source::Copy),
            (None, None, Some(name), None, None) => beside(name).map(Source::Copy),
            (None, None, None, Some(name), None) => beside(name).map(Source::Keys),
            (None, None, None, None, Some(name)) => beside(name).map(Source::PullPolicy),
            _ => Err(format!("the rule for {set:?} must say one thing that it is set to")),
        }
    }
}
