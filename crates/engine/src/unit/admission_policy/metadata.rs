//! `ObjectMeta`: ValidateObjectMeta of apimachinery for an object without a namespace.

use super::field_error::{Field, FieldErrors};
use super::formats;
use super::raw::RawMetadata;

/// The most that annotations may hold together, in bytes.
const ANNOTATIONS: usize = 256 * 1024;

/// The suffix of names that only files in the API server's own folder may have.
const STATIC_SUFFIX: &str = ".static.k8s.io";

pub(super) fn check(raw: &RawMetadata, errors: &mut FieldErrors) {
    let field = Field::root("metadata");
    if let Some(prefix) = raw.generate_name.as_deref().filter(|prefix| !prefix.is_empty()) {
        // What will be appended makes a dash at the end harmless.
        let masked = match prefix.strip_suffix('-') {
            Some(rest) if prefix.len() > 1 => format!("{}a", rest.get(..rest.len() - 1).unwrap_or_default()),
            _ => prefix.to_owned(),
        };
        let problems = formats::subdomain(&masked);
        problems.iter().for_each(|problem| errors.invalid(&field.child("generateName"), prefix, problem));
    }
    match raw.name.as_deref().unwrap_or_default() {
        "" => errors.required(&field.child("name"), "name or generateName is required"),
        name => {
            let problems = formats::subdomain(name);
            problems.iter().for_each(|problem| errors.invalid(&field.child("name"), name, problem));
        }
    }
    if raw.namespace.as_deref().is_some_and(|namespace| !namespace.is_empty()) {
        errors.forbidden(&field.child("namespace"), "not allowed on this type");
    }
    let labels = field.child("labels");
    for (key, value) in raw.labels.iter().flatten() {
        formats::label_key(key).iter().for_each(|problem| errors.invalid(&labels, key, problem));
        formats::label_value(value).iter().for_each(|problem| errors.invalid(&labels, value, problem));
    }
    let annotations = field.child("annotations");
    for key in raw.annotations.iter().flatten().map(|(key, _)| key) {
        let problems = formats::label_key(&key.to_lowercase());
        problems.iter().for_each(|problem| errors.invalid(&annotations, key, problem));
    }
    if raw.annotations.iter().flatten().map(|(key, value)| key.len() + value.len()).sum::<usize>() > ANNOTATIONS {
        errors.too_long(&annotations, ANNOTATIONS);
    }
}

/// What the API server warns about.
pub(super) fn warning(raw: &RawMetadata) -> Option<String> {
    raw.name.as_deref().filter(|name| name.ends_with(STATIC_SUFFIX)).map(|_| {
        format!(
            "metadata.name: names ending with \"{STATIC_SUFFIX}\" are reserved for static manifest-based configurations and cannot be managed via the API"
        )
    })
}
