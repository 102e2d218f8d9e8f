//! Random pods: a hardened one, of which a few fields that the standards read are changed.

use serde_json::{Value, json};

use crate::oracle::Random;

/// Names of containers, some of which no API server would take.
const NAMES: &[&str] = &["a", "b", "web", "z-1", "A", "ü", "", "with \"quotes\""];

const CAPABILITIES: &[&str] =
    &["ALL", "all", "NET_RAW", "NET_BIND_SERVICE", "CHOWN", "KILL", "SYS_ADMIN", "CAP_CHOWN", "SETPCAP", "MKNOD", ""];

const SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "kernel.msgmax",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4/tcp_syncookies",
    "",
];

const SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

const PROFILES: &[&str] = &[
    "runtime/default",
    "docker/default",
    "localhost/x",
    "localhost",
    "unconfined",
    "",
    "a\"b\\c",
    "\u{7f}\n\t\u{7}ü\u{200b}\u{1f600}",
];

pub(super) fn pod(random: &mut Random) -> Value {
    let mut spec = json!({
        "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [],
    });
    for (list, most) in [("initContainers", 2), ("containers", 3), ("ephemeralContainers", 2)] {
        let least = usize::from(list == "containers");
        let count = least + random.below(most + 1 - least);
        if count > 0 || random.once_in(3) {
            spec[list] = (0..count).map(|_| container(random)).collect();
        } else if random.once_in(8) {
            spec[list] = Value::Null;
        }
    }
    let mut pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": spec });
    for _ in 0..random.below(9) {
        change(random, &mut pod);
    }
    pod
}

fn container(random: &mut Random) -> Value {
    json!({
        "name": random.of(NAMES),
        "image": "nginx",
        "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
    })
}

/// Changes one thing: of the pod, or of one container.
fn change(random: &mut Random, pod: &mut Value) {
    match random.below(4) {
        0 => change_pod(random, pod),
        1 => {
            let security = &mut pod["spec"]["securityContext"];
            if random.once_in(12) {
                *security = random_of(random, &[json!({}), Value::Null]);
            } else if random.once_in(3) {
                security["sysctls"] = list(random, |random| json!({ "name": random.of(SYSCTLS), "value": "1" }));
            } else {
                change_security(random, security);
            }
        }
        _ => {
            let name = random.of(&["initContainers", "containers", "containers", "ephemeralContainers"]);
            let count = pod["spec"][name].as_array().map_or(0, Vec::len);
            if count > 0 {
                let position = random.below(count);
                change_container(random, &mut pod["spec"][name][position]);
            }
        }
    }
}

