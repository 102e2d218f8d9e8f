//! Every case of tests/cases behind a real API server, over HTTP, and by `admittance check`: one answer.
//!
//! Each case is asked as a dry run, which is judged like any other request. Old objects are stored first, by somebody whose
//! requests the webhooks do not see. What a mutation must make of an object is found out by the API server itself: the
//! expected object goes past the webhooks, and what comes back must be the same to the last field.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
};

use admittance_engine::kubernetes::kinds::Kinds;
use serde_json::{Value, json};

use super::{
    api::Api,
    asking::Asking,
    control_plane::{ControlPlane, say},
    outcome::{self, Outcome},
    registration::Registration,
    webhook::{Options, Webhook},
};
use crate::case::{Case, cases, entries};

/// Servers side by side. Each waits for its policies to be read most of the time.
const SERVERS: usize = 8;

#[test]
fn check_http_and_the_api_server_agree_on_every_case() {
    let Some(control_plane) = ControlPlane::without_controllers() else { return };
    let kinds = Kinds::built_in();
    let cases = cases();
    let (asked, left_out): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.api_server);
    let asked: Vec<Asking<'_>> = asked.into_iter().map(|case| Asking::new(case, &kinds)).collect();
    let names: Vec<String> = (0..SERVERS).map(|n| format!("server-{n}")).collect();
    let servers = block_on(set_up(&control_plane, &names));

    // While nothing is stored, what is created clashes with nothing: namespaces before there are any, then the rest.
    let (creations, others): (Vec<_>, Vec<_>) = asked.iter().partition(|asking| asking.case.operation() == "CREATE");
    let (namespaces, creations): (Vec<_>, Vec<_>) =
        creations.into_iter().partition(|asking| asking.case.object["kind"] == "Namespace");
    let by_policies = |asking: &Asking<'_>| format!("{:?}", policies(asking.case));
    let mut wrong = run(&control_plane, &kinds, &servers, spread(namespaces, by_policies));
    block_on(make_namespaces(&control_plane, &asked));
    wrong.extend(run(&control_plane, &kinds, &servers, spread(creations, by_policies)));
    wrong.extend(run(&control_plane, &kinds, &servers, spread(others, Asking::path)));

    let mut said = format!("{} of {} cases were asked of a real API server", asked.len(), cases.len());
    for case in left_out {
        said = format!("{said}\n  not {}: {}", case.name, case.because.as_deref().unwrap_or_default());
    }
    say(&said);
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Starts and registers the servers.
async fn set_up<'n>(control_plane: &ControlPlane, names: &'n [String]) -> Vec<(Registration<'n>, Webhook)> {
    let api = control_plane.api().await;
    // Who asks is of importance to policies; that he may ask is taken for granted.
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "everybody"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    });
    api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding).await.expect_created();
    let mut servers = Vec::new();
    for name in names {
        let registration = Registration::closed(name).for_marked_requests();
        let webhook = Webhook::start(&Options::default());
        registration.act_on(&api, &webhook, "default").await;
        servers.push((registration, webhook));
    }
    servers
}

async fn make_namespaces(control_plane: &ControlPlane, asked: &[Asking<'_>]) {
    let api = control_plane.api().await;
    let names: BTreeSet<&str> = asked.iter().map(|asking| asking.namespace.as_str()).collect();
    for name in names.into_iter().filter(|name| !["", "default", "kube-system"].contains(name)) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        api.post("/api/v1/namespaces", &namespace).await.expect_created();
    }
}

