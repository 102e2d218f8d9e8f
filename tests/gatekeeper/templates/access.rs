//! Who may do what, and with which token.

use serde_json::json;

use super::{Acts, Template, one, texts};

pub(super) const DISALLOW_ANONYMOUS: Template = Template {
    kind: "K8sDisallowAnonymous",
    library: "disallowanonymous",
    modules: &["anonymous-bindings"],
    parameters: &[
        ("allowedRoles", "`allowedRoles`. Where it is absent, `[]`: by default `system:public-info-viewer` passes"),
        ("disallowAuthenticated", "`authenticated`"),
    ],
    note: "",
    acts: Acts::Writes,
    counts: true,
    differs: Some("with `authenticated`, `system:serviceaccounts` is refused as well"),
    map: |parameters| {
        let settings = json!({
            "allowedRoles": texts(parameters, "allowedRoles"),
            "authenticated": parameters["disallowAuthenticated"] == true,
        });
        Ok(vec![one("anonymous-bindings", settings)])
    },
};

pub(super) const AUTOMOUNT: Template = Template {
    kind: "K8sPSPAutomountServiceAccountTokenPod",
    library: "automount-serviceaccount-token",
    modules: &["service-account-token"],
    parameters: &[],
    note: "No settings",
    acts: Acts::Create,
    counts: false,
    differs: Some("absent is refused as well: it leaves it to the ServiceAccount"),
    map: |_| Ok(vec![one("service-account-token", json!({}))]),
};

pub(super) const NO_UPDATE_SERVICE_ACCOUNT: Template = Template {
    kind: "NoUpdateServiceAccount",
    library: "noupdateserviceaccount",
    modules: &["immutable-fields"],
    parameters: &[("allowedGroups", "`exemptGroups`"), ("allowedUsers", "`exemptUsers`, which replaces the default")],
    note: "`fields: [spec.template.spec.serviceAccountName, spec.jobTemplate.spec.template.spec.serviceAccountName]`. The \
           template also refuses every update of what names no account, by anybody; to keep that, add an expression which \
           requires the field",
    acts: Acts::Update,
    counts: false,
    differs: None,
    map: |parameters| {
        let fields = [
            "spec.serviceAccountName",
            "spec.template.spec.serviceAccountName",
            "spec.jobTemplate.spec.template.spec.serviceAccountName",
        ];
        let settings = json!({
            "fields": fields,
            "exemptUsers": texts(parameters, "allowedUsers"),
            "exemptGroups": texts(parameters, "allowedGroups"),
        });
        let named = |object: &str| {
            let absent = |path: &str| format!("{object}.spec.?{}.orValue('') != ''", path.replace('.', ".?"));
            let pods = [
                "serviceAccountName",
                "template.spec.serviceAccountName",
                "jobTemplate.spec.template.spec.serviceAccountName",
            ];
            format!("({})", pods.map(absent).join(" || "))
        };
        let required = json!({"validations": [
            {"expression": format!("{} && {}", named("object"), named("oldObject")), "message": "serviceAccountName is required"},
        ]});
        Ok(vec![one("immutable-fields", settings), required])
    },
};

pub(super) const DEPRECATED_API: Template = Template {
    kind: "VerifyDeprecatedAPI",
    library: "verifydeprecatedapi",
    modules: &["deprecated-apis"],
    parameters: &[
        ("k8sVersion", "`version`"),
        ("kvs", "nothing: which version of an API ends when is known, of every kind that it ever served"),
    ],
    note: "`deprecated: false`, for the template lists what is gone in a release; true warns earlier",
    acts: Acts::Writes,
    counts: false,
    differs: Some("what the release does not serve is refused whether it is listed or not"),
    map: |parameters| {
        let version = parameters["k8sVersion"].as_f64().ok_or("k8sVersion is needed")?;
        let settings = json!({"version": format!("{version:.2}"), "deprecated": false, "exemptUsers": []});
        Ok(vec![one("deprecated-apis", settings)])
    },
};
