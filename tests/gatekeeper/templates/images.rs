//! Where images come from.

use serde_json::{Value, json};

use super::{Acts, Template, one, texts};

pub(super) const EXEMPT: (&str, &str) = (
    "exemptImages",
    "`exemptImages`, each completed as a runtime does it: `nginx` is `docker.io/library/nginx`, `safeimages.com/*` is \
     `safeimages.com`. Whole parts of names, with all their tags",
);

const SHORT_NAMES: &str = "Names are completed first: `openpolicyagent/` is `docker.io/openpolicyagent`";

pub(super) const ALLOWED_REPOS: Template = Template {
    kind: "K8sAllowedRepos",
    library: "allowedrepos",
    modules: &["allowed-registries"],
    parameters: &[("repos", "`allowed`, by whole parts of names: end what you mean with `/`")],
    note: SHORT_NAMES,
    acts: Acts::Writes,
    counts: true,
    differs: Some("whole parts of names are compared, and images that no runtime could read are refused"),
    map: |parameters| {
        let prefixes = texts(parameters, "repos");
        if prefixes.is_empty() {
            return Err("without repos it refuses everything".to_owned());
        }
        // What `openpolicyagent` begins is an official image as well as somebody's.
        let open =
            prefixes.iter().filter(|prefix| !prefix.contains(['/', '.', ':'])).map(|prefix| format!("{prefix}/"));
        let places: Result<Vec<_>, _> = prefixes.iter().cloned().chain(open).map(|prefix| place(&prefix)).collect();
        Ok(vec![one("allowed-registries", json!({"allowed": places?}))])
    },
};

pub(super) const DISALLOWED_REPOS: Template = Template {
    kind: "K8sDisallowedRepos",
    library: "disallowedrepos",
    modules: &["allowed-registries"],
    parameters: &[("repos", "`denied`, by whole parts of names: `k8s.gcr.io/`. A piece of a name cannot be denied")],
    note: SHORT_NAMES,
    acts: Acts::Writes,
    counts: true,
    differs: Some("images that no runtime could read are refused"),
    map: |parameters| {
        let prefixes = texts(parameters, "repos");
        if prefixes.is_empty() {
            return Ok(vec![]);
        }
        let whole = |prefix: &String| match prefix.strip_suffix('/') {
            Some(_) => place(prefix),
            None => Err(format!("{prefix:?} may end within a part of a name")),
        };
        let places: Result<Vec<_>, _> = prefixes.iter().map(whole).collect();
        Ok(vec![one("allowed-registries", json!({"denied": places?}))])
    },
};

pub(super) const IMAGE_DIGESTS: Template = Template {
    kind: "K8sImageDigests",
    library: "imagedigests",
    modules: &["image-digests"],
    parameters: &[EXEMPT],
    note: "",
    acts: Acts::Writes,
    counts: true,
    differs: Some("only digests that runtimes can verify count"),
    map: |parameters| Ok(vec![one("image-digests", json!({"exemptImages": exempt(parameters)?}))]),
};

/// What images begin with, in the notation of `allowed-registries`.
fn place(prefix: &str) -> Result<String, String> {
    let (text, is_open) = prefix.strip_suffix('/').map_or((prefix, false), |text| (text, true));
    if text.is_empty() {
        return Ok("*".to_owned());
    }
    let (first, rest) = text.split_once('/').map_or((text, None), |(first, rest)| (first, Some(rest)));
    if rest.unwrap_or_default().contains([':', '@']) || first.contains('@') {
        return Err(format!("{prefix:?} has a tag or a digest: an entry names all of a repository"));
    }
    let is_registry = first == "localhost" || first.contains(['.', ':']);
    Ok(match rest {
        _ if is_registry => text.to_owned(),
        // `nginx:1.27` is no host with a port.
        None if !is_open => format!("docker.io/library/{text}"),
        _ => format!("docker.io/{text}"),
    })
}

/// The setting `exemptImages`.
pub(super) fn exempt(parameters: &Value) -> Result<Vec<String>, String> {
    let entry = |text: &String| match text.strip_suffix('*') {
        Some(prefix) if prefix.is_empty() || prefix.ends_with('/') => place(prefix),
        Some(_) => Err(format!("exemptImages {text:?} ends within a part of a name")),
        None if text.rsplit('/').next().is_some_and(|last| last.contains(':')) => {
            Err(format!("exemptImages {text:?} has a tag: an entry names all of a repository"))
        }
        None => place(text),
    };
    texts(parameters, "exemptImages").iter().map(entry).collect()
}

/// That the image of the container `c` is exempt, in CEL and to the letter; None where none is.
pub(super) fn exempt_in_cel(parameters: &Value) -> Option<String> {
    let entry = |text: &String| match text.strip_suffix('*') {
        Some(prefix) => format!("c.image.startsWith({})", json!(prefix)),
        None => format!("c.image == {}", json!(text)),
    };
    let entries: Vec<String> = texts(parameters, "exemptImages").iter().map(entry).collect();
    (!entries.is_empty()).then(|| format!("has(c.image) && ({})", entries.join(" || ")))
}
