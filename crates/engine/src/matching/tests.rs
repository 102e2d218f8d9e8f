mod documents;

use super::*;
use crate::json::{Arena, read};
use crate::review::{GroupVersionKind, GroupVersionResource, Lazy, NoLookups, Review, User};

/// A request in short: `CREATE apps/v1 deployments shop/web`, `UPDATE v1 pods/status shop/web`, `CREATE v1 nodes n`;
/// `apps/v1beta1>apps/v1` where the API server converted.
fn review<'a>(arena: &'a Arena, request: &'a str) -> Review<'a> {
    let mut words = request.split(' ');
    let operation = Operation::parse(words.next().unwrap()).unwrap();
    let versions = words.next().unwrap();
    let path = words.next().unwrap();
    let (resource, subresource) = path.split_once('/').unwrap_or((path, ""));
    let object = words.next().unwrap_or_default();
    let (namespace, name) = object.split_once('/').unwrap_or(("", object));
    let (asked, sent) = versions.split_once('>').unwrap_or((versions, versions));
    let full = |version: &'a str| {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        GroupVersionResource { group, version, resource }
    };
    Review {
        arena,
        uid: "u",
        kind: GroupVersionKind::default(),
        resource: full(sent),
        subresource,
        request_kind: GroupVersionKind::default(),
        request_resource: full(asked),
        name,
        namespace: if resource == "namespaces" { name } else { namespace },
        operation,
        user: User::default(),
        dry_run: false,
        object: None,
        old_object: None,
        options: None,
    }
}

fn raw(json: &str) -> RawMatchConstraints {
    serde_json::from_str(json).unwrap()
}

fn policy(json: &str) -> MatchConstraints {
    MatchConstraints::of_policy(&raw(json)).unwrap()
}

/// A policy with one rule: groups, versions, operations, resources, and further fields.
fn rule(groups: &str, versions: &str, operations: &str, resources: &str, more: &str) -> MatchConstraints {
    let list =
        |items: &str| format!("[{}]", items.split(',').map(|item| format!("{item:?}")).collect::<Vec<_>>().join(","));
    policy(&format!(
        r#"{{"resourceRules":[{{"apiGroups":{},"apiVersions":{},"operations":{},"resources":{}{more}}}]}}"#,
        list(groups),
        list(versions),
        list(operations),
        list(resources)
    ))
}

fn outcome(constraints: &MatchConstraints, request: &str) -> Outcome {
    with_objects(constraints, request, "{}", "null", &NoLookups)
}

fn with_objects(
    constraints: &MatchConstraints,
    request: &str,
    object: &str,
    old_object: &str,
    lookups: &dyn Lookups,
) -> Outcome {
    let arena = Arena::with_limit(1 << 20);
    let review = review(&arena, request);
    let old_object = Some(read(&arena, old_object).unwrap()).filter(|node| !node.is_null());
    let subject = Subject { object: read(&arena, object).unwrap(), old_object, review: &review };
    matches(constraints, &NamespaceGlobs::default(), subject, lookups, &Kinds::built_in())
}

fn misses(aspect: Aspect) -> Outcome {
    Outcome::NotMatched(Reason::NoRule(aspect))
}

fn wrong_version(needed: &str, sent: &str) -> Outcome {
    Outcome::Error(PolicyError::WrongVersion { needed: needed.to_owned(), sent: sent.to_owned() })
}

/// The namespaces `shop` (tier=gold) and nothing else; `unasked` is one that nobody has asked for yet.
struct Cluster;