/// Spreads cases over the servers: those with the same key go to the same one, in the order of their policies.
fn spread<'c>(asked: Vec<&'c Asking<'c>>, key: impl Fn(&Asking<'c>) -> String) -> Vec<Vec<&'c Asking<'c>>> {
    let mut groups: BTreeMap<String, Vec<&Asking<'_>>> = BTreeMap::new();
    for asking in asked {
        groups.entry(key(asking)).or_default().push(asking);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut shares = vec![Vec::new(); SERVERS];
    for group in groups {
        shares.iter_mut().min_by_key(|share| share.len()).unwrap().extend(group);
    }
    shares.iter_mut().for_each(|share| share.sort_by_cached_key(|asking| policies(asking.case)));
    shares
}

/// Name and text of the files that a case's policies are in.
fn policies(case: &Case) -> Vec<(String, String)> {
    match (case.policy_folder(), &case.policies) {
        (Some(folder), _) => entries(&folder)
            .iter()
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
            .collect(),
        (None, text) => vec![("policies.yaml".to_owned(), text.clone().unwrap_or_default())],
    }
}

/// Runs each server's share, and says what was wrong.
fn run(
    control_plane: &ControlPlane,
    kinds: &Kinds,
    servers: &[(Registration<'_>, Webhook)],
    shares: Vec<Vec<&Asking<'_>>>,
) -> Vec<String> {
    thread::scope(|scope| {
        let started: Vec<_> = servers
            .iter()
            .zip(shares)
            .map(|((registration, webhook), share)| {
                scope.spawn(move || block_on(run_share(control_plane, kinds, registration, webhook, &share)))
            })
            .collect();
        started.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

async fn run_share(
    control_plane: &ControlPlane,
    kinds: &Kinds,
    registration: &Registration<'_>,
    webhook: &Webhook,
    share: &[&Asking<'_>],
) -> Vec<String> {
    let api = control_plane.api().await;
    let mut active = Vec::new();
    let mut wrong = Vec::new();
    for (n, asking) in share.iter().enumerate() {
        let wanted = policies(asking.case);
        if wanted != active {
            // Each file under a name that was never used before tells old from new.
            let unused =
                |(name, text): &(String, String)| (format!("{}-{n}-{name}", asking.case.title()), text.clone());
            webhook.replace_policies(&wanted.iter().map(unused).collect::<Vec<_>>()).await;
            active = wanted;
        }
        let found = match asking.store(&api).await {
            Ok(()) => ask_in_every_way(asking, &api, kinds, registration, webhook).await,
            Err(error) => Err(error),
        };
        asking.take_away(&api).await;
        let name = &asking.case.name;
        wrong.extend(found.unwrap_or_else(|error| vec![error]).into_iter().map(|line| format!("{name}: {line}")));
    }
    wrong
}

/// What differs from what the case expects, and between the ways; an error where nothing can be compared.
async fn ask_in_every_way(
    asking: &Asking<'_>,
    api: &Api,
    kinds: &Kinds,
    registration: &Registration<'_>,
    webhook: &Webhook,
) -> Result<Vec<String>, String> {
    let case = asking.case;
    let past_the_webhooks = asking.asker(api);
    let before = asking.ask(&past_the_webhooks, &case.object).await;
    if !before.status.is_success() {
        return Err(format!("refused by the API server itself: {}", before.text));
    }
    let answer = asking.ask(&registration.mark(&past_the_webhooks), &case.object).await;
    let behind = outcome::of_api_server(case, answer, &before.warnings)?;
    // What comes back from a deletion is not what a review of it holds.
    let defaulted = if case.object.is_null() { Value::Null } else { outcome::settled(before.body) };
    let over_http = outcome::over_http(case, kinds, webhook, &defaulted).await;
    let by_check = outcome::of_check(case, kinds, webhook);

    let mut wrong = behind.differences(case);
    for (way, other) in [("HTTP", &over_http), ("check", &by_check)] {
        let without_object = |outcome: &Outcome| Outcome { object: Value::Null, ..outcome.clone() };
        let (expected, got) = (without_object(&behind), without_object(other));
        if expected != got {
            wrong.push(format!("API server and {way} differ\n  {expected:?}\n  {got:?}"));
        }
    }
    if behind.allowed && !behind.object.is_null() {
        let expected = case.expect.object.as_ref().unwrap_or(&case.object);
        for (way, object) in [("the case", expected), ("HTTP", &over_http.object), ("check", &by_check.object)] {
            let answer = asking.ask(&past_the_webhooks, object).await;
            let stored = outcome::settled(answer.body);
            if stored != behind.object {
                let text = answer.text;
                wrong.push(format!(
                    "object\n  API server {}\n  {way} {stored}\n  which is {object} {text}",
                    behind.object
                ));
            }
        }
    }
    Ok(wrong)
}
