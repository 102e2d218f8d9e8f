//! A row of the catalogue.

use serde_json::Value;

use crate::review::Lookup;
use crate::rule::{Applies, CelTwin, Group, Module, Mutate, PathPattern, Rule, SettingsError, Validate};

/// A module without its type, so that all fit into one table.
#[derive(Clone, Copy, Debug)]
pub struct ModuleEntry {
    /// [`Module::ID`]
    pub id: &'static str,
    /// Whether it changes objects.
    pub mutates: bool,
    /// [`Module::GROUP`]
    pub group: Group,
    /// [`Module::APPLIES`]
    pub applies: Applies,
    /// [`Module::REPLACES`]
    pub replaces: &'static [&'static str],
    /// [`Module::PUBLIC`]
    pub public: &'static [&'static str],
    /// [`Module::DOC`]
    pub doc: &'static str,
    /// The JSON Schema of its settings.
    pub schema: fn() -> schemars::Schema,
    /// The configured module; `settings` has been held against the schema before.
    pub build: fn(settings: Value) -> Result<Built, BuildError>,
}

/// A configured module.
#[derive(Debug)]
pub struct Built {
    /// What it does.
    pub rule: Rule,
    /// [`Module::lookups`]
    pub lookups: Vec<Lookup<'static>>,
    /// [`Module::writes`]
    pub writes: Vec<PathPattern>,
    /// [`Module::twin`]
    pub twin: Option<CelTwin>,
}

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// They do not have the settings' shape, in serde's words.
    Shape(String),
    /// Their shape is right and their content is not.
    Settings(Vec<SettingsError>),
}

impl ModuleEntry {
    /// The row of a validator.
    pub const fn validator<M: Module + Validate>() -> Self {
        Self::row::<M>(false, |settings| build::<M>(settings, |module| Rule::Validate(Box::new(module))))
    }

    /// The row of a mutator.
    pub const fn mutator<M: Module + Mutate>() -> Self {
        Self::row::<M>(true, |settings| build::<M>(settings, |module| Rule::Mutate(Box::new(module))))
    }

    const fn row<M: Module>(mutates: bool, build: fn(Value) -> Result<Built, BuildError>) -> Self {
        Self {
            id: M::ID,
            mutates,
            group: M::GROUP,
            applies: M::APPLIES,
            replaces: M::REPLACES,
            public: M::PUBLIC,
            doc: M::DOC,
            schema: || schemars::schema_for!(M::Settings),
            build,
        }
    }

    /// The page's first line: what the module is, in a sentence.
    pub fn summary(&self) -> &'static str {
        self.doc.lines().next().and_then(|line| line.strip_prefix("//!")).unwrap_or_default().trim()
    }
}

fn build<M: Module>(settings: Value, rule: fn(M) -> Rule) -> Result<Built, BuildError> {
    let settings: M::Settings = if settings.is_null() {
        M::Settings::default()
    } else {
        serde_json::from_value(settings).map_err(|error| BuildError::Shape(error.to_string()))?
    };
    let module = M::new(settings).map_err(BuildError::Settings)?;
    let (lookups, writes, twin) = (module.lookups(), module.writes(), module.twin());
    Ok(Built { rule: rule(module), lookups, writes, twin })
}
