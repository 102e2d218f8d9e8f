//! What the options name, read before the first manifest is judged.

use std::path::PathBuf;

use admittance_engine::document::{Diagnostic, Paint};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::review::{KindName, ObjectName, Operation};
use admittance_engine::set::Parameters;

use super::{Arguments, Format};
use crate::cli::policies;
use crate::manifests::inputs::{self, Input, InputError, documents};
use crate::manifests::namespaces::Namespaces;
use crate::manifests::objects::{Manifest, objects};
use crate::manifests::stored::Stored;
use crate::manifests::{Asked, Judge};

/// The judge, the files to judge, and what is wrong with those that are not there.
///
/// # Errors
/// All problems, ready to print, where nothing can be judged.
pub(super) fn gather(arguments: &Arguments, paint: Paint) -> Result<(Judge, Vec<Input>, Vec<String>), Vec<String>> {
    let loaded = policies::load(&arguments.policies, paint);
    let mut errors = Vec::new();
    let operation = match arguments.operation.map(Operation::from) {
        None if arguments.old_object.is_empty() => Operation::Create,
        None | Some(Operation::Update) => Operation::Update,
        Some(operation) => operation,
    };
    if operation == Operation::Update && arguments.old_object.is_empty() {
        errors.push("error: --operation UPDATE needs --old-object with the objects as they are stored".to_owned());
    } else if operation != Operation::Update && !arguments.old_object.is_empty() {
        let message = "--old-object is for UPDATE alone: a DELETE takes the manifest itself for the stored object";
        errors.push(format!("error: {message}"));
    }
    if arguments.diff && arguments.output != Format::Text {
        let instead = match arguments.output {
            Format::Jsonl => ": with jsonl the field patch says what changes",
            Format::Json => ": with json the field patch says what changes",
            _ => "",
        };
        errors.push(format!("error: --diff is for -o text{instead}"));
    }
    if arguments.explain && matches!(arguments.output, Format::Sarif | Format::Junit | Format::Github) {
        errors.push("error: --explain is for -o text, json and jsonl".to_owned());
    }
    let mut stored = Stored::default();
    for_each(&arguments.old_object, paint, &mut errors, |manifest| {
        stored.add(manifest, &arguments.namespace);
        Ok(())
    });
    let (inputs, problems) = inputs::find(&arguments.files);
    let mut namespaces = Namespaces::among(inputs.clone());
    for_each(&arguments.namespace_object, paint, &mut errors, |manifest| {
        namespaces.give(manifest).then_some(()).ok_or("--namespace-object takes Namespaces with a name")
    });
    let (mut parameters, kinds) = (Parameters::default(), Kinds::built_in());
    if let Some(set) = &loaded.set {
        parameters.take(&kinds, &arguments.namespace, set.parameters());
    }
    for_each(&arguments.params, paint, &mut errors, |manifest| {
        let name = manifest.metadata("name");
        if name.is_empty() {
            return Err("--params takes objects with a name");
        }
        let kind = KindName { api_version: manifest.api_version.into(), kind: manifest.kind.into() };
        let object = ObjectName { kind, namespace: manifest.metadata("namespace").into(), name: name.into() };
        parameters.give(&kinds, &arguments.namespace, object, manifest.document.to_value().into());
        Ok(())
    });
    let Some(set) = loaded.set.filter(|_| errors.is_empty()) else {
        return Err(loaded.problems.into_iter().chain(errors).collect());
    };
    for warning in loaded.problems {
        anstream::eprintln!("{warning}");
    }
    let asked = Asked {
        operation,
        user: arguments.user.clone(),
        groups: arguments.group.clone(),
        namespace: arguments.namespace.clone(),
    };
    let defaults = (!arguments.raw).then(Defaults::built_in);
    let explains = arguments.explain;
    Ok((Judge { set, asked, stored, namespaces, parameters, defaults, explains }, inputs, problems))
}

/// All objects in these files; what is wrong with them goes to `errors`.
fn for_each(
    paths: &[PathBuf],
    paint: Paint,
    errors: &mut Vec<String>,
    mut with: impl FnMut(&Manifest<'_>) -> Result<(), &'static str>,
) {
    for path in paths {
        let file = match Input::Path(path.clone()).read() {
            Ok(file) => file,
            Err(InputError::Unreadable(problem)) => {
                errors.push(format!("error: {problem}"));
                continue;
            }
            Err(InputError::Malformed(problem)) => {
                errors.push(problem.render(paint));
                continue;
            }
        };
        let parsed = documents(&file);
        let (manifests, problems) = objects(&file, &parsed.documents);
        errors.extend(parsed.problems.iter().chain(&problems).map(|problem| problem.render(paint)));
        for manifest in &manifests {
            if let Err(message) = with(manifest) {
                errors.push(Diagnostic::error(&file, manifest.document.span.clone(), message).render(paint));
            }
        }
    }
}