fn change_pod(random: &mut Random, pod: &mut Value) {
    // Annotations of containers that are there count for more.
    let first = pod.pointer("/spec/containers/0/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = if random.once_in(2) { first.as_str() } else { random.of(NAMES) };
    let annotations = &mut pod["metadata"]["annotations"];
    match random.below(6) {
        0 => {
            let key = format!("container.apparmor.security.beta.kubernetes.io/{name}");
            annotations[key] = profile(random);
        }
        1 => {
            let key = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
            annotations[key] = profile(random);
        }
        2 => annotations["seccomp.security.alpha.kubernetes.io/pod"] = profile(random),
        3 => pod["spec"]["volumes"] = list(random, volume),
        4 => {
            pod["spec"]["os"] =
                random_of(random, &[json!({ "name": "windows" }), json!({ "name": "linux" }), json!({})]);
        }
        _ => {
            let field = random.of(&["hostNetwork", "hostPID", "hostIPC", "hostUsers", "hostUsers"]);
            pod["spec"][field] = boolean(random);
        }
    }
}

fn change_container(random: &mut Random, container: &mut Value) {
    match random.below(9) {
        0 => {
            container["ports"] =
                list(random, |random| json!({ "containerPort": 80, "hostPort": random.of(&[0, 80, 9, 8080]) }));
        }
        1 => {
            let probe = random.of(&["livenessProbe", "readinessProbe", "startupProbe"]);
            container[probe] = handler(random);
        }
        2 => {
            let hook = random.of(&["postStart", "preStop"]);
            container["lifecycle"][hook] = handler(random);
        }
        3 if random.once_in(3) => *container = Value::Null,
        3 => container["securityContext"] = random_of(random, &[json!({}), Value::Null]),
        _ => change_security(random, &mut container["securityContext"]),
    }
}

/// What pods and containers may both set; Go ignores what only the other one has.
fn change_security(random: &mut Random, security: &mut Value) {
    let kinds = ["RuntimeDefault", "Localhost", "Unconfined", "runtimedefault", ""];
    match random.below(9) {
        0 => security["privileged"] = boolean(random),
        1 => security["allowPrivilegeEscalation"] = boolean(random),
        2 => {
            let names = |random: &mut Random| {
                random_of(random, &CAPABILITIES.iter().map(|name| json!(name)).collect::<Vec<_>>())
            };
            security["capabilities"] = match random.below(5) {
                0 => Value::Null,
                1 => json!({}),
                _ => json!({ "add": list(random, names), "drop": list(random, names) }),
            };
        }
        3 => security["procMount"] = random_of(random, &[json!("Default"), json!("Unmasked"), json!(""), Value::Null]),
        4 => security["runAsNonRoot"] = boolean(random),
        5 => security["runAsUser"] = random_of(random, &[json!(0), json!(1), json!(1000), Value::Null]),
        6 => {
            let kind =
                random.of(&["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t", "spc_t"]);
            security["seLinuxOptions"] = match random.below(6) {
                0 => Value::Null,
                1 => json!({ "user": "u", "type": kind }),
                2 => json!({ "role": "r", "user": "" }),
                3 => json!({ "level": "s0" }),
                _ => json!({ "type": kind }),
            };
        }
        7 => {
            let field = random.of(&["seccompProfile", "appArmorProfile"]);
            let kind = random.of(&kinds);
            security[field] =
                random_of(random, &[json!({ "type": kind }), json!({ "type": kind }), json!({}), Value::Null]);
        }
        _ => {
            let host = boolean(random);
            security["windowsOptions"] = random_of(random, &[json!({ "hostProcess": host }), json!({}), Value::Null]);
        }
    }
}

fn handler(random: &mut Random) -> Value {
    let host = random.of(&["", "127.0.0.1", "example.com"]);
    let all = [
        json!({ "httpGet": { "port": 80, "host": host } }),
        json!({ "tcpSocket": { "port": 80, "host": host } }),
        json!({ "httpGet": { "port": 80 }, "tcpSocket": { "port": 80, "host": host } }),
        json!({ "httpGet": null }),
        Value::Null,
    ];
    random_of(random, &all)
}

/// A volume of a kind, of two, or of none.
fn volume(random: &mut Random) -> Value {
    let mut volume = json!({ "name": random.of(&["v", "data", "w"]) });
    for _ in 0..random.below(3) {
        volume[random.of(SOURCES)] = random_of(random, &[json!({}), json!({}), json!({}), Value::Null]);
    }
    volume
}

fn profile(random: &mut Random) -> Value {
    random_of(random, &PROFILES.iter().map(|text| json!(text)).chain([Value::Null]).collect::<Vec<_>>())
}

fn boolean(random: &mut Random) -> Value {
    random_of(random, &[json!(true), json!(false), Value::Null])
}

/// Up to three items, seldom one that is null, or no list at all.
fn list(random: &mut Random, item: impl Fn(&mut Random) -> Value) -> Value {
    if random.once_in(10) {
        return Value::Null;
    }
    let count = random.below(4);
    (0..count).map(|_| if random.once_in(20) { Value::Null } else { item(random) }).collect()
}

fn random_of(random: &mut Random, choices: &[Value]) -> Value {
    choices[random.below(choices.len())].clone()
}
