//! What `--var` sets.

use std::path::PathBuf;

use admittance_engine::document::Paint;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::Budget;
use serde_json::value::RawValue;

use crate::manifests::inputs::{Input, InputError, documents};

/// `NAME=JSON` or `NAME=@FILE`
pub(super) fn parse(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=JSON or NAME=@FILE".to_owned()),
    }
}

/// The values of variables as JSON.
pub(super) fn read(variables: &[(String, String)], paint: Paint) -> Result<Vec<(String, Box<RawValue>)>, String> {
    let read = |(name, value): &(String, String)| {
        let value = match value.strip_prefix('@') {
            Some(path) => of_file(path, paint)?,
            None => RawValue::from_string(value.clone()).map_err(|error| {
                format!("error: the value of --var {name} is no JSON ({error}): a text needs quotes, --var '{name}=\"text\"'")
            })?,
        };
        Ok((name.clone(), value))
    };
    variables.iter().map(read).collect()
}

/// The first document of a file.
fn of_file(path: &str, paint: Paint) -> Result<Box<RawValue>, String> {
    let file = Input::Path(PathBuf::from(path)).read().map_err(|error| match error {
        InputError::Unreadable(problem) => format!("error: {problem}"),
        InputError::Malformed(problem) => problem.render(paint),
    })?;
    let parsed = documents(&file);
    if !parsed.problems.is_empty() {
        return Err(parsed.problems.iter().map(|problem| problem.render(paint)).collect::<Vec<_>>().join("\n"));
    }
    let Some(document) = parsed.documents.first() else {
        return Err(format!("error: there is no document in {path:?}"));
    };
    let arena = Arena::with_limit(Budget::REVIEW);
    serde_json::value::to_raw_value(&document.to_node(&arena)).map_err(|error| format!("error: {path:?}: {error}"))
}
