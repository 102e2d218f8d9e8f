//! A ConfigMap in a file: what is applied to a cluster can be judged, tested and served as it is.

use std::sync::Arc;

use super::LABEL;
use super::found::Found;
use crate::document::{Decoder, Diagnostic, Kind, Place, SourceFile, Spanned};

/// What the keys of a ConfigMap with policies end in.
const ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];

/// Whether a ConfigMap is one of ours: it has the label, or a key that ends as those of policies do. Others may be parameters.
pub(super) fn holds_policies(document: &Spanned) -> bool {
    let label = document.at("/metadata/labels").and_then(Spanned::as_map).and_then(|labels| labels.get(LABEL));
    let data = document.at("/data").and_then(Spanned::as_map);
    let ends = |key: &str| ENDINGS.iter().any(|ending| key.ends_with(ending));
    label.and_then(Spanned::as_str) == Some("true")
        || data.is_some_and(|data| data.entries.iter().any(|entry| ends(&entry.key)))
}

/// Reads the files under `data`. Their problems are shown where they stand in the outer file.
pub(super) fn read(found: &mut Found<'_>, decoder: &Decoder, document: &Spanned) {
    let label = document.at("/metadata/labels").and_then(Spanned::as_map).and_then(|labels| labels.get(LABEL));
    if label.and_then(Spanned::as_str) != Some("true") {
        let problem = Diagnostic::warning(
            decoder.file(),
            document.entry("/metadata").map_or_else(|| document.place(""), |entry| entry.key_span.clone()),
            format!("in a cluster this ConfigMap is not read: it lacks the label `{LABEL}: \"true\"`"),
        );
        decoder.report(problem);
    }
    if let Some(entry) = document.entry("/binaryData") {
        decoder.error(entry.key_span.clone(), "policies in binaryData are not read, move them to data");
    }
    let Some(data) = document.at("/data").and_then(Spanned::as_map) else {
        decoder.error(document.place("/data"), "the ConfigMap has no data");
        return;
    };
    for entry in &data.entries {
        if !ENDINGS.iter().any(|ending| entry.key.ends_with(ending)) {
            decoder.error(entry.key_span.clone(), format!("the key `{}` must end in .yaml, .yml or .json", entry.key));
            continue;
        }
        let Kind::String(text) = &entry.value.kind else {
            decoder.mistyped(&entry.value, "a string");
            continue;
        };
        let outer = decoder.file();
        let inner = SourceFile::new(outer.name(), text.value.as_str());
        let mut within = Found {
            unit: found.unit,
            edit: found.edit,
            documents: vec![],
            parameters: vec![],
            tests: vec![],
            problems: vec![],
        };
        within.read_file(&inner);
        let move_place = |place: &mut Place| {
            if Arc::ptr_eq(&place.file, &inner) {
                place.span = text.raw_range(outer, place.span.clone());
                place.file = Arc::clone(outer);
            }
        };
        let move_out = |problem: &mut Diagnostic| {
            let places = std::iter::once(&mut problem.place).chain(problem.related.iter_mut().map(|(place, _)| place));
            places.for_each(move_place);
        };
        within.problems.iter_mut().for_each(move_out);
        within.problems.into_iter().for_each(|problem| decoder.report(problem));
        for (document, mut place, said) in within.documents {
            move_out(&mut place);
            let line = outer.position(place.place.span.start).line;
            found.documents.push((document.on_line(u32::try_from(line).unwrap_or(u32::MAX)), place, said));
        }
        for mut parameter in within.parameters {
            move_out(&mut parameter.place);
            found.parameters.push(parameter);
        }
        for mut test in within.tests {
            test.move_places(&mut |place| move_place(place));
            found.tests.push(test);
        }
    }
}
