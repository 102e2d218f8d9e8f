//! What documents say about matching, what becomes of it, and the index that is made of it.

use proptest::prelude::*;

use super::*;

#[test]
fn refuses_what_the_api_server_refuses_all_at_once() {
    let raw = raw(r#"{"resourceRules":[
              {"apiGroups":["*","apps"],"apiVersions":["","v1"],"operations":["CREATE","PATCH"],"resources":["pods/*","pods/log"],
               "resourceNames":["a/b","x","x"],"scope":"namespaced"},
              {}],
            "excludeResourceRules":[{"apiGroups":[""],"apiVersions":["*"],"operations":["*","CREATE"],"resources":["*/*","pods"]}],
            "matchPolicy":"exact",
            "namespaceSelector":{"matchLabels":{"a.b/c/d":"-","ok":"ok"}},
            "objectSelector":{"matchExpressions":[{"key":"app","operator":"In"},{"key":"","operator":"Exists","values":["x"]},
              {"key":"UP.example/x","operator":"Gt","values":["1"]}]}}"#);
    let problems = MatchConstraints::of_policy(&raw).unwrap_err();
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/resourceRules/0/resourceNames/0",
            "/resourceRules/0/resourceNames/2",
            "/resourceRules/0/operations/1",
            "/resourceRules/0/apiGroups",
            "/resourceRules/0/apiVersions/0",
            "/resourceRules/0/resources/1",
            "/resourceRules/0/scope",
            "/resourceRules/1/operations",
            "/resourceRules/1/apiGroups",
            "/resourceRules/1/apiVersions",
            "/resourceRules/1/resources",
            "/excludeResourceRules/0/operations",
            "/excludeResourceRules/0/resources",
            "/matchPolicy",
            "/namespaceSelector/matchLabels/a.b~1c~1d",
            "/namespaceSelector/matchLabels/a.b~1c~1d",
            "/objectSelector/matchExpressions/0/values",
            "/objectSelector/matchExpressions/1/key",
            "/objectSelector/matchExpressions/1/values",
            "/objectSelector/matchExpressions/2/key",
            "/objectSelector/matchExpressions/2/operator",
        ]
    );
    let message = |pointer: &str| &problems.iter().find(|problem| problem.pointer == pointer).unwrap().message;
    assert_eq!(
        message("/resourceRules/0/operations/1"),
        "unknown operation \"PATCH\": expected CREATE, UPDATE, DELETE, CONNECT or \"*\""
    );
    assert_eq!(
        message("/resourceRules/0/resources/1"),
        "\"pods/*\" stands for \"pods/log\" already: expected one of the two"
    );
    assert_eq!(message("/matchPolicy"), "unknown matchPolicy \"exact\": expected Exact or Equivalent");
    assert_eq!(message("/objectSelector/matchExpressions/0/values"), "In needs at least one value");
}

#[test]
fn describes_itself_to_editors() {
    let schema = serde_json::to_value(schemars::schema_for!(RawMatchConstraints)).unwrap();
    let rule = &schema["$defs"]["ResourceRule"];
    assert_eq!(rule["required"], serde_json::json!(["apiGroups", "apiVersions", "operations", "resources"]));
    assert_eq!(rule["additionalProperties"], false);
    assert_eq!(schema["$defs"]["LabelSelectorRequirement"]["required"], serde_json::json!(["key", "operator"]));
    assert_eq!(schema["properties"]["matchPolicy"]["enum"], serde_json::json!(["Exact", "Equivalent", null]));
}

