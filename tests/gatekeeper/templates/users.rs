//! Users and groups.

use serde_json::{Value, json};

use super::images::{EXEMPT, exempt};
use super::{Acts, Template, one};

pub(super) const ALLOWED_USERS: Template = Template {
    kind: "K8sPSPAllowedUsers",
    library: "users",
    modules: &["fs-group", "run-as-group", "run-as-user"],
    parameters: &[
        EXEMPT,
        ("fsGroup", "`fs-group` with `ranges` as `allowed`, and `required: true` for MustRunAs"),
        ("runAsGroup", "`run-as-group` likewise"),
        ("runAsUser", "`run-as-user`: with `ranges` as `allowed` for MustRunAs, with its default for MustRunAsNonRoot"),
        ("supplementalGroups", "an expression; `run-as-group` holds them to its own `allowed` as well"),
    ],
    note: "RunAsAny needs no policy",
    acts: Acts::Create,
    counts: false,
    differs: Some("the pod's own values must be allowed even where all containers have others"),
    map: |parameters| {
        let exempt = exempt(parameters)?;
        let rule = |field: &str| parameters[field]["rule"].as_str().unwrap_or("RunAsAny").to_owned();
        let mut policies = vec![];
        match rule("runAsUser").as_str() {
            "RunAsAny" => {}
            "MustRunAsNonRoot" => policies.push(one("run-as-user", json!({"exemptImages": exempt}))),
            "MustRunAs" => {
                let allowed = ranges(parameters, "runAsUser")?;
                policies.push(one("run-as-user", json!({"exemptImages": exempt, "allowed": allowed})));
            }
            other => return Err(format!("runAsUser has no rule {other:?}")),
        }
        for (field, module) in [("runAsGroup", "run-as-group"), ("fsGroup", "fs-group"), ("supplementalGroups", "")] {
            let required = match rule(field).as_str() {
                "RunAsAny" => continue,
                "MayRunAs" => false,
                "MustRunAs" => true,
                other => return Err(format!("{field} has no rule {other:?}")),
            };
            let mut settings = json!({"allowed": ranges(parameters, field)?, "required": required});
            policies.push(match module {
                "" if exempt.is_empty() => supplemental(&parameters[field]["ranges"], required),
                "" => return Err("supplementalGroups with exemptImages".to_owned()),
                "fs-group" => one(module, settings),
                _ => {
                    settings["exemptImages"] = json!(exempt);
                    one(module, settings)
                }
            });
        }
        Ok(policies)
    },
};

fn ranges(parameters: &Value, field: &str) -> Result<Vec<String>, String> {
    let given = parameters[field]["ranges"].as_array().into_iter().flatten();
    let read = |range: &Value| Some(format!("{}-{}", range["min"].as_i64()?, range["max"].as_i64()?));
    let ranges: Vec<String> = given.filter_map(read).collect();
    if ranges.is_empty() { Err(format!("{field} has no range")) } else { Ok(ranges) }
}

fn supplemental(ranges: &Value, required: bool) -> Value {
    let within = |range: &Value| format!("(group >= {} && group <= {})", range["min"], range["max"]);
    let allowed: Vec<String> = ranges.as_array().into_iter().flatten().map(within).collect();
    let groups = "object.spec.?securityContext.?supplementalGroups";
    let given = if required { format!("{groups}.hasValue() && ") } else { String::new() };
    json!({"validations": [{
        "expression": format!("{given}{groups}.orValue([]).all(group, {})", allowed.join(" || ")),
        "message": "supplementalGroups are not allowed",
    }]})
}
