//! What a replay found, counted.

use std::collections::BTreeMap;

use admittance_engine::kubernetes::owner;
use admittance_engine::review::Review;
use admittance_engine::verdict::Step;

use super::case::Case;
use super::difference::{Change, Difference};

/// Numbers by name.
pub type Counts = BTreeMap<String, usize>;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Reviews that were judged again.
    pub reviews: usize,
    /// Those that are decided alike.
    pub same: usize,
    /// Those that are not, by how.
    pub changed: BTreeMap<Change, usize>,
    /// Those that hang on what is not known.
    pub undecidable: usize,
    /// Why; a review may count several times.
    pub doubts: Counts,
    /// Lines that are no review that can be judged again, by why.
    pub unfit: Counts,
    /// Differences by policy. A review counts for each policy that its difference comes of.
    pub groups: BTreeMap<(Change, String), Group>,
}

/// The differences of one kind that come of one policy.
#[derive(Clone, Debug)]
pub struct Group {
    /// How many reviews.
    pub reviews: usize,
    /// By namespace; the empty one for what is in none.
    pub namespaces: Counts,
    /// By owner: the controller of the object, or itself.
    pub owners: Counts,
    /// The first.
    pub first: Example,
    /// The line that it stands in.
    pub(super) line: Vec<u8>,
    /// What became of the policy there, as the policies that judge have it.
    pub explanation: Vec<Step>,
}

/// A review that is decided otherwise.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its file, by its place among the arguments' files, and its line there, from 1.
    pub place: (usize, usize),
    /// What it is about.
    pub about: About,
    /// What differs.
    pub difference: Difference,
}

/// What a review is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// When it was made, if that is known.
    pub time: Option<String>,
    /// `CREATE`
    pub operation: &'static str,
    /// `pods`, `pods/resize`
    pub resource: String,
    /// `Pod`
    pub kind: String,
    /// Empty for what is in none.
    pub namespace: String,
    /// The object's.
    pub name: String,
    /// Who asked.
    pub user: String,
    /// `ReplicaSet shop/web`
    pub owner: String,
}

impl About {
    /// What this case is about.
    pub fn of(case: &Case<'_>) -> Self {
        let review = &case.review;
        Self {
            time: case.time.clone(),
            operation: review.operation.as_str(),
            resource: review.resource_path(),
            kind: review.kind.kind.to_owned(),
            namespace: namespace(review).to_owned(),
            name: review.object_name().to_owned(),
            user: review.user.username.to_owned(),
            owner: owner_of(review),
        }
    }
}

/// A request about a Namespace is made in it; the Namespace itself is in none.
fn namespace<'a>(review: &Review<'a>) -> &'a str {
    if review.is_of_namespace() { "" } else { review.namespace }
}

fn owner_of(review: &Review<'_>) -> String {
    let namespace = namespace(review);
    let place = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
    let object = review.judged().unwrap_or_default();
    let controller = owner::controller(object);
    let controller = controller.and_then(|owner| Some((owner.str("kind")?, owner.str("name")?)));
    let (kind, name) = controller.unwrap_or((review.kind.kind, review.object_name()));
    format!("{kind} {place}{name}")
}

impl Report {
    /// Reviews that are decided otherwise.
    pub fn different(&self) -> usize {
        self.changed.values().sum()
    }

    /// Whether something is decided otherwise that is not allowed to be.
    pub fn has_differences_beyond(&self, allowed: &[Change]) -> bool {
        self.changed.iter().any(|(change, count)| *count > 0 && !allowed.contains(change))
    }

    /// Counts a line that cannot be judged again.
    pub fn add_unfit(&mut self, why: &str) {
        count(&mut self.unfit, why);
    }

    /// Counts a review that hangs on what is not known.
    pub fn add_undecidable(&mut self, doubts: &[String]) {
        self.reviews += 1;
        self.undecidable += 1;
        doubts.iter().for_each(|doubt| count(&mut self.doubts, doubt));
    }

    /// Counts a review that is decided alike.
    pub fn add_same(&mut self) {
        self.reviews += 1;
        self.same += 1;
    }

    /// Counts a review that is decided otherwise.
    pub fn add_different(&mut self, example: &Example, line: &[u8]) {
        self.reviews += 1;
        let Example { about, difference, .. } = example;
        *self.changed.entry(difference.change).or_default() += 1;
        let nobody = [String::new()];
        let policies = if difference.policies.is_empty() { &nobody[..] } else { &difference.policies };
        for policy in policies {
            let fresh = || Group {
                reviews: 0,
                namespaces: Counts::new(),
                owners: Counts::new(),
                first: example.clone(),
                line: line.to_vec(),
                explanation: vec![],
            };
            let group = self.groups.entry((difference.change, policy.clone())).or_insert_with(fresh);
            group.reviews += 1;
            count(&mut group.namespaces, &about.namespace);
            count(&mut group.owners, &about.owner);
            if example.place < group.first.place {
                group.first = example.clone();
                group.line = line.to_vec();
            }
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.reviews += other.reviews;
        self.same += other.same;
        self.undecidable += other.undecidable;
        add(&mut self.doubts, other.doubts);
        add(&mut self.unfit, other.unfit);
        for (change, reviews) in other.changed {
            *self.changed.entry(change).or_default() += reviews;
        }
        for (key, group) in other.groups {
            match self.groups.entry(key) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(group);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let ours = entry.get_mut();
                    ours.reviews += group.reviews;
                    add(&mut ours.namespaces, group.namespaces);
                    add(&mut ours.owners, group.owners);
                    if group.first.place < ours.first.place {
                        (ours.first, ours.line) = (group.first, group.line);
                    }
                }
            }
        }
        self
    }
}

fn count(counts: &mut Counts, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

fn add(counts: &mut Counts, others: Counts) {
    for (name, number) in others {
        *counts.entry(name).or_default() += number;
    }
}

/// The largest first, then by name.
pub fn by_number(counts: &Counts) -> Vec<(&str, usize)> {
    let mut sorted: Vec<(&str, usize)> = counts.iter().map(|(name, number)| (name.as_str(), *number)).collect();
    sorted.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
    sorted
}
