//! From a request to the few policies that it may concern, without asking the others.

use super::constraints::{MatchConstraints, MatchPolicy};
use super::rules::{Names, Operations, ResourcePattern, twin_group};
use crate::review::{Operation, Target};

/// An index over the resource rules of many policies. A request is looked up under its group, resource, subresource and
/// operation, each by name and as `*`: at most eight binary searches, whatever the number of policies.
///
/// It leaves versions, names and scopes to [`super::matches`]: a candidate too many costs a moment, one too few would be a
/// policy that is passed by.
#[derive(Debug, Default)]
pub struct Index {
    /// One list for each combination of `*`, see [`Shape`]; sorted by key.
    shapes: [Vec<Row>; SHAPES],
}

const SHAPES: usize = 8;

/// Group, resource and subresource; empty where the shape has `*`.
type Key<'k> = (&'k str, &'k str, &'k str);

#[derive(Debug)]
struct Row {
    group: String,
    resource: String,
    subresource: String,
    /// By operation: ascending, each policy once.
    policies: [Vec<u32>; 4],
}

impl Row {
    fn key(&self) -> Key<'_> {
        (&self.group, &self.resource, &self.subresource)
    }
}

/// Which parts of a rule are `*`.
#[derive(Clone, Copy)]
struct Shape {
    any_group: bool,
    any_resource: bool,
    any_subresource: bool,
}

impl Shape {
    fn number(self) -> usize {
        usize::from(self.any_group) | usize::from(self.any_resource) << 1 | usize::from(self.any_subresource) << 2
    }

    fn of_number(number: usize) -> Self {
        Self { any_group: number & 1 != 0, any_resource: number & 2 != 0, any_subresource: number & 4 != 0 }
    }

    fn key<'k>(self, group: &'k str, resource: &'k str, subresource: &'k str) -> Key<'k> {
        let named = |any: bool, name: &'k str| if any { "" } else { name };
        (named(self.any_group, group), named(self.any_resource, resource), named(self.any_subresource, subresource))
    }
}

impl Index {
    /// The index over these policies; a policy is known by its position.
    pub fn new<'c>(policies: impl IntoIterator<Item = &'c MatchConstraints>) -> Self {
        let mut index = Self::default();
        for (policy, constraints) in (0..).zip(policies) {
            if constraints.resource_rules.is_empty() {
                index.add(None, &ResourcePattern { resource: None, subresource: None }, Operations::ALL, policy);
            }
            for rule in &constraints.resource_rules {
                for pattern in &rule.resources {
                    let groups = match &rule.groups {
                        Names::Any => {
                            index.add(None, pattern, rule.operations, policy);
                            continue;
                        }
                        Names::Only(groups) => groups,
                    };
                    for group in groups {
                        index.add(Some(group), pattern, rule.operations, policy);
                        if constraints.match_policy == MatchPolicy::Equivalent
                            && let Some(twin) = twin_group(group, pattern)
                        {
                            let subresource = pattern.subresource.clone();
                            let pattern = ResourcePattern { resource: Some(twin.resource.to_owned()), subresource };
                            index.add(Some(twin.group), &pattern, rule.operations, policy);
                        }
                    }
                }
            }
        }
        index
    }

    fn add(&mut self, group: Option<&str>, pattern: &ResourcePattern, operations: Operations, policy: u32) {
        let shape = Shape {
            any_group: group.is_none(),
            any_resource: pattern.resource.is_none(),
            any_subresource: pattern.subresource.is_none(),
        };
        let key = (
            group.unwrap_or_default(),
            pattern.resource.as_deref().unwrap_or_default(),
            pattern.subresource.as_deref().unwrap_or_default(),
        );
        let Some(rows) = self.shapes.get_mut(shape.number()) else { return };
        let position = rows.partition_point(|row| row.key() < key);
        if rows.get(position).is_none_or(|row| row.key() != key) {
            let (group, resource, subresource) = (key.0.to_owned(), key.1.to_owned(), key.2.to_owned());
            rows.insert(position, Row { group, resource, subresource, policies: Default::default() });
        }
        let Some(row) = rows.get_mut(position) else { return };
        for (list, operation) in row.policies.iter_mut().zip(Operation::ALL) {
            if operations.has(operation) && list.last() != Some(&policy) {
                list.push(policy);
            }
        }
    }

    /// The policies whose rules may fit this request, ascending, each once. Allocates nothing.
    pub fn candidates(&self, target: &Target<'_>) -> Candidates<'_> {
        let (asked, sent) = (target.request_resource, target.resource);
        let mut candidates = Candidates::default();
        self.find(asked.group, asked.resource, target, &mut candidates);
        // A conversion may change the group as well as the version.
        if (asked.group, asked.resource) != (sent.group, sent.resource) {
            self.find(sent.group, sent.resource, target, &mut candidates);
        }
        candidates
    }

    fn find<'i>(&'i self, group: &str, resource: &str, target: &Target<'_>, candidates: &mut Candidates<'i>) {
        for (number, rows) in self.shapes.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let key = Shape::of_number(number).key(group, resource, target.subresource);
            let position = rows.partition_point(|row| row.key() < key);
            let Some(row) = rows.get(position).filter(|row| row.key() == key) else { continue };
            let mut by_operation = row.policies.iter().zip(Operation::ALL);
            if let Some((list, _)) = by_operation.find(|(_, operation)| *operation == target.operation) {
                candidates.add(list);
            }
        }
    }
}

/// See [`Index::candidates`].
#[derive(Clone, Debug, Default)]
pub struct Candidates<'i> {
    /// What each list still has to give: at most one of each shape, for the requested and for the sent resource.
    lists: [&'i [u32]; 2 * SHAPES],
    /// How many of the lists are in use.
    used: usize,
}

impl<'i> Candidates<'i> {
    fn add(&mut self, list: &'i [u32]) {
        if let Some(free) = self.lists.get_mut(self.used) {
            *free = list;
            self.used += 1;
        }
    }
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let lists = self.lists.get_mut(..self.used)?;
        let next = lists.iter().filter_map(|list| list.first().copied()).min()?;
        for list in lists {
            if let [first, rest @ ..] = list
                && *first == next
            {
                *list = rest;
            }
        }
        usize::try_from(next).ok()
    }
}
