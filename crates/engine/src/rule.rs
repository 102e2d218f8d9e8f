//! What a module is, and the two things that it can do.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::json::Node;
use crate::review::{Lookup, Operation, Subject};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::trace::List;
use crate::verdict::{PolicyError, Report};

/// Changes an object. The new root is returned, made by path copying ([`crate::json`]); the old one stays as it is, so
/// that a failure leaves no trace. Doing it twice must equal doing it once.
pub trait Mutate: Send + Sync {
    /// The new root; `subject.object` itself where there is nothing to change.
    ///
    /// # Errors
    /// When the object has a shape that the module cannot work with: the policy's failurePolicy decides.
    ///
    /// The new root may hold texts of the policy itself: `'a` is the time for which both live.
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) -> Result<Node<'a>, PolicyError>;

    /// What it asks of the cluster on every request, as a phrase: `reads namespaceObject`.
    fn asks(&self) -> Option<&'static str> {
        None
    }

    /// Its expressions, conditions among them: the list of the policy that each stands in, its position there, and its text.
    fn expressions(&self) -> Vec<(List, usize, &str)> {
        vec![]
    }

    /// Which fields of the object it decides by.
    fn reads(&self) -> Reads {
        Reads::default()
    }

    /// What it mentions, as far as that can be said: objects made of it are objects that matter to it.
    fn mentions(&self) -> Mentions {
        Mentions::default()
    }
}

/// Names of fields, texts and numbers, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Names of fields, in objects or in what is made of them.
    pub fields: Vec<String>,
    /// Texts.
    pub texts: Vec<String>,
    /// Whole numbers.
    pub numbers: Vec<i64>,
}

/// Judges an object. Total: on any JSON it ends, without a panic, with findings or none.
pub trait Validate: Send + Sync {
    /// Reports every violation, not only the first.
    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>);

    /// What it asks of the cluster on every request, as a phrase: `reads namespaceObject`.
    fn asks(&self) -> Option<&'static str> {
        None
    }

    /// Its expressions, conditions among them: the list of the policy that each stands in, its position there, and its text.
    fn expressions(&self) -> Vec<(List, usize, &str)> {
        vec![]
    }

    /// Which fields of the object it decides by.
    fn reads(&self) -> Reads {
        Reads::default()
    }
}

/// One of the two.
pub enum Rule {
    /// Runs on `/mutate`.
    Mutate(Box<dyn Mutate>),
    /// Runs on `/validate`.
    Validate(Box<dyn Validate>),
}

impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Mutate(_) => "Mutate",
            Self::Validate(_) => "Validate",
        })
    }
}

/// A built-in kind of policy, configured by settings. Its file is its page: the `//!` head has the headings What it
/// checks (or What it does), Why, Settings and Example.
pub trait Module: Sized + Send + Sync + 'static {
    /// Kebab case, the file's name. Validators name the offence (`host-ports`), mutators start with a verb (`add-labels`).
    const ID: &'static str;
    /// Where it stands in the catalogue.
    const GROUP: Group;
    /// What it judges or changes when the policy names nothing else.
    const APPLIES: Applies;
    /// What it replaces elsewhere: `gatekeeper-library/allowedrepos`, `kyverno/disallow-latest-tag`.
    const REPLACES: &'static [&'static str];
    /// Fields whose values messages may show.
    const PUBLIC: &'static [&'static str];
    /// `include_str!` of its own file.
    const DOC: &'static str;
    /// What a policy document says under `settings`. Must refuse unknown fields.
    type Settings: DeserializeOwned + schemars::JsonSchema + Default;

    /// The configured module. Patterns are compiled here, never per request.
    ///
    /// # Errors
    /// Every setting that cannot be worked with, at its place.
    fn new(settings: Self::Settings) -> Result<Self, Vec<SettingsError>>;

    /// What it may ask for, so that it can be kept at hand and the server be given the rights: an empty name or namespace
    /// stands for all ([`Lookup::covers`]).
    fn lookups(&self) -> Vec<Lookup<'static>> {
        vec![]
    }

    /// The paths that a mutator may write.
    fn writes(&self) -> Vec<PathPattern> {
        vec![]
    }

    /// The same check in CEL.
    ///
    /// # Errors
    /// Why CEL cannot say it. Modules that change objects are never asked.
    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin::UNWRITTEN)
    }
}

/// A setting that cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// JSON pointer below `settings`: `/allowed/0`.
    pub pointer: String,
    /// What is wrong with it, and what is accepted.
    pub message: String,
}

/// A place that a mutator may write, as a field path: `metadata.labels[team]`, `spec.containers[*].image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(pub String);

/// Which fields of an object a rule decides by: for whoever asks who else can change them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// The fields whose values count, in `object` or `oldObject`; the empty path is the whole object. None where the rule does
    /// not tell: of modules see `proof::routes`.
    pub fields: Option<Vec<PathPattern>>,
    /// The fields of which only the presence counts.
    pub presence: Vec<PathPattern>,
    /// Whether `oldObject` is looked at.
    pub old: bool,
    /// Its match conditions, in CEL.
    pub conditions: Vec<String>,
}

/// The catalogue's groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Where images come from and how they are named.
    Images,
    /// What a pod may do on its node.
    PodHardening,
    /// What keeps workloads up.
    Reliability,
    /// Labels, annotations, names.
    Metadata,
    /// Services and ingresses.
    Network,
    /// Who may do what.
    Access,
    /// What is put into pods.
    Injection,
}

impl Group {
    /// As pages show it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Images => "Images",
            Self::PodHardening => "Pod hardening",
            Self::Reliability => "Reliability",
            Self::Metadata => "Metadata",
            Self::Network => "Network and services",
            Self::Access => "Access",
            Self::Injection => "Injection",
        }
    }
}

/// What a module matches when the policy does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// Validators: the pod catalogue, that is pods, their ephemeralcontainers and resize, and the templates of all
    /// workloads, on CREATE and UPDATE. Mutators: pods on CREATE and new ephemeral containers.
    Pods,
    /// These resources.
    To(&'static [Resources]),
}

/// A row of [`Applies::To`]: the fields of a ValidatingAdmissionPolicy's resourceRules; every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// API groups; `""` is core, `*` any.
    pub groups: &'static [&'static str],
    /// `pods`, `pods/status`, `*`, `*/*`.
    pub resources: &'static [&'static str],
    /// The operations.
    pub operations: &'static [Operation],
}
