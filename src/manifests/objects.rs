//! The objects in a file.

use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Kind, SourceFile, Spanned};

/// One object of a file, as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Manifest<'t> {
    /// Its position among the objects of the file, from 0. An item of a list counts, the list does not.
    pub index: usize,
    /// The object, or the AdmissionReview.
    pub document: &'t Spanned,
    /// Its own, or that of the typed list which it is an item of.
    pub api_version: &'t str,
    /// Its own, or that of the typed list which it is an item of.
    pub kind: &'t str,
}

impl<'t> Manifest<'t> {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &'t str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version in its group.
    pub fn version(&self) -> &'t str {
        self.api_version.split_once('/').map_or(self.api_version, |(_, version)| version)
    }

    /// Whether it is a request as the API server sends it to a webhook, not an object.
    pub fn is_review(&self) -> bool {
        self.kind == "AdmissionReview" && self.group() == "admission.k8s.io"
    }

    /// A string of its metadata; empty where there is none.
    pub fn metadata(&self, key: &str) -> &'t str {
        let metadata = self.document.as_map().and_then(|map| map.get("metadata")).and_then(Spanned::as_map);
        metadata.and_then(|map| map.get(key)).and_then(Spanned::as_str).unwrap_or_default()
    }
}

/// All objects of these documents, and what is wrong with those that are none. `kind: List` and typed lists (`PodList`)
/// stand for their items; items of a typed list may leave out apiVersion and kind.
pub fn objects<'t>(file: &Arc<SourceFile>, documents: &'t [Spanned]) -> (Vec<Manifest<'t>>, Vec<Diagnostic>) {
    let mut found = Found { file, manifests: Vec::new(), problems: Vec::new() };
    documents.iter().for_each(|document| found.object(document, "", ""));
    (found.manifests, found.problems)
}

struct Found<'f, 't> {
    file: &'f Arc<SourceFile>,
    manifests: Vec<Manifest<'t>>,
    problems: Vec<Diagnostic>,
}

impl<'t> Found<'_, 't> {
    fn object(&mut self, document: &'t Spanned, api_version: &'t str, kind: &'t str) {
        let text = |key: &str, inherited: &'t str| {
            let own = document.as_map().and_then(|map| map.get(key)).and_then(Spanned::as_str).unwrap_or_default();
            if own.is_empty() { inherited } else { own }
        };
        let (api_version, kind) = (text("apiVersion", api_version), text("kind", kind));
        if api_version.is_empty() || kind.is_empty() {
            let message = "a manifest needs apiVersion and kind";
            self.problems.push(Diagnostic::error(self.file, document.span.clone(), message));
            return;
        }
        let manifest = Manifest { index: self.manifests.len(), document, api_version, kind };
        match list_of(&manifest) {
            Some(("", items)) => items.iter().for_each(|item| self.object(item, "", "")),
            Some((kind, items)) => items.iter().for_each(|item| self.object(item, api_version, kind)),
            None => self.manifests.push(manifest),
        }
    }
}

/// The kind of the items (empty for `List`) and the items, if it is a list: it has items and no name.
fn list_of<'t>(manifest: &Manifest<'t>) -> Option<(&'t str, &'t [Spanned])> {
    let kind = manifest.kind.strip_suffix("List")?;
    let items = match &manifest.document.as_map()?.get("items")?.kind {
        Kind::List(items) => items.as_slice(),
        Kind::Null => &[],
        _ => return None,
    };
    manifest.metadata("name").is_empty().then_some((kind, items))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::inputs::documents;

    fn listed(text: &str) -> (Vec<String>, Vec<String>) {
        let file = SourceFile::new("f.yaml", text);
        let parsed = documents(&file);
        let (manifests, problems) = objects(&file, &parsed.documents);
        let line = |manifest: &Manifest<'_>| {
            format!("{} {} {} {}", manifest.index, manifest.api_version, manifest.kind, manifest.metadata("name"))
        };
        (manifests.iter().map(line).collect(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn counts_documents_and_items_of_lists() {
        let (manifests, problems) = listed(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: List\nitems:\n\
             - {apiVersion: apps/v1, kind: Deployment, metadata: {name: b}}\n\
             - {apiVersion: v1, kind: PodList, items: [{metadata: {name: c}}, {metadata: {name: d}}]}\n---\n\
             {apiVersion: v1, kind: SecretList, items: null}\n---\n\
             {apiVersion: example.com/v1, kind: AllowList, metadata: {name: e}, items: [x]}\n",
        );
        let expected =
            ["0 v1 Pod a", "1 apps/v1 Deployment b", "2 v1 Pod c", "3 v1 Pod d", "4 example.com/v1 AllowList e"];
        assert_eq!((manifests, problems), (expected.map(str::to_owned).to_vec(), vec![]));
    }

    #[test]
    fn rejects_what_is_no_manifest_in_its_place() {
        let (manifests, problems) = listed("a: 1\n---\n- x\n---\napiVersion: v1\nkind: List\nitems: [{kind: Pod}]\n");
        assert!(manifests.is_empty());
        assert_eq!(
            problems,
            [
                "f.yaml:1:1: error: a manifest needs apiVersion and kind",
                "f.yaml:3:1: error: a manifest needs apiVersion and kind",
                "f.yaml:7:9: error: a manifest needs apiVersion and kind"
            ]
        );
    }
}
