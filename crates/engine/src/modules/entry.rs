//! A row of the catalogue.

use std::ops::Range;

use crate::document::{Decoder, Spanned, settings};
use crate::review::Lookup;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, Rule, Validate};
use crate::twin::{CelTwin, NoTwin};

/// Makes a module: where to point if it has no settings, and its settings.
pub type Build = fn(&Decoder, Range<usize>, Option<&Spanned>) -> Option<Built>;

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
    /// The configured module from what the document says under `settings`. `None` has been reported to the decoder, with
    /// all problems; what is wrong with absent settings is said of the given place.
    pub build: Build,
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
    pub twin: Result<CelTwin, NoTwin>,
}

impl ModuleEntry {
    /// The row of a validator.
    pub const fn validator<M: Module + Validate>() -> Self {
        Self::row::<M>(false, |decoder, place, node| {
            build::<M>(decoder, place, node, |module| Rule::Validate(Box::new(module)))
        })
    }

    /// The row of a mutator.
    pub const fn mutator<M: Module + Mutate>() -> Self {
        Self::row::<M>(true, |decoder, place, node| {
            build::<M>(decoder, place, node, |module| Rule::Mutate(Box::new(module)))
        })
    }

    const fn row<M: Module>(mutates: bool, build: Build) -> Self {
        Self {
            id: M::ID,
            mutates,
            group: M::GROUP,
            applies: M::APPLIES,
            replaces: M::REPLACES,
            public: M::PUBLIC,
            doc: M::DOC,
            schema: inlined::<M::Settings>,
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

/// The schema of a type in one piece: whoever embeds it need not carry definitions along.
pub(crate) fn inlined<T: schemars::JsonSchema>() -> schemars::Schema {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}

fn build<M: Module>(
    decoder: &Decoder,
    place: Range<usize>,
    node: Option<&Spanned>,
    rule: fn(M) -> Rule,
) -> Option<Built> {
    let settings: M::Settings = node.map_or_else(|| Some(M::Settings::default()), |node| settings(decoder, node))?;
    let module = match M::new(settings) {
        Ok(module) => module,
        Err(problems) => {
            for problem in problems {
                let span = node.map_or_else(|| place.clone(), |node| node.place(&problem.pointer));
                decoder.error(span, problem.message);
            }
            return None;
        }
    };
    let (lookups, writes, twin) = (module.lookups(), module.writes(), module.twin());
    Some(Built { rule: rule(module), lookups, writes, twin })
}
