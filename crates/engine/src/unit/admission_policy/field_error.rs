//! The API server's findings about fields, with its texts (k8s.io/apimachinery, `util/validation/field`), each at its place
//! in the document.

use std::fmt;

use serde::Serialize;

use crate::matching::Problem;

/// A field: as the API server writes its path, and where it stands in the document.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// `spec.validations[0].expression`
    path: String,
    /// `/spec/validations/0/expression`
    pointer: String,
}

impl Field {
    pub(crate) fn root(name: &str) -> Self {
        Self { path: name.to_owned(), pointer: format!("/{name}") }
    }

    pub(crate) fn child(&self, name: &str) -> Self {
        Self { path: format!("{}.{name}", self.path), pointer: format!("{}/{name}", self.pointer) }
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), pointer: format!("{}/{index}", self.pointer) }
    }

    /// The same path, pointed at elsewhere: upstream says some things of another field than the one that is wrong.
    pub(crate) fn pointing_at(&self, other: &Field) -> Self {
        Self { path: self.path.clone(), pointer: other.pointer.clone() }
    }

    pub(crate) fn pointer(&self) -> &str {
        &self.pointer
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path)
    }
}

/// Findings in the order in which the API server lists them.
#[derive(Debug, Default)]
pub(crate) struct FieldErrors(Vec<Problem>);

impl FieldErrors {
    /// `Required value`
    pub(crate) fn required(&mut self, field: &Field, detail: &str) {
        self.add(field, "Required value", detail);
    }

    /// `Forbidden`
    pub(crate) fn forbidden(&mut self, field: &Field, detail: &str) {
        self.add(field, "Forbidden", detail);
    }

    /// `Invalid value`
    pub(crate) fn invalid<V: Serialize + ?Sized>(&mut self, field: &Field, value: &V, detail: &str) {
        self.add(field, &format!("Invalid value: {}", printed(value)), detail);
    }

    /// `Duplicate value`
    pub(crate) fn duplicate(&mut self, field: &Field, value: &str) {
        self.add(field, &format!("Duplicate value: {}", printed(value)), "");
    }

    /// `Unsupported value`
    pub(crate) fn not_supported(&mut self, field: &Field, value: &str, supported: &[&str]) {
        let supported: Vec<String> = supported.iter().map(printed).collect();
        let detail = format!("supported values: {}", supported.join(", "));
        self.add(field, &format!("Unsupported value: {}", printed(value)), &detail);
    }

    /// `Too many`
    pub(crate) fn too_many(&mut self, field: &Field, count: usize, most: usize) {
        self.add(field, &format!("Too many: {count}"), &format!("must have at most {most} items"));
    }

    /// `Too long`
    pub(crate) fn too_long(&mut self, field: &Field, most: usize) {
        self.add(field, "Too long", &format!("may not be more than {most} bytes"));
    }

    fn add(&mut self, field: &Field, what: &str, detail: &str) {
        let separator = if detail.is_empty() { "" } else { ": " };
        self.0.push(Problem { pointer: field.pointer.clone(), message: format!("{field}: {what}{separator}{detail}") });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.0
    }
}

/// A value as Go prints it: strings quoted, all else as JSON.
fn printed<V: Serialize + ?Sized>(value: &V) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
