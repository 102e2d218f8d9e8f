//! `admittance modules`

use std::process::ExitCode;

use admittance_engine::modules::{self, MODULES, ModuleEntry};
use anstream::{AutoStream, ColorChoice};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::output::{Colour, module_page};

/// List the built-in kinds of policy, or show the page of one: what it does, why, its settings, an example.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The module to show.
    #[arg(value_name = "ID", value_parser = PossibleValuesParser::new(MODULES.iter().map(|module| module.id)), hide_possible_values = true)]
    id: Option<String>,
    /// Only the modules whose id, group, summary or names of replaced policies (`kyverno/disallow-latest-tag`) hold each of these
    /// words, in any case.
    #[arg(short, long, value_name = "WORDS", conflicts_with = "id")]
    search: Option<String>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let colour = match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    };
    // The parser has let no other id through.
    let module = arguments.id.as_deref().and_then(modules::find);
    let found: Vec<&ModuleEntry> = match (module, &arguments.search) {
        (Some(module), _) => vec![module],
        (None, Some(words)) => MODULES.iter().filter(|module| module_page::fits(module, words)).collect(),
        (None, None) => MODULES.iter().collect(),
    };
    if found.is_empty() {
        let words = arguments.search.as_deref().unwrap_or_default();
        anstream::eprintln!("error: no module fits {words:?}; `admittance modules` lists all");
        return ExitCode::FAILURE;
    }
    super::print(&match (module, arguments.output) {
        (Some(module), Format::Text) => module_page::text(module, colour),
        (None, Format::Text) => module_page::catalogue(&found, colour),
        (_, Format::Json) => module_page::json(&found),
    })
}
