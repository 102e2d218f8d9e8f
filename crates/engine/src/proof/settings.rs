//! Units with one setting of a module left out, to see whether any case depends on it.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::Value;

use crate::document::{Diagnostic, Entry, Kind, Spanned, from_tree};
use crate::modules;
use crate::unit::{CompiledUnit, Unit, compile_edited};

/// The settings that the policies of a unit have, as names of policies and of settings; but those that say what holds
/// without them, on which no case can depend.
pub fn of(unit: &Unit) -> Vec<(String, String)> {
    let found = RefCell::new(Vec::new());
    // What is wrong with the unit is no matter here.
    let _ = compile_edited(unit, &|document| {
        let settings = document.at("/spec/settings").and_then(Spanned::as_map);
        let module = document.at("/spec/module").and_then(Spanned::as_str).and_then(modules::find);
        let defaults = module.map(|module| (module.schema)().to_value()).unwrap_or_default();
        let is_default = |entry: &Entry| {
            let default = defaults.get("properties").and_then(|all| all.get(&entry.key)?.get("default"));
            default.is_some() && from_tree::<Value>(&entry.value).ok().as_ref() == default
        };
        let entries = settings.into_iter().flat_map(|settings| &settings.entries);
        let keys = entries.filter(|entry| !is_default(entry)).map(|entry| entry.key.clone());
        found.borrow_mut().extend(keys.map(|key| (name(document).to_owned(), key)));
    });
    found.into_inner()
}

/// The unit without this setting of this policy.
///
/// # Errors
/// What is wrong with it then: the setting is needed.
pub fn without(unit: &Unit, policy: &str, setting: &str) -> Result<Arc<CompiledUnit>, Vec<Diagnostic>> {
    compile_edited(unit, &|document| {
        if name(document) != policy {
            return;
        }
        if let Some(settings) = part(document, "spec").and_then(|spec| part(spec, "settings"))
            && let Kind::Map(map) = &mut settings.kind
        {
            map.entries.retain(|entry| entry.key != setting);
        }
    })
}

/// The warning that no case depends on a setting.
pub fn idle(unit: &CompiledUnit, policy: &str, setting: &str) -> Option<Diagnostic> {
    let message = format!("policy `{policy}`: no case depends on settings.{setting}");
    unit.problem_at(policy, message).map(Diagnostic::into_warning)
}

fn name(document: &Spanned) -> &str {
    document.at("/metadata/name").and_then(Spanned::as_str).unwrap_or_default()
}

fn part<'t>(node: &'t mut Spanned, key: &str) -> Option<&'t mut Spanned> {
    let Kind::Map(map) = &mut node.kind else { return None };
    map.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
}
