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
        self.lines().next().unwrap_or_default()
    }

    /// The whole page, in Markdown: the summary and the sections.
    pub fn page(&self) -> String {
        self.lines().fold(String::new(), |page, line| page + line + "\n")
    }

    /// What stands under one of the page's headings, without the heading.
    pub fn section(&self, heading: &str) -> Option<String> {
        let is_heading = |line: &&str| line.strip_prefix("# ") == Some(heading);
        let mut lines = self.lines().skip_while(|line| !is_heading(line));
        lines.next()?;
        let text = lines.take_while(|line| !line.starts_with("# ")).collect::<Vec<_>>().join("\n");
        Some(text.trim().to_owned())
    }

    /// The policy document of the page's example.
    pub fn example(&self) -> String {
        let section = self.section("Example").unwrap_or_default();
        let lines = section.lines().skip_while(|line| !line.starts_with("```")).skip(1);
        lines.take_while(|line| !line.starts_with("```")).fold(String::new(), |text, line| text + line + "\n")
    }

    /// The head of its file.
    fn lines(&self) -> impl Iterator<Item = &'static str> {
        let head = self.doc.lines().map_while(|line| line.strip_prefix("//!"));
        head.map(|line| line.strip_prefix(' ').unwrap_or(line))
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
