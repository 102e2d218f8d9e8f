//! What is wrong with a case although each of its fields has the right type: fields that contradict each other, patterns that
//! cannot be read, names that stand twice.

use std::collections::BTreeMap;

use super::Pattern;
use crate::document::{Decoder, Diagnostic, Kind, Spanned};
use crate::kubernetes::kinds::{Kinds, Scope};
use crate::review::Operation;

/// DELETE with only an oldObject, UPDATE with both, else CREATE.
pub(super) const fn default_operation(has_object: bool, has_old_object: bool) -> Operation {
    match (has_object, has_old_object) {
        (true, true) => Operation::Update,
        (false, true) => Operation::Delete,
        _ => Operation::Create,
    }
}

/// Reports each name that stands a second time.
pub(super) fn unique<'t>(decoder: &Decoder, names: impl Iterator<Item = &'t Spanned>, what: &str) {
    let mut seen: BTreeMap<&str, &Spanned> = BTreeMap::new();
    for node in names {
        let Some(name) = node.as_str() else { continue };
        match seen.get(name) {
            None => drop(seen.insert(name, node)),
            Some(first) => {
                let problem =
                    Diagnostic::error(decoder.file(), node.span.clone(), format!("{what} `{name}` stands twice"));
                decoder.report(problem.related(decoder.file(), first.span.clone(), "first here"));
            }
        }
    }
}

/// Reports everything. Fields of wrong types are passed over: their types are reported elsewhere.
pub(super) fn case(decoder: &Decoder, node: &Spanned) -> bool {
    if node.as_map().is_none() {
        return false;
    }
    let mut check = Check { decoder, case: node, is_sound: true };
    check.objects();
    check.namespace();
    check.params();
    check.expect();
    check.is_sound
}

struct Check<'d, 't> {
    decoder: &'d Decoder,
    case: &'t Spanned,
    is_sound: bool,
}