#[test]
fn needs_a_rule_where_nothing_else_names_one() {
    let problem = |result: Result<MatchConstraints, Vec<Problem>>| result.unwrap_err().remove(0);
    let module = MatchConstraints::for_module(&crate::rule::Applies::Pods, false);
    let expected = Problem {
        pointer: "/resourceRules".to_owned(),
        message: "expected at least one rule: without one the policy judges nothing".to_owned(),
    };
    assert_eq!(problem(MatchConstraints::of_policy(&raw("{}"))), expected);
    assert_eq!(problem(module.clone().overridden_by(&raw(r#"{"resourceRules":[]}"#))), expected);
    assert_eq!(module.clone().overridden_by(&raw("{}")).unwrap(), module);
    let binding = MatchConstraints::of_binding(&raw("{}")).unwrap();
    assert_eq!(outcome(&binding, "CONNECT v1 pods/exec a/b"), Outcome::Matched);
}

#[test]
fn keeps_the_modules_fields_that_a_policy_does_not_set() {
    let module = MatchConstraints::for_module(&crate::rule::Applies::Pods, false);
    let changed = module.clone().overridden_by(&raw(r#"{"matchPolicy":"Exact"}"#)).unwrap();
    assert_eq!(changed, MatchConstraints { match_policy: MatchPolicy::Exact, ..module.clone() });
    let rules =
        r#"{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["DELETE"],"resources":["pods"]}]}"#;
    let changed = module.overridden_by(&raw(rules)).unwrap();
    assert_eq!((changed.resource_rules.len(), changed.names), (1, NameSource::Object));
}

#[test]
fn knows_where_pods_and_their_templates_stand() {
    let [validator, mutator] =
        [false, true].map(|is_mutator| MatchConstraints::for_module(&crate::rule::Applies::Pods, is_mutator));
    for (request, validated, mutated) in [
        ("CREATE v1 pods a/b", true, true),
        ("UPDATE v1 pods a/b", true, false),
        ("DELETE v1 pods a/b", false, false),
        ("UPDATE v1 pods/ephemeralcontainers a/b", true, true),
        ("UPDATE v1 pods/resize a/b", true, false),
        ("UPDATE v1 pods/status a/b", false, false),
        ("CONNECT v1 pods/exec a/b", false, false),
        ("CREATE apps/v1 deployments a/b", true, false),
        ("CREATE apps/v1beta2 deployments a/b", true, false),
        ("UPDATE apps/v1 deployments/scale a/b", false, false),
        ("UPDATE batch/v1 cronjobs a/b", true, false),
        ("CREATE v1 replicationcontrollers a/b", true, false),
        ("CREATE v1 podtemplates a/b", true, false),
        ("CREATE v1 services a/b", false, false),
    ] {
        let is_matched = |policy: &MatchConstraints| outcome(policy, request) == Outcome::Matched;
        assert_eq!((is_matched(&validator), is_matched(&mutator)), (validated, mutated), "{request}");
    }
}

#[test]
fn explains_itself() {
    let policy = policy(
        r#"{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["pods"]}],
            "objectSelector":{"matchLabels":{"app":"web"},"matchExpressions":[{"key":"canary","operator":"DoesNotExist"}]}}"#,
    );
    let explain = |reason: Reason| reason.explain(&policy);
    assert_eq!(explain(Reason::NoRule(Aspect::Operation)), "no resource rule names the request's operation");
    assert_eq!(explain(Reason::ObjectSelector(0)), "the object does not satisfy `app in (web)`");
    assert_eq!(explain(Reason::ObjectSelector(1)), "the object does not satisfy `!canary`");
    assert_eq!(explain(Reason::NamespaceExcluded(2)), "namespaces.exclude[2] names the namespace");
}

const GROUPS: [&str; 4] = ["", "apps", "events.k8s.io", "*"];
const RESOURCES: [&str; 10] =
    ["pods", "pods/status", "pods/*", "*/status", "*", "*/*", "events", "events/*", "deployments", "deployments/scale"];

prop_compose! {
    fn any_policy()(
        groups in prop::collection::vec(prop::sample::select(&GROUPS[..]), 1..3),
        resources in prop::collection::vec(prop::sample::select(&RESOURCES[..]), 1..3),
        operations in prop::collection::vec(prop::sample::select(&Operation::ALL[..]), 1..3),
        version in prop::sample::select(vec!["*", "v1", "v1beta1"]),
        is_exact in any::<bool>(),
        is_empty in prop::bool::weighted(0.1),
    ) -> MatchConstraints {
        let any_group = groups.contains(&"*");
        let names = |name: &str| if name == "*" { rules::Names::Any } else { rules::Names::Only(vec![name.to_owned()]) };
        let rule = ResourceRule {
            groups: if any_group { rules::Names::Any } else { rules::Names::Only(groups.iter().map(ToString::to_string).collect()) },
            versions: names(version),
            operations: operations.into_iter().collect(),
            resources: resources.into_iter().map(rules::ResourcePattern::new).collect(),
            names: vec![],
            scope: rules::Scope::Any,
        };
        MatchConstraints {
            resource_rules: if is_empty { vec![] } else { vec![rule] },
            match_policy: if is_exact { MatchPolicy::Exact } else { MatchPolicy::Equivalent },
            ..MatchConstraints::default()
        }
    }
}

proptest! {
    #[test]
    fn finds_every_policy_that_matches_in_ascending_order(
        policies in prop::collection::vec(any_policy(), 0..12),
        group in prop::sample::select(vec!["v1", "apps/v1", "apps/v1beta1>apps/v1", "events.k8s.io/v1", "events.k8s.io/v1>v1", "x/v1"]),
        resource in prop::sample::select(vec!["pods", "pods/status", "events", "events/status", "deployments/scale", "deployments", "things"]),
        operation in prop::sample::select(&Operation::ALL[..]),
    ) {
        let request = format!("{operation} {group} {resource} a/b");
        let arena = Arena::with_limit(1 << 20);
        let candidates: Vec<usize> = Index::new(&policies).candidates(&review(&arena, &request).target()).collect();
        prop_assert!(candidates.is_sorted_by(|left, right| left < right), "{candidates:?}");
        for (position, policy) in policies.iter().enumerate() {
            let is_silent = matches!(outcome(policy, &request), Outcome::NotMatched(_));
            prop_assert!(is_silent || candidates.contains(&position), "{position} {request} {candidates:?}");
        }
    }
}

#[test]
fn passes_by_policies_of_other_resources_and_operations() {
    let policies: Vec<MatchConstraints> = (0..1000)
        .map(|number| rule("apps", "v1", "CREATE", &format!("things{number}"), ""))
        .chain([rule("", "v1", "DELETE", "pods", ""), rule("", "v1", "CREATE", "*", "")])
        .collect();
    let index = Index::new(&policies);
    let arena = Arena::with_limit(1 << 20);
    let found = |request: &str| {
        let request = arena.text(request);
        index.candidates(&review(&arena, request).target()).collect::<Vec<_>>()
    };
    assert_eq!(found("CREATE v1 pods a/b"), [1001]);
    assert_eq!(found("DELETE v1 pods a/b"), [1000]);
    assert_eq!(found("CREATE apps/v1 things7 a/b"), [7]);
    assert_eq!(found("UPDATE v1 pods/status a/b"), [0; 0]);
}
