//! What containers may do.

use serde_json::{Value, json};

use super::images::{EXEMPT, exempt, exempt_in_cel};
use super::{Acts, Mapped, Template, one, texts};

const DEFAULTS: Template = Template { acts: Acts::Create, ..Template::PLAIN };

pub(super) const DISALLOW_INTERACTIVE: Template = Template {
    kind: "K8sDisallowInteractiveTTY",
    library: "disallowinteractive",
    parameters: &[("exemptImages", "a part of the expression: `c.image.startsWith(…)`")],
    note: "An expression: `stdin` and `tty` of all containers are absent or false",
    acts: Acts::Writes,
    map: |parameters| {
        let exempt = exempt_in_cel(parameters).unwrap_or_else(|| "false".to_owned());
        let list = |field: &str| {
            format!("object.spec.?{field}.orValue([]).all(c, {exempt} || (!{} && !{}))", open("stdin"), open("tty"))
        };
        let lists = ["containers", "initContainers", "ephemeralContainers"].map(list);
        Ok(vec![json!({"validations": [{"expression": lists.join(" && "), "message": "stdin and tty must be false"}]})])
    },
    ..DEFAULTS
};

/// That the field of the container `c` is set and true.
fn open(field: &str) -> String {
    format!("(has(c.{field}) && c.{field} == true)")
}

pub(super) const APP_ARMOR: Template = Template {
    kind: "K8sPSPAppArmor",
    library: "apparmor",
    modules: &["apparmor"],
    parameters: &[
        (
            "allowedProfiles",
            "`runtime/default` and `unconfined` become `RuntimeDefault` and `Unconfined` under `allowed`, `localhost/NAME` \
             becomes `Localhost` there and `NAME` under `localhostProfiles`. In the template `localhost/*` allows nothing; \
             if you mean any, leave `localhostProfiles` out",
        ),
        EXEMPT,
    ],
    note: "Without `runtime/default` there is no policy: a pod without a profile has it, and passes here",
    acts: Acts::Writes,
    differs: Some("the pod's own profile must be allowed even where all containers have another"),
    map: |parameters| {
        let profiles: Vec<String> =
            texts(parameters, "allowedProfiles").into_iter().filter(|profile| !profile.contains(['*', '?'])).collect();
        if !profiles.iter().any(|profile| profile == "runtime/default") {
            return Err("no profile at all is the runtime's default, which apparmor never refuses".to_owned());
        }
        profiles_of("apparmor", parameters, &profiles, json!({}))
    },
    ..DEFAULTS
};

pub(super) const SECCOMP: Template = Template {
    kind: "K8sPSPSeccomp",
    library: "seccomp",
    modules: &["seccomp"],
    parameters: &[
        ("allowedLocalhostFiles", "`localhostProfiles`, where `allowedProfiles` names `Localhost`; `*` for any"),
        (
            "allowedProfiles",
            "`runtime/default`, `docker/default` and `RuntimeDefault` become `RuntimeDefault` under `allowed`, \
             `localhost/NAME` becomes `Localhost` there and `NAME` under `localhostProfiles`. `unconfined` becomes `Unconfined`; then a pod without any profile passes as well, \
             which the template refuses. With `*` \
             there is nothing to refuse, and no policy",
        ),
        EXEMPT,
    ],
    note: "`required: true`",
    acts: Acts::Writes,
    differs: Some("annotations do not stand for a profile that is required: Kubernetes 1.27 and later ignore them"),
    map: |parameters| {
        let mut profiles = texts(parameters, "allowedProfiles");
        if profiles.iter().any(|profile| profile == "*") {
            return Ok(vec![]);
        }
        if profiles.iter().any(|profile| profile == "Localhost") {
            let files = texts(parameters, "allowedLocalhostFiles");
            profiles.extend(files.iter().map(|file| format!("localhost/{file}")));
        }
        if profiles.iter().any(|profile| profile.eq_ignore_ascii_case("unconfined")) {
            return Err(
                "where a pod may be unconfined, seccomp lets one without a profile pass, and it does not".to_owned()
            );
        }
        profiles_of("seccomp", parameters, &profiles, json!({"required": true}))
    },
    ..DEFAULTS
};

/// The settings that are about types and files of profiles.
fn profiles_of(module: &str, parameters: &Value, profiles: &[String], mut settings: Value) -> Mapped {
    let (mut types, mut files) = (vec![], vec![]);
    for profile in profiles {
        let (kind, file) = match profile.as_str() {
            "runtime/default" | "docker/default" | "RuntimeDefault" => ("RuntimeDefault", None),
            "unconfined" | "Unconfined" => ("Unconfined", None),
            // Its files are beside it.
            "Localhost" => continue,
            other => match other.strip_prefix("localhost/") {
                Some(file) if file == "*" || !file.contains(['*', '?']) => ("Localhost", Some(file)),
                _ => return Err(format!("allowedProfiles {other:?} is no profile that can be named")),
            },
        };
        files.extend(file);
        if !types.contains(&kind) {
            types.push(kind);
        }
    }
    if types.is_empty() {
        return Err("no profile is allowed, which refuses every pod".to_owned());
    }
    settings["allowed"] = types.into();
    settings["exemptImages"] = exempt(parameters)?.into();
    if !files.is_empty() && !files.contains(&"*") {
        settings["localhostProfiles"] = files.into();
    }
    Ok(vec![one(module, settings)])
}

pub(super) const CAPABILITIES: Template = Template {
    kind: "K8sPSPCapabilities",
    library: "capabilities",
    modules: &["capabilities"],
    parameters: &[
        (
            "allowedCapabilities",
            "`allowedAdd`, in capital letters; absent is `[]`. With `*` and nothing to drop there is no policy",
        ),
        EXEMPT,
        ("requiredDropCapabilities", "`requiredDrop`, in capital letters; absent is `[]`"),
    ],
    differs: Some("names of capabilities are compared as they are written, in capital letters"),
    map: |parameters| {
        let upper = |name| texts(parameters, name).iter().map(|text| text.to_uppercase()).collect::<Vec<_>>();
        let (allowed, required) = (upper("allowedCapabilities"), upper("requiredDropCapabilities"));
        if allowed.iter().any(|name| name == "*") && required.is_empty() {
            return Ok(vec![]);
        }
        let settings = json!({
            "allowedAdd": allowed,
            "requiredDrop": required,
            "exemptImages": exempt(parameters)?,
        });
        Ok(vec![one("capabilities", settings)])
    },
    ..DEFAULTS
};

pub(super) const HOST_NAMESPACE: Template = Template {
    kind: "K8sPSPHostNamespace",
    library: "host-namespaces",
    modules: &["host-namespaces"],
    note: "`allowed: [hostNetwork]`, of which the template says nothing",
    map: |_| Ok(vec![one("host-namespaces", json!({"allowed": ["hostNetwork"]}))]),
    ..DEFAULTS
};

pub(super) const PRIVILEGED: Template = Template {
    kind: "K8sPSPPrivilegedContainer",
    library: "privileged-containers",
    modules: &["privileged"],
    parameters: &[EXEMPT],
    map: |parameters| Ok(vec![one("privileged", json!({"exemptImages": exempt(parameters)?}))]),
    ..DEFAULTS
};
