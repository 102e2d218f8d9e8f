//! Coverage: by which requests somebody can create or change what a policy decides by, without the policy being asked.
//!
//! [`coverage`] holds the fields that each policy reads (from its expressions; of modules, from a table) against the requests that
//! can write them (a table with upstream's sources), the policy's own match constraints against those requests, and what the
//! webhook configurations leave out against both. It knows built-in kinds; of others it knows that they are created and updated.

mod around;
mod connect;
mod deletion;
mod modules;
mod path;
mod pods;
mod policy;
mod stored;
mod table;

pub use around::{Around, Condition, Webhook};
pub use path::FieldPath;

use crate::set::PolicySet;
use policy::Policy;

/// How grave a gap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What the policy refuses, or would change, can come into being unseen.
    Bypass,
    /// It can be stored unseen, and shows later, where the policy is asked.
    Late,
    /// Somebody has said that it should be so: the policy, the chart, or Kubernetes.
    Accepted,
}

/// What a gap is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Requests that are not sent to the server.
    Webhook,
    /// A request for the resource itself.
    Operation,
    /// One for a subresource.
    Subresource,
    /// Another kind that pods are made of.
    Template,
    /// Containers in another list.
    Containers,
    /// Another version of the kind.
    Version,
    /// What objects are called, and how they are labelled.
    Selection,
    /// A deletion in another way.
    Deletion,
    /// Another way into a container.
    Connection,
    /// Namespaces.
    Namespace,
    /// Conditions on users, and others.
    Condition,
    /// What happens where the policy or the server fails.
    Failure,
    /// What is there without a request.
    Node,
}

/// A way past a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The policy; None for every one.
    pub policy: Option<Named>,
    /// How grave it is.
    pub severity: Severity,
    /// What it is about.
    pub sort: Sort,
    /// The requests, or what is not asked about: `UPDATE of pods/resize`.
    pub route: String,
    /// The fields that it can create or change, as paths; none where it is not about fields.
    pub changes: Vec<String>,
    /// What that means, or whose decision it is; empty where the route says it all.
    pub why: String,
    /// What to do: rules as YAML, or a sentence.
    pub add: Vec<String>,
}

/// Whose gap it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The policy's name.
    pub name: String,
    /// Whether it changes objects.
    pub mutates: bool,
    /// The unit that it stands in.
    pub unit: String,
    /// The 1-based line on which it starts.
    pub line: u32,
}

/// Every way past the policies of a set: policies by name, what concerns all of them first, the gravest of each first.
pub fn coverage(set: &PolicySet, around: &Around) -> Vec<Gap> {
    let policies = Policy::all(set);
    let mut gaps = around::everywhere(&policies, around, set.kinds());
    for policy in &policies {
        stored::look(policy, set.kinds(), &mut gaps);
        pods::look(policy, &policies, set.kinds(), &mut gaps);
        deletion::look(policy, set.kinds(), &mut gaps);
        connect::look(policy, &mut gaps);
        around::look(policy, set.kinds(), &mut gaps);
    }
    gaps.extend(around::unsent(set, around));
    gaps.sort();
    gaps.dedup();
    gaps
}

impl Severity {
    /// As options and outputs spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Late => "late",
            Self::Accepted => "accepted",
        }
    }
}

impl Sort {
    /// As outputs spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Operation => "operation",
            Self::Subresource => "subresource",
            Self::Template => "template",
            Self::Containers => "containers",
            Self::Version => "version",
            Self::Selection => "selection",
            Self::Deletion => "deletion",
            Self::Connection => "connection",
            Self::Namespace => "namespace",
            Self::Condition => "condition",
            Self::Failure => "failure",
            Self::Node => "node",
        }
    }
}

#[cfg(test)]
mod tests;
