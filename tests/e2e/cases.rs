//! Every case of tests/cases behind a real API server, over HTTP, and by `admittance check`: one answer.
//!
//! Each case is asked as a dry run, which is judged like any other request. Old objects are stored first, by somebody whose
//! requests the webhooks do not see. What a mutation must make of an object is found out by the API server itself: the
//! expected object goes past the webhooks, and what comes back must be the same to the last field.

use std::{collections::BTreeMap, fs, thread};

use admittance_engine::kubernetes::kinds::Kinds;
use serde_json::Value;

use super::{
    api::Api,
    asking::Asking,
    control_plane::{ControlPlane, say},
    objects,
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
    block_on(make_clusters(&control_plane, &kinds, &asked));
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
    objects::let_everybody_ask(&api).await;
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let mut servers = Vec::new();
    for name in names {
        let registration = Registration::closed(name).for_marked_requests();
        let webhook = Webhook::start(&Options { flags: &["--kubeconfig", &kubeconfig], ..Options::default() });
        registration.act_on(&api, &webhook, "default").await;
        servers.push((registration, webhook));
    }
    servers
}

async fn make_namespaces(control_plane: &ControlPlane, asked: &[Asking<'_>]) {
    let api = control_plane.api().await;
    let mut namespaces: BTreeMap<&str, Value> = BTreeMap::new();
    for asking in asked
        .iter()
        .filter(|asking| !["", "default", "kube-system", "kube-public"].contains(&asking.namespace.as_str()))
    {
        let name = asking.namespace.as_str();
        let object = asking.case.namespace_object(name);
        let given = namespaces.entry(name).or_insert_with(|| object.clone());
        assert_eq!(*given, object, "two cases have a namespace {name} of their own");
    }
    for namespace in namespaces.values() {
        api.post("/api/v1/namespaces", namespace).await.expect_created();
    }
}

/// What cases have in their clusters, all together.
async fn make_clusters(control_plane: &ControlPlane, kinds: &Kinds, asked: &[Asking<'_>]) {
    let api = control_plane.api().await;
    objects::define_kinds(&api, asked.iter().map(|asking| asking.case)).await;
    for asking in asked {
        objects::install(&api, kinds, asking.case).await;
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
    // Whether somebody may do something no file can say, nor that a kind does not exist.
    let asks_the_authorizer = case.policies.as_ref().is_some_and(|text| text.contains("authorizer"));
    let lacks_a_kind = case.expect.errors.iter().any(|error| error.contains("failed to find resource"));
    let by_check =
        if asks_the_authorizer || lacks_a_kind { over_http.clone() } else { outcome::of_check(case, kinds, webhook) };

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
