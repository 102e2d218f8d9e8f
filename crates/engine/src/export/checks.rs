//! What a module looks for, as variables and validations.
//!
//! Each check is a variable that lists findings: `found1`, `found2`. On UPDATE, unless the policy says `existing: Deny`, the
//! same lists are made of the stored object, and what stands in them is no new finding: `offences1`, `offences2`.

use serde_json::{Map, Value, json};

use crate::policy::{Existing, Validator};
use crate::review::Operation;
use crate::twin::{CelCheck, CelTwin, quoted};

/// Variables that words of twins stand for, in the order in which they use each other, with and without a capital.
const WORDS: [(&str, &str); 4] =
    [("pod", "Pod"), ("spec", "Spec"), ("containers", "Containers"), ("contexts", "Contexts")];

/// Kinds with pods, and where the pods are.
const PODS: &str = "!has(OBJECT.kind) ? {} \
: OBJECT.kind == 'Pod' && OBJECT.apiVersion == 'v1' ? OBJECT \
: OBJECT.kind == 'PodTemplate' && OBJECT.apiVersion == 'v1' ? OBJECT.?template.orValue({}) \
: OBJECT.kind == 'CronJob' && OBJECT.apiVersion.startsWith('batch/') ? OBJECT.?spec.?jobTemplate.?spec.?template.orValue({}) \
: OBJECT.kind == 'ReplicationController' && OBJECT.apiVersion == 'v1' \
|| OBJECT.kind == 'Job' && OBJECT.apiVersion.startsWith('batch/') \
|| OBJECT.kind in ['ReplicaSet', 'Deployment', 'StatefulSet', 'DaemonSet'] && OBJECT.apiVersion.startsWith('apps/') \
? OBJECT.?spec.?template.orValue({}) : {}";

/// Which object is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of<'v> {
    /// The one that is judged, by the text for it.
    Judged(&'v str),
    /// The one that was stored before an update.
    Stored,
}

impl Of<'_> {
    fn object(self) -> String {
        match self {
            Self::Judged(text) => text.to_owned(),
            Self::Stored => "oldObject".to_owned(),
        }
    }

    fn variable(self, (word, capital): (&str, &str)) -> String {
        match self {
            Self::Judged(_) => word.to_owned(),
            Self::Stored => format!("stored{capital}"),
        }
    }

    /// The text of a twin with variables in the place of words.
    fn expand(self, text: &str) -> String {
        let text = WORDS.iter().fold(text.to_owned(), |text, word| {
            text.replace(&format!("#{}", word.0), &format!("variables.{}", self.variable(*word)))
        });
        text.replace("#object", &self.object())
    }

    fn definition(self, word: &str) -> String {
        match word {
            "pod" => PODS.replace("OBJECT", &self.object()),
            "spec" => self.expand("#pod.?spec.orValue({})"),
            "containers" => {
                let of = |list: &str| {
                    format!(
                        "#spec.?{list}.orValue([]).map(c, {{'at': dyn('{list}[' + c.?name.orValue('') + ']'), 'it': dyn(c)}})"
                    )
                };
                self.expand(&["initContainers", "containers", "ephemeralContainers"].map(of).join(" + "))
            }
            _ => self.expand(
                "[{'at': dyn('securityContext'), 'it': dyn(#spec.?securityContext.orValue({})), 'of': dyn(null)}] + \
                 #containers.map(c, {'at': dyn(c.at + '.securityContext'), 'it': dyn(c.it.?securityContext.orValue({})), \
                 'of': dyn(c.it)})",
            ),
        }
    }
}

/// The part of the spec that says what is wrong.
pub(super) fn of(twin: &CelTwin, validator: &Validator) -> Map<String, Value> {
    let has = |operation| validator.head.constraints.resource_rules.iter().any(|rule| rule.operations.has(operation));
    let judged = if has(Operation::Delete) { "variables.judged" } else { "object" };
    let is_lenient = validator.existing == Existing::Allow && has(Operation::Update);
    let mut variables: Vec<(String, String)> = vec![];
    if has(Operation::Delete) {
        variables.push(("judged".to_owned(), "request.operation == 'DELETE' ? oldObject : object".to_owned()));
    }
    let now = Of::Judged(judged);
    let all = |checks: &[&CelCheck]| checks.iter().map(|check| check.findings.as_str()).collect::<Vec<_>>().join(" ");
    let every: Vec<&CelCheck> = twin.checks.iter().collect();
    define(now, &all(&every), &mut variables);
    for (number, check) in (1..).zip(&twin.checks) {
        variables.push((format!("found{number}"), now.expand(&check.findings)));
    }
    let of_state: Vec<&CelCheck> = twin.checks.iter().filter(|check| !check.is_of_change).collect();
    let is_lenient = is_lenient && !of_state.is_empty();
    if is_lenient {
        define(Of::Stored, &all(&of_state), &mut variables);
        let lists: Vec<String> =
            of_state.iter().map(|check| format!("({})", Of::Stored.expand(&check.findings))).collect();
        let stored = format!("request.operation == 'UPDATE' && oldObject != null ? {} : []", lists.join(" + "));
        variables.push(("stored".to_owned(), stored));
    }
    let mut validations = vec![];
    for (number, check) in (1..).zip(&twin.checks) {
        let list = if is_lenient {
            let fresh = format!("variables.found{number}.filter(f, !(f in variables.stored))");
            variables.push((format!("offences{number}"), fresh));
            format!("variables.offences{number}")
        } else {
            format!("variables.found{number}")
        };
        let message = validator.wording(check.message.clone());
        let places = format!("{list}.map(f, f.split('\\n')[0]).filter(f, f != '')");
        validations.push(json!({
            "expression": format!("{list}.size() == 0"),
            "message": one_line(&message),
            "messageExpression": format!(
                "{places}.join(', ') + ({places}.size() > 0 ? ': ' : '') + {}", quoted(&one_line(&message))
            ),
            "reason": "Forbidden",
        }));
    }
    let variables: Vec<Value> =
        variables.into_iter().map(|(name, expression)| json!({ "name": name, "expression": expression })).collect();
    Map::from_iter([("variables".to_owned(), variables.into()), ("validations".to_owned(), validations.into())])
}

/// Messages of the API server have one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The variables that `text` uses, and those that these use.
fn define(of: Of<'_>, text: &str, variables: &mut Vec<(String, String)>) {
    let has = |word: &str| text.contains(&format!("#{word}"));
    let contexts = has("contexts");
    let containers = contexts || has("containers");
    let spec = containers || has("spec");
    let pod = spec || has("pod");
    for (word, is_used) in WORDS.into_iter().zip([pod, spec, containers, contexts]) {
        if is_used {
            variables.push((of.variable(word), of.definition(word.0)));
        }
    }
}
