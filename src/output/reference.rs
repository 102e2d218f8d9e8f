//! The generated part of the documentation: what the program says about itself, as files.

use std::fmt::Write as _;
use std::time::Duration;

use admittance_engine::modules::MODULES;
use admittance_engine::unit::schema as documents;
use clap::{Arg, Command};

use super::module_page;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{KindLabels, PolicyLabels};

/// Every generated file below `docs/`: its path and its text.
pub fn files() -> Vec<(String, String)> {
    let pages = MODULES.iter().map(|module| (format!("modules/{}.md", module.id), module_page::markdown(module)));
    let mut files: Vec<(String, String)> = pages.collect();
    files.push(("modules/README.md".to_owned(), module_page::index()));
    files.push(("cli.md".to_owned(), command_line()));
    files.push(("metrics.md".to_owned(), metrics()));
    files.push(("policy.schema.json".to_owned(), schema()));
    files
}

/// The JSON Schema of policy documents.
pub fn schema() -> String {
    serde_json::to_string_pretty(&documents::schema()).unwrap_or_default() + "\n"
}

/// All metrics, in Markdown: what the page of metrics says of itself.
fn metrics() -> String {
    let metrics = Metrics::default();
    metrics.activated("", 0, &[("active", 0)]);
    let labels = PolicyLabels { policy: String::new(), action: "Deny", namespace_group: String::new() };
    drop(metrics.findings.get_or_create(&labels));
    metrics.policy("", Duration::ZERO);
    metrics.drifted("");
    metrics.twins(&[("current", 0)]);
    drop(metrics.cache_objects.get_or_create(&KindLabels { kind: String::new() }));
    let page = metrics.page();
    let mut text =
        "# Metrics\n\nAt `/metrics` of the plain listener (`--metrics-listen`), as OpenMetrics text. Latencies are \
        from a request's arrival to its answer. The label `namespace_group` is what `--namespace-group` says.\n\n\
        | metric | type | labels | meaning |\n| --- | --- | --- | --- |\n"
            .to_owned();
    for line in page.lines() {
        let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) else { continue };
        let kind = page.lines().find_map(|line| line.strip_prefix("# TYPE ")?.strip_prefix(name)?.strip_prefix(' '));
        let kind = kind.unwrap_or_default();
        let sample = page.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| ["{", " ", "_total", "_bucket", "_info"].iter().any(|next| rest.starts_with(next)))
        });
        let labels =
            sample.and_then(|sample| sample.split_once('{')?.1.split_once('}')).map_or("", |(labels, _)| labels);
        let labels: Vec<String> = labels
            .split(',')
            .filter_map(|label| Some(format!("`{}`", label.split_once('=')?.0)))
            .filter(|label| label != "`le`")
            .collect();
        let ending = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let (labels, help) = (labels.join(", "), help.trim_end_matches('.'));
        let _ = writeln!(text, "| `{name}{ending}` | {kind} | {labels} | {help} |");
    }
    text
}

/// All commands and options, in Markdown.
fn command_line() -> String {
    let mut root = crate::cli::definition();
    root.build();
    let about = root.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("# Command line\n\n{about}\n");
    for command in root.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set()) {
        describe(&mut text, command);
    }
    text
}

fn describe(text: &mut String, command: &Command) {
    let _ = write!(text, "\n## admittance {}\n\n", command.get_name());
    let about = command.get_long_about().or(command.get_about());
    let _ = writeln!(text, "{}", about.map(ToString::to_string).unwrap_or_default());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(text, "\n```text\n{usage}\n```\n");
    let is_own = |argument: &&Arg| !argument.is_hide_set() && argument.get_id() != "help";
    let arguments: Vec<&Arg> = command.get_arguments().filter(is_own).collect();
    if !arguments.is_empty() {
        text.push('\n');
    }
    for argument in arguments {
        let _ = writeln!(text, "- {}", line(argument));
    }
    if let Some(notes) = command.get_after_long_help() {
        let _ = write!(text, "\n```text\n{notes}\n```\n");
    }
}

/// `` `-p`, `--policies <PATH>`: what it is. Default: `…`. Environment: `…`. ``
fn line(argument: &Arg) -> String {
    let values: Vec<String> =
        argument.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let takes = argument.get_action().takes_values();
    let value = if takes { values.join(" ") } else { String::new() };
    let mut names = Vec::new();
    names.extend(argument.get_short().map(|short| format!("`-{short}`")));
    names.extend(argument.get_long().map(|long| format!("`{}`", format!("--{long} {value}").trim_end())));
    if names.is_empty() {
        names.push(format!("`{value}`"));
    }
    let mut text = names.join(", ");
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, ": {}", help.trim_end());
    if !text.ends_with(['.', '!']) {
        text.push('.');
    }
    let choices =
        if takes && !argument.is_hide_possible_values_set() { argument.get_possible_values() } else { vec![] };
    if !choices.is_empty() {
        let choices = choices.iter().map(|choice| match choice.get_help() {
            Some(help) => format!("`{}` ({})", choice.get_name(), help.to_string().trim_end_matches('.')),
            None => format!("`{}`", choice.get_name()),
        });
        let _ = write!(text, " One of {}.", choices.collect::<Vec<_>>().join(", "));
    }
    let defaults: Vec<String> = argument.get_default_values().iter().map(|value| value.display().to_string()).collect();
    if takes && !defaults.is_empty() {
        let _ = write!(text, " Default: `{}`.", defaults.join(" "));
    }
    if let Some(name) = argument.get_env() {
        let _ = write!(text, " Environment: `{}`.", name.display());
    }
    text
}