impl<'t> Check<'_, 't> {
    fn error(&mut self, pointer: &str, message: impl Into<String>) {
        self.is_sound = false;
        self.decoder.error(self.place(pointer), message);
    }

    /// Where the field's name stands, else as much of the way as there is.
    fn place(&self, pointer: &str) -> std::ops::Range<usize> {
        match self.case.entry(pointer) {
            Some(entry) => entry.key_span.clone(),
            None => match &self.case.kind {
                Kind::Map(map) => map.entries.first().map_or(self.case.span.clone(), |entry| entry.key_span.clone()),
                _ => self.case.span.clone(),
            },
        }
    }

    fn part(&self, pointer: &str) -> Option<&'t Spanned> {
        self.case.at(pointer).filter(|part| part.kind != Kind::Null)
    }

    fn text(&self, pointer: &str) -> Option<&'t str> {
        self.part(pointer).and_then(Spanned::as_str)
    }

    fn operation(&self) -> Operation {
        let default = default_operation(self.part("/object").is_some(), self.part("/oldObject").is_some());
        self.text("/operation").and_then(Operation::parse).unwrap_or(default)
    }

    fn objects(&mut self) {
        for pointer in ["/object", "/oldObject"] {
            if self.part(pointer).is_some_and(|object| object.as_map().is_some()) {
                for field in ["apiVersion", "kind"] {
                    if self.text(&format!("{pointer}/{field}")).is_none_or(str::is_empty) {
                        self.error(pointer, format!("`{}` needs {field}", pointer.trim_start_matches('/')));
                    }
                }
            }
        }
        let (has_object, has_old) = (self.part("/object").is_some(), self.part("/oldObject").is_some());
        match (self.operation(), has_object, has_old) {
            (_, false, false) => self.error("", "missing field `object`, or for a DELETE `oldObject`"),
            (operation @ (Operation::Create | Operation::Connect), _, true) => {
                self.error("/oldObject", format!("a {operation} has no `oldObject`"));
            }
            (Operation::Delete, true, _) => self.error("/object", "a DELETE has an `oldObject` and no `object`"),
            (Operation::Update, true, false) => self.error("/operation", "an UPDATE needs `oldObject`"),
            (Operation::Update, false, true) => self.error("/operation", "an UPDATE needs `object`"),
            _ => {}
        }
    }

    fn namespace(&mut self) {
        let given = self.text("/namespace");
        for object in ["object", "oldObject"] {
            let own = self.text(&format!("/{object}/metadata/namespace")).filter(|own| !own.is_empty());
            if let (Some(given), Some(own)) = (given, own)
                && given != own
            {
                self.error("/namespace", format!("the `{object}` is in namespace `{own}`, not in `{given}`"));
            }
        }
        let judged = if self.part("/object").is_some() { "/object" } else { "/oldObject" };
        let text = |field: &str| self.text(&format!("{judged}{field}")).unwrap_or_default();
        let (api_version, kind) = (text("/apiVersion"), text("/kind"));
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let is_cluster_scoped =
            Kinds::built_in().kind(group, version, kind).is_some_and(|row| row.scope == Scope::Cluster);
        if is_cluster_scoped && given.is_some_and(|given| !given.is_empty()) {
            self.error("/namespace", format!("a {kind} is in no namespace"));
        }
        let own = self.text(&format!("{judged}/metadata/namespace")).filter(|own| !own.is_empty());
        let is_namespace = group.is_empty() && kind == "Namespace";
        let own = if is_namespace { self.text(&format!("{judged}/metadata/name")) } else { own.or(given) };
        let Some(namespace) = self.part("/namespaceObject").filter(|namespace| namespace.as_map().is_some()) else {
            return;
        };
        let name = namespace.at("/metadata/name").and_then(Spanned::as_str);
        if namespace.at("/kind").and_then(Spanned::as_str).is_some_and(|kind| kind != "Namespace") {
            self.error("/namespaceObject", "expected a Namespace");
        } else if is_cluster_scoped && !is_namespace {
            self.error("/namespaceObject", format!("a {kind} is in no namespace"));
        } else if let (Some(name), Some(own)) = (name, own)
            && name != own
        {
            self.error("/namespaceObject", format!("the request is in namespace `{own}`, not in `{name}`"));
        }
    }

    fn params(&mut self) {
        let items: Vec<&Spanned> = match self.part("/params").map(|params| (params, &params.kind)) {
            Some((_, Kind::List(items))) => items.iter().collect(),
            Some((params, Kind::Map(_))) => vec![params],
            _ => return,
        };
        for item in items.into_iter().filter(|item| item.as_map().is_some()) {
            let has = |pointer| item.at(pointer).and_then(Spanned::as_str).is_some_and(|text| !text.is_empty());
            if !(has("/apiVersion") && has("/kind") && has("/metadata/name")) {
                self.is_sound = false;
                self.decoder.error(item.place(""), "a parameter needs apiVersion, kind and metadata.name");
            }
        }
    }

    fn expect(&mut self) {
        let names = self.part("/expect/policies").map(|names| &names.kind);
        if let Some(Kind::List(names)) = names {
            unique(self.decoder, names.iter(), "policy");
        }
        self.patterns();
        let allowed = match self.part("/expect/allowed").map(|allowed| &allowed.kind) {
            Some(Kind::Bool(allowed)) => Some(*allowed),
            _ => None,
        };
        let has = |field: &str| self.part(&format!("/expect/{field}")).is_some();
        let of_denial: Vec<&str> = ["code", "message"].into_iter().filter(|field| has(field)).collect();
        let of_change: Vec<&str> = ["object", "patch"].into_iter().filter(|field| has(field)).collect();
        let is_change_sent = matches!(self.operation(), Operation::Create | Operation::Update | Operation::Connect);
        if allowed == Some(true) {
            for field in &of_denial {
                self.error(
                    &format!("/expect/{field}"),
                    format!("`{field}` is of a denial, and the request is allowed"),
                );
            }
        }
        for field in of_change {
            let pointer = format!("/expect/{field}");
            if allowed == Some(false) {
                self.error(&pointer, format!("a request that is denied has no `{field}`"));
            } else if let Some(other) = of_denial.first().filter(|_| allowed.is_none()) {
                self.error(
                    &pointer,
                    format!("a request that is denied has no `{field}`, and `{other}` is of a denial"),
                );
            } else if !is_change_sent {
                self.error(&pointer, "nothing is changed in a DELETE");
            }
        }
        if let Some(Kind::Int(code)) = self.part("/expect/code").map(|code| &code.kind)
            && !(400..600).contains(code)
        {
            self.error("/expect/code", "expected the code of a denial, 400 to 599");
        }
    }

    /// All texts that may be patterns.
    fn patterns(&mut self) {
        let mut texts: Vec<&Spanned> = self.part("/expect/message").into_iter().collect();
        for field in ["warnings", "errors"] {
            if let Some(Kind::List(items)) = self.part(&format!("/expect/{field}")).map(|list| &list.kind) {
                texts.extend(items);
            }
        }
        if let Some(annotations) = self.part("/expect/auditAnnotations").and_then(Spanned::as_map) {
            texts.extend(annotations.entries.iter().map(|entry| &entry.value));
        }
        for node in texts {
            if let Some(Err(problem)) = node.as_str().map(Pattern::new) {
                self.is_sound = false;
                self.decoder.error(node.span.clone(), problem);
            }
        }
    }
}
