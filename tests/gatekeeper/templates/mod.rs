//! The templates of Gatekeeper's library that policies can stand for: which, and how parameters become settings. The page
//! docs/migrate-gatekeeper.md is made of this table.

mod access;
mod images;
mod metadata;
mod network;
mod pods;
mod reliability;
mod resources;
mod users;

use serde_json::{Map, Value};

/// The `spec` of each policy, without what it matches; or why there is none.
pub(crate) type Mapped = Result<Vec<Value>, String>;

/// One template.
pub(crate) struct Template {
    /// The kind of its constraints.
    pub(crate) kind: &'static str,
    /// Its folder in the library.
    pub(crate) library: &'static str,
    /// The modules that stand for it; none where it is written as expressions.
    pub(crate) modules: &'static [&'static str],
    /// Each parameter, and what it becomes.
    pub(crate) parameters: &'static [(&'static str, &'static str)],
    /// What else there is to say.
    pub(crate) note: &'static str,
    /// What it judges.
    pub(crate) acts: Acts,
    /// Whether its violations are findings one by one.
    pub(crate) counts: bool,
    /// Why policies refuse what it lets pass, where they do.
    pub(crate) differs: Option<&'static str>,
    /// From the parameters to policies.
    pub(crate) map: fn(&Value) -> Mapped,
}

impl Template {
    /// What most have in common.
    const PLAIN: Self = Self {
        kind: "",
        library: "",
        modules: &[],
        parameters: &[],
        note: "",
        acts: Acts::Writes,
        counts: false,
        differs: None,
        map: |_| Ok(vec![]),
    };
}

/// The operations that a template judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acts {
    Writes,
    /// It leaves updates out, because nothing that it looks at can change.
    Create,
    Update,
}

impl Acts {
    pub(crate) const fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Writes => &["CREATE", "UPDATE"],
            Self::Create => &["CREATE"],
            Self::Update => &["UPDATE"],
        }
    }
}

/// In the order of the kinds.
pub(crate) const TEMPLATES: &[&Template] = &[
    &images::ALLOWED_REPOS,
    &network::BLOCK_ENDPOINT_EDIT,
    &network::BLOCK_LOAD_BALANCER,
    &network::BLOCK_NODE_PORT,
    &network::BLOCK_WILDCARD_INGRESS,
    &resources::EPHEMERAL_STORAGE_LIMIT,
    &resources::LIMITS,
    &resources::RATIOS,
    &resources::REQUESTS,
    &access::DISALLOW_ANONYMOUS,
    &pods::DISALLOW_INTERACTIVE,
    &images::DISALLOWED_REPOS,
    &network::EXTERNAL_IPS,
    &reliability::AUTOSCALER,
    &network::HTTPS_ONLY,
    &images::IMAGE_DIGESTS,
    &users::ALLOWED_USERS,
    &pods::APP_ARMOR,
    &access::AUTOMOUNT,
    &pods::CAPABILITIES,
    &pods::HOST_NAMESPACE,
    &pods::PRIVILEGED,
    &pods::SECCOMP,
    &reliability::DISRUPTION_BUDGET,
    &reliability::REPLICA_LIMITS,
    &metadata::REQUIRED_ANNOTATIONS,
    &metadata::REQUIRED_LABELS,
    &reliability::REQUIRED_PROBES,
    &network::UNIQUE_INGRESS_HOST,
    &access::NO_UPDATE_SERVICE_ACCOUNT,
    &access::DEPRECATED_API,
];

/// One policy of a module.
fn one(module: &str, settings: Value) -> Value {
    Value::Object(Map::from_iter([("module".to_owned(), module.into()), ("settings".to_owned(), settings)]))
}

/// The texts of a list; none where it is absent.
fn texts(parameters: &Value, name: &str) -> Vec<String> {
    let items = parameters[name].as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