impl Lookups for Cluster {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let Lookup::Namespace(name) = lookup else { return Answer::Unavailable("there is no cluster to ask") };
        match name.as_ref() {
            "shop" => Answer::Found(read(arena, r#"{"metadata":{"labels":{"tier":"gold"}}}"#).unwrap()),
            "unasked" => Answer::Unknown,
            _ => Answer::Missing,
        }
    }
}

#[test]
fn fits_groups_resources_and_operations() {
    let pods = rule("", "v1", "CREATE,UPDATE", "pods", "");
    assert_eq!(outcome(&pods, "CREATE v1 pods shop/web"), Outcome::Matched);
    assert_eq!(outcome(&pods, "UPDATE v1 pods shop/web"), Outcome::Matched);
    assert_eq!(outcome(&pods, "DELETE v1 pods shop/web"), misses(Aspect::Operation));
    assert_eq!(outcome(&pods, "UPDATE v1 pods/status shop/web"), misses(Aspect::Resource));
    assert_eq!(outcome(&pods, "CREATE apps/v1 pods shop/web"), misses(Aspect::Group));
    assert_eq!(outcome(&rule("*", "*", "*", "*/*", ""), "CONNECT v1 pods/exec shop/web"), Outcome::Matched);
}

#[test]
fn fits_subresources_as_the_api_server_does() {
    for (pattern, fitting, others) in [
        ("pods", "pods", "pods/status pods/ nodes"),
        ("pods/status", "pods/status", "pods pods/log nodes/status"),
        // The subresource of a resource itself is empty, and a star fits that too.
        ("pods/*", "pods pods/status pods/log", "nodes nodes/status"),
        ("*/status", "pods/status nodes/status", "pods nodes/proxy"),
        ("*", "pods nodes", "pods/status"),
        ("*/*", "pods pods/status nodes", ""),
        ("pods/", "pods", "pods/status"),
    ] {
        let policy = rule("*", "*", "*", pattern, "");
        for resource in fitting.split_whitespace() {
            assert_eq!(
                outcome(&policy, &format!("CREATE v1 {resource} a/b")),
                Outcome::Matched,
                "{pattern} {resource}"
            );
        }
        for resource in others.split_whitespace().filter(|resource| !resource.ends_with('/')) {
            assert_eq!(
                outcome(&policy, &format!("CREATE v1 {resource} a/b")),
                misses(Aspect::Resource),
                "{pattern} {resource}"
            );
        }
    }
}

#[test]
fn takes_namespaces_for_cluster_scoped() {
    let (cluster, namespaced) =
        (rule("*", "*", "*", "*", r#","scope":"Cluster""#), rule("*", "*", "*", "*", r#","scope":"Namespaced""#));
    for (request, is_cluster_scoped) in
        [("CREATE v1 namespaces shop", true), ("CREATE v1 nodes n", true), ("CREATE v1 pods shop/web", false)]
    {
        let (fits, not) = if is_cluster_scoped { (&cluster, &namespaced) } else { (&namespaced, &cluster) };
        assert_eq!(outcome(fits, request), Outcome::Matched, "{request}");
        assert_eq!(outcome(not, request), misses(Aspect::Scope), "{request}");
    }
}

#[test]
fn compares_names_with_the_request_or_for_modules_with_the_object() {
    let native = rule("", "v1", "*", "pods", r#","resourceNames":["web"]"#);
    assert_eq!(outcome(&native, "DELETE v1 pods shop/web"), Outcome::Matched);
    assert_eq!(outcome(&native, "DELETE v1 pods shop/api"), misses(Aspect::Name));
    let module = MatchConstraints { names: NameSource::Object, ..native.clone() };
    let arena = Arena::with_limit(1 << 20);
    let mut collection = review(&arena, "DELETE v1 pods shop/");
    collection.old_object = Some(Lazy::new(&arena, r#"{"metadata":{"name":"web"}}"#));
    let stored = collection.old_object().unwrap();
    let subject = Subject { object: stored.unwrap(), old_object: stored, review: &collection };
    let judge = |policy| matches(policy, &NamespaceGlobs::default(), subject, &NoLookups, &Kinds::built_in());
    assert_eq!((judge(&native), judge(&module)), (misses(Aspect::Name), Outcome::Matched));
}

#[test]
fn never_passes_by_a_version_that_was_not_sent() {
    let exact = |policy: MatchConstraints| MatchConstraints { match_policy: MatchPolicy::Exact, ..policy };
    let v1 = rule("apps", "v1", "*", "deployments", "");
    let beta = rule("apps", "v1beta1", "*", "deployments", "");
    let all = rule("apps", "*", "*", "deployments", "");
    let (plain, converted) = ("CREATE apps/v1 deployments a/b", "CREATE apps/v1beta1>apps/v1 deployments a/b");
    for (policy, request, expected) in [
        (&v1, plain, Outcome::Matched),
        (&v1, converted, Outcome::Matched),
        (&beta, plain, wrong_version("apps/v1beta1", "apps/v1")),
        (&beta, converted, wrong_version("apps/v1beta1", "apps/v1")),
        (&all, plain, Outcome::Matched),
        (&all, converted, Outcome::Matched),
        (&exact(v1.clone()), plain, Outcome::Matched),
        // The user asked for another version: the API server does not ask an exact policy.
        (&exact(v1.clone()), converted, misses(Aspect::Version)),
        (&exact(beta.clone()), plain, misses(Aspect::Version)),
        (&exact(beta.clone()), converted, wrong_version("apps/v1beta1", "apps/v1")),
        (&exact(all.clone()), converted, Outcome::Matched),
    ] {
        assert_eq!(outcome(policy, request), expected, "{policy:?} {request}");
    }
}

#[test]
fn takes_events_of_both_groups_for_equivalent() {
    let (core, events) = (rule("", "v1", "*", "events", ""), rule("events.k8s.io", "*", "*", "events", ""));
    assert_eq!(outcome(&core, "CREATE events.k8s.io/v1 events a/b"), wrong_version("v1", "events.k8s.io/v1"));
    assert_eq!(outcome(&events, "CREATE v1 events a/b"), wrong_version("events.k8s.io/v1", "v1"));
    assert_eq!(outcome(&core, "CREATE events.k8s.io/v1>v1 events a/b"), Outcome::Matched);
    assert_eq!(outcome(&rule("apps", "*", "*", "events", ""), "CREATE v1 events a/b"), misses(Aspect::Group));
}

#[test]
fn knows_every_resource_that_two_groups_serve() {
    let kinds = Kinds::built_in();
    let neighbours = kinds.rows().iter().zip(kinds.rows().iter().skip(1));
    let shared = neighbours.filter(|(left, right)| left.resource == right.resource && left.group != right.group);
    assert_eq!(shared.map(|(left, _)| left.resource).collect::<Vec<_>>(), ["events"]);
}

#[test]
fn excludes_by_rules_that_fit_the_request_or_a_served_version_of_it() {
    let excluding = |groups: &str, versions: &str, resources: &str| {
        let excluded = rule(groups, versions, "*", resources, "");
        MatchConstraints { exclude_resource_rules: excluded.resource_rules, ..rule("*", "*", "*", "*/*", "") }
    };
    let by_first = Outcome::NotMatched(Reason::Excluded(0));
    for (policy, request, expected) in [
        (excluding("apps", "v1", "deployments"), "CREATE apps/v1 deployments a/b", by_first.clone()),
        (excluding("apps", "v1", "deployments"), "CREATE apps/v1 replicasets a/b", Outcome::Matched),
        (
            excluding("autoscaling", "v1", "horizontalpodautoscalers"),
            "CREATE autoscaling/v2 horizontalpodautoscalers a/b",
            by_first.clone(),
        ),
        (excluding("events.k8s.io", "v1", "*"), "CREATE v1 events a/b", by_first.clone()),
        (excluding("example.com", "v1", "things"), "CREATE example.com/v2>example.com/v1 things a/b", by_first),
        (
            excluding("example.com", "v1", "things"),
            "CREATE example.com/v2 things a/b",
            wrong_version("example.com/v1", "example.com/v2"),
        ),
    ] {
        assert_eq!(outcome(&policy, request), expected, "{request}");
        let exact = MatchConstraints { match_policy: MatchPolicy::Exact, ..policy };
        let direct = request == "CREATE apps/v1 deployments a/b";
        assert_eq!(outcome(&exact, request) == Outcome::Matched, !direct, "exact {request}");
    }
}

#[test]
fn selects_by_labels_of_the_new_or_the_stored_object() {
    let select = |selector: &str, object: &str, old_object: &str| {
        let pods = r#"{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["pods/*"]}"#;
        let policy = policy(&format!(r#"{{"resourceRules":[{pods}],"objectSelector":{selector}}}"#));
        let labelled = |labels: &str| match labels {
            "null" => labels.to_owned(),
            _ => format!(r#"{{"metadata":{{"labels":{labels}}}}}"#),
        };
        with_objects(&policy, "UPDATE v1 pods a/b", &labelled(object), &labelled(old_object), &NoLookups)
    };
    let unmet = |requirement| Outcome::NotMatched(Reason::ObjectSelector(requirement));
    let is = |operator: &str, values: &str| {
        format!(
            r#"{{"matchLabels":{{}},"matchExpressions":[{{"key":"app","operator":"{operator}","values":[{values}]}}]}}"#
        )
    };
    let web = r#"{"app":"web"}"#;
    for (selector, labels, expected) in [
        ("{}".to_owned(), "{}", Outcome::Matched),
        (r#"{"matchLabels":{"app":"web"}}"#.to_owned(), web, Outcome::Matched),
        (r#"{"matchLabels":{"app":"web","b":""}}"#.to_owned(), web, unmet(1)),
        (is("In", r#""api","web""#), web, Outcome::Matched),
        (is("In", r#""api""#), web, unmet(0)),
        (is("In", r#""""#), "{}", unmet(0)),
        (is("In", r#""""#), r#"{"app":""}"#, Outcome::Matched),
        (is("NotIn", r#""web""#), web, unmet(0)),
        (is("NotIn", r#""api""#), web, Outcome::Matched),
        (is("NotIn", r#""web""#), "{}", Outcome::Matched),
        (is("Exists", ""), web, Outcome::Matched),
        (is("Exists", ""), "null", Outcome::NotMatched(Reason::NoLabels)),
        (is("DoesNotExist", ""), web, unmet(0)),
        (is("DoesNotExist", ""), "null", Outcome::NotMatched(Reason::NoLabels)),
        (is("DoesNotExist", ""), "{}", Outcome::Matched),
        (is("In", r#""""#), r#"{"app":null}"#, Outcome::Matched),
        (is("Exists", ""), r#"{"app":"web","b":1}"#, unmet(0)),
        (is("NotIn", r#""web""#), r#"{"app":"web","b":{}}"#, Outcome::Matched),
    ] {
        assert_eq!(select(&selector, labels, "null"), expected, "{selector} {labels}");
        assert_eq!(select(&selector, "null", labels), expected, "{selector} stored {labels}");
    }
    assert_eq!(select(r#"{"matchLabels":{"app":"web"}}"#, "{}", web), Outcome::Matched);
    assert_eq!(select(&is("DoesNotExist", ""), web, "{}"), Outcome::Matched);
}

#[test]
fn selects_no_options_of_a_connection_by_labels() {
    let policy = policy(
        r#"{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CONNECT"],"resources":["pods/exec"]}],
            "objectSelector":{"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]}}"#,
    );
    let options = r#"{"kind":"PodExecOptions","apiVersion":"v1","command":["sh"]}"#;
    assert_eq!(
        with_objects(&policy, "CONNECT v1 pods/exec a/b", options, "null", &NoLookups),
        Outcome::NotMatched(Reason::NoLabels)
    );
}

#[test]
fn selects_by_labels_of_the_namespace() {
    let policy = policy(
        r#"{"resourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*/*"]}],
            "namespaceSelector":{"matchLabels":{"tier":"gold"}}}"#,
    );
    let gold = r#"{"metadata":{"labels":{"tier":"gold"}}}"#;
    let unmet = Outcome::NotMatched(Reason::NamespaceSelector(0));
    let unanswered = |name: &str, reason| {
        Outcome::Error(PolicyError::Unanswered { lookup: Lookup::Namespace(Cow::Owned(name.to_owned())), reason })
    };
    for (request, object, old_object, expected) in [
        ("CREATE v1 pods shop/web", "{}", "null", Outcome::Matched),
        ("CREATE v1 pods gone/web", "{}", "null", unanswered("gone", "it does not exist")),
        ("CREATE v1 pods unasked/web", "{}", "null", Outcome::Needs(Lookup::Namespace(Cow::Borrowed("unasked")))),
        ("CREATE v1 nodes n", "{}", "null", Outcome::Matched),
        // A Namespace is its own: as it will be, and where it does not change, as it is.
        ("CREATE v1 namespaces new", gold, "null", Outcome::Matched),
        ("CREATE v1 namespaces new", "{}", "null", unmet.clone()),
        ("UPDATE v1 namespaces shop", "{}", gold, unmet.clone()),
        ("UPDATE v1 namespaces new", gold, "{}", Outcome::Matched),
        ("UPDATE v1 namespaces/status new", "{}", gold, Outcome::Matched),
        ("DELETE v1 namespaces new", gold, gold, Outcome::Matched),
        ("DELETE v1 namespaces shop", "{}", "{}", unmet),
        ("DELETE v1 namespaces shop", "null", "null", Outcome::Matched),
    ] {
        assert_eq!(with_objects(&policy, request, object, old_object, &Cluster), expected, "{request}");
    }
    assert_eq!(outcome(&policy, "CREATE v1 pods shop/web"), unanswered("shop", "there is no cluster to ask"));
}

#[test]
fn asks_for_no_namespace_where_something_else_decides() {
    let policy = policy(
        r#"{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["*"],"resources":["pods"]}],
            "namespaceSelector":{"matchLabels":{"tier":"gold"}},"objectSelector":{"matchLabels":{"app":"web"}}}"#,
    );
    let request = "CREATE v1 pods unasked/web";
    assert_eq!(with_objects(&policy, request, "{}", "null", &Cluster), Outcome::NotMatched(Reason::ObjectSelector(0)));
    assert_eq!(outcome(&policy, "CREATE v1 nodes n"), misses(Aspect::Resource));
}

#[test]
fn reports_a_wrong_version_only_where_all_else_matches() {
    let policy = policy(
        r#"{"resourceRules":[{"apiGroups":["apps"],"apiVersions":["v1beta1"],"operations":["*"],"resources":["deployments"]}],
            "objectSelector":{"matchLabels":{"app":"web"}}}"#,
    );
    let judge = |object| with_objects(&policy, "CREATE apps/v1 deployments a/b", object, "null", &NoLookups);
    assert_eq!(judge("{}"), Outcome::NotMatched(Reason::ObjectSelector(0)));
    assert_eq!(judge(r#"{"metadata":{"labels":{"app":"web"}}}"#), wrong_version("apps/v1beta1", "apps/v1"));
}

#[test]
fn judges_namespaces_by_name() {
    let globs = |json: &str| NamespaceGlobs::new(&serde_json::from_str(json).unwrap()).unwrap();
    let all = rule("*", "*", "*", "*/*", "");
    let both = globs(r#"{"include":["team-*"],"exclude":["x","*-dev"]}"#);
    let not_included = Outcome::NotMatched(Reason::NotIncluded);
    let excluded = Outcome::NotMatched(Reason::NamespaceExcluded(1));
    for (request, expected) in [
        ("CREATE v1 pods team-a/web", Outcome::Matched),
        ("CREATE v1 pods team-a-dev/web", excluded.clone()),
        ("CREATE v1 pods shop/web", not_included.clone()),
        ("CREATE v1 namespaces team-a", Outcome::Matched),
        ("CREATE v1 namespaces team-a-dev", excluded),
        ("CREATE v1 namespaces shop", not_included),
        ("CREATE v1 nodes shop", Outcome::Matched),
    ] {
        let arena = Arena::with_limit(1 << 20);
        let review = review(&arena, request);
        let subject = Subject { object: Node::NULL, old_object: None, review: &review };
        assert_eq!(matches(&all, &both, subject, &NoLookups, &Kinds::built_in()), expected, "{request}");
    }
}
