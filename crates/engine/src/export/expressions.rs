//! A policy's own expressions. They are written as they are; under `existing: Allow` each validation that fails also fails
//! to count where it failed of the stored object.

use serde_json::{Map, Value, json};

use crate::cel::syntax::identifiers;
use crate::expression::{Expressions, Named};
use crate::policy::Existing;

/// What variables about the stored object begin with.
const STORED: &str = "admittanceStored_";

/// The part of the spec that judges.
///
/// # Errors
/// What cannot be said.
pub(super) fn of(source: &Expressions, existing: Existing) -> Result<Map<String, Value>, String> {
    let is_lenient = existing == Existing::Allow;
    let mut variables: Vec<Value> = source.variables.iter().map(named).collect();
    if is_lenient {
        for Named { name, expression } in &source.variables {
            let expression = of_stored(expression)?;
            variables.push(json!({ "name": format!("{STORED}{name}"), "expression": expression }));
        }
    }
    let mut validations = vec![];
    for validation in &source.validations {
        let expression = if is_lenient {
            let stored = of_stored(&validation.expression)?;
            let is_update = "request.operation == 'UPDATE' && oldObject != null";
            // A comment may end the expression: the line does too.
            format!("({}\n) ? true : {is_update} ? !({stored}\n) : false", validation.expression)
        } else {
            validation.expression.clone()
        };
        let mut value = json!({ "expression": expression, "reason": validation.refusal.reason });
        for (field, text) in [("message", &validation.message), ("messageExpression", &validation.message_expression)] {
            if let Some(value) = value.as_object_mut().filter(|_| !text.is_empty()) {
                value.insert(field.to_owned(), text.as_str().into());
            }
        }
        validations.push(value);
    }
    let mut map = Map::from_iter([("validations".to_owned(), Value::from(validations))]);
    if !variables.is_empty() {
        map.insert("variables".to_owned(), variables.into());
    }
    if !source.annotations.is_empty() {
        let annotation =
            |annotation: &Named| json!({ "key": annotation.name, "valueExpression": annotation.expression });
        map.insert("auditAnnotations".to_owned(), source.annotations.iter().map(annotation).collect());
    }
    Ok(map)
}

fn named(named: &Named) -> Value {
    json!({ "name": named.name, "expression": named.expression })
}

/// The expression as the webhook asks it of the stored object of an update: that object in the place of the new one, and
/// none before it.
fn of_stored(expression: &str) -> Result<String, String> {
    let mut text = String::with_capacity(expression.len());
    let mut written = 0;
    for identifier in identifiers(expression) {
        let (start, end) = (identifier.span.start as usize, identifier.span.end as usize);
        let name = expression.get(start..end).unwrap_or_default();
        let replaced = match name {
            "object" | "oldObject" if identifier.is_declared => {
                return Err(format!(
                    "`existing: Allow` cannot be said where an expression has a variable `{name}` of its own"
                ));
            }
            "object" if !identifier.is_field => "oldObject".to_owned(),
            "oldObject" if !identifier.is_field => "dyn(null)".to_owned(),
            name if identifier.is_policy_variable => format!("{STORED}{name}"),
            _ => continue,
        };
        text.push_str(expression.get(written..start).unwrap_or_default());
        text.push_str(&replaced);
        written = end;
    }
    text.push_str(expression.get(written..).unwrap_or_default());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_of_the_stored_object() {
        assert_eq!(
            of_stored("object.spec.object == variables.limit").unwrap(),
            "oldObject.spec.object == variables.admittanceStored_limit"
        );
        assert_eq!(
            of_stored("oldObject == null || object.a == 'object'").unwrap(),
            "dyn(null) == null || oldObject.a == 'object'"
        );
        assert_eq!(of_stored("{'object': object}").unwrap(), "{'object': oldObject}");
        assert_eq!(
            of_stored("request.x.all(object, object > 1)").unwrap_err(),
            "`existing: Allow` cannot be said where an expression has a variable `object` of its own"
        );
    }
}
