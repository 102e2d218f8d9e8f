//! The newest form of the standards in CEL.

use super::level::{Level, Version};
use super::{IGNORED, PodSecurity};
use crate::modules::validate::pod_security::checks::{BASELINE_CAPABILITIES, RESTRICTED_VOLUMES, SAFE_SYSCTLS};
use crate::modules::validate::pod_security::table::NEWEST;
use crate::twin::{self, CelTwin, IS_WINDOWS, NoTwin, lists, nested};

/// Whether the pod has a user namespace of its own.
const HAS_USER_NAMESPACE: &str = "#spec.?hostUsers.orValue(true) == false";

/// An update that may change what the standards think of the pod (`update::is_significant`).
const IS_SIGNIFICANT: &str = "(request.operation == 'CREATE' || oldObject == null || \
['containers', 'initContainers'].exists(l, object.spec[?l].orValue([]).map(c, c.?image.orValue('')) != \
oldObject.?spec[?l].orValue([]).map(c, c.?image.orValue(''))) || \
object.spec.?ephemeralContainers.orValue([]).exists(c, !oldObject.?spec.?ephemeralContainers.orValue([]).exists(d, \
d.name == c.name && d.?image.orValue('') == c.?image.orValue(''))))";

/// What is wrong with a pod, as lists of texts in CEL: those of `baseline` that `restricted` does not replace.
fn common() -> Vec<String> {
    let annotations = "#pod.?metadata.?annotations.orValue({})";
    vec![
        "#contexts.filter(c, c.it.?appArmorProfile.hasValue() && \
         !(c.it.?appArmorProfile.?type.orValue('') in ['RuntimeDefault', 'Localhost']))\
         .map(c, c.at + '.appArmorProfile.type=' + c.it.?appArmorProfile.?type.orValue(''))"
            .to_owned(),
        format!(
            "{annotations}.filter(k, k.startsWith('container.apparmor.security.beta.kubernetes.io/') && \
             !({annotations}[k] in ['', 'runtime/default']) && !{annotations}[k].startsWith('localhost/'))\
             .map(k, 'metadata.annotations[' + k + ']=' + {annotations}[k])"
        ),
        "['hostNetwork', 'hostPID', 'hostIPC'].filter(f, #spec[?f].orValue(false))".to_owned(),
        nested(
            "#containers",
            "c",
            "c.it.?ports.orValue([]).filter(p, p.?hostPort.orValue(0) != 0).map(p, c.at + '.ports.hostPort=' + string(p.hostPort))",
        ),
        nested(
            "#containers",
            "c",
            "[c.it.?livenessProbe, c.it.?readinessProbe, c.it.?startupProbe, c.it.?lifecycle.?postStart, \
             c.it.?lifecycle.?preStop].map(h, [h.?httpGet.?host.orValue(''), h.?tcpSocket.?host.orValue('')]\
             .filter(n, n != '').map(n, c.at + '.probe or lifecycle host=' + n).join('\\t')).filter(t, t != '')",
        ),
        twin::containers("c.it.?securityContext.?privileged.orValue(false)", "securityContext.privileged"),
        "#contexts.filter(c, c.it.?seLinuxOptions.hasValue() && (!(c.it.?seLinuxOptions.?type.orValue('') in \
         ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']) || \
         c.it.?seLinuxOptions.?user.orValue('') != '' || c.it.?seLinuxOptions.?role.orValue('') != ''))\
         .map(c, c.at + '.seLinuxOptions=' + c.it.?seLinuxOptions.?type.orValue('') + \
         (c.it.?seLinuxOptions.?user.orValue('') != '' ? ' user' : '') + \
         (c.it.?seLinuxOptions.?role.orValue('') != '' ? ' role' : ''))"
            .to_owned(),
        format!(
            "#spec.?securityContext.?sysctls.orValue([]).filter(s, !(s.name in {})).map(s, 'securityContext.sysctls=' + s.name)",
            lists(SAFE_SYSCTLS.iter().map(|(name, _)| name))
        ),
        "#contexts.filter(c, c.it.?windowsOptions.?hostProcess.orValue(false)).map(c, c.at + '.windowsOptions.hostProcess')"
            .to_owned(),
    ]
}

fn added_capabilities(allowed: &[&str]) -> String {
    nested(
        "#containers",
        "c",
        &format!(
            "c.it.?securityContext.?capabilities.?add.orValue([]).filter(a, !(a in {}))\
             .map(a, c.at + '.securityContext.capabilities.add=' + a)",
            lists(allowed)
        ),
    )
}

fn proc_mounts() -> String {
    "#containers.filter(c, c.it.?securityContext.?procMount.orValue('Default') != 'Default')\
     .map(c, c.at + '.securityContext.procMount=' + c.it.securityContext.procMount)"
        .to_owned()
}

fn wrong_seccomp() -> &'static str {
    "#contexts.filter(c, c.it.?seccompProfile.hasValue() && \
     !(c.it.?seccompProfile.?type.orValue('') in ['RuntimeDefault', 'Localhost']))\
     .map(c, c.at + '.seccompProfile.type=' + c.it.?seccompProfile.?type.orValue(''))"
}

fn baseline() -> Vec<String> {
    let mut checks = common();
    checks.push(added_capabilities(BASELINE_CAPABILITIES));
    checks.push(
        "#spec.?volumes.orValue([]).filter(v, v.?hostPath.hasValue()).map(v, 'volumes[' + v.name + '].hostPath')"
            .to_owned(),
    );
    checks.push(format!("({HAS_USER_NAMESPACE} ? [] : {})", proc_mounts()));
    checks.push(wrong_seccomp().to_owned());
    checks
}

fn restricted() -> Vec<String> {
    let mut checks = common();
    checks.push(format!(
        "({IS_WINDOWS} ? [] : {} + {} + {} + ({seccomp}.size() > 0 ? {seccomp} : {}))",
        twin::containers(
            "c.it.?securityContext.?allowPrivilegeEscalation.orValue(true)",
            "securityContext.allowPrivilegeEscalation"
        ),
        twin::containers(
            "!('ALL' in c.it.?securityContext.?capabilities.?drop.orValue([]))",
            "securityContext.capabilities.drop"
        ),
        added_capabilities(&["NET_BIND_SERVICE"]),
        "#contexts.filter(c, c.of != null && !c.it.?seccompProfile.hasValue() && \
         !#spec.?securityContext.?seccompProfile.hasValue()).map(c, c.at + '.seccompProfile')",
        seccomp = wrong_seccomp(),
    ));
    checks.push(proc_mounts());
    checks.push(format!(
        "#spec.?volumes.orValue([]).filter(v, !v.exists(k, k in {}) && v.exists(k, k != 'name'))\
         .map(v, 'volumes[' + v.name + '].' + v.filter(k, k != 'name').join(','))",
        lists(RESTRICTED_VOLUMES)
    ));
    let refusing = "#contexts.filter(c, !c.it.?runAsNonRoot.orValue(true)).map(c, c.at + '.runAsNonRoot=false')";
    checks.push(format!(
        "({HAS_USER_NAMESPACE} ? [] : ({refusing}.size() > 0 ? {refusing} \
         : #spec.?securityContext.?runAsNonRoot.orValue(false) ? [] \
         : #contexts.filter(c, c.of != null && !c.it.?runAsNonRoot.hasValue()).map(c, c.at + '.runAsNonRoot')) + \
         #contexts.filter(c, c.it.?runAsUser.orValue(-1) == 0).map(c, c.at + '.runAsUser=0'))"
    ));
    checks
}

/// All violations of a pod are one finding, as they are one message.
pub(super) fn of(module: &PodSecurity) -> Result<CelTwin, NoTwin> {
    let standard = module.defaults.enforce;
    if module.namespace_labels {
        return Err(NoTwin("the labels of the namespace say which standard holds".into()));
    }
    let is_newest = match standard.version {
        Version::Latest => true,
        Version::Minor(minor) => usize::try_from(minor).is_ok_and(|minor| minor >= NEWEST),
    };
    if !is_newest {
        return Err(NoTwin(
            "only the newest form of the standards is written in CEL: set enforceVersion: latest".into(),
        ));
    }
    let checks = match standard.level {
        Level::Privileged => return Err(NoTwin("it refuses nothing: `enforce` is privileged".into())),
        Level::Baseline => baseline(),
        Level::Restricted => restricted(),
    };
    let exemptions = &module.exemptions;
    let listed = |value: &str, names: &[String]| {
        let names: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
        if names.is_empty() { String::new() } else { format!(" && !({value} in {})", lists(names)) }
    };
    let is_judged = format!(
        "request.operation in ['CREATE', 'UPDATE'] && #object.?kind.orValue('') == 'Pod' && \
         !(request.?subResource.orValue('') in {}){}{}{} && {IS_SIGNIFICANT}",
        lists(IGNORED),
        listed(twin::NAMESPACE, &exemptions.namespaces),
        listed("request.userInfo.?username.orValue('')", &exemptions.usernames),
        listed("#spec.?runtimeClassName.orValue('')", &exemptions.runtime_classes),
    );
    let all = checks.join(" + ");
    let findings = format!("({is_judged} ? [({all}).join(', ')].filter(t, t != '') : [])");
    let twin = CelTwin::of(findings, format!("violates PodSecurity \"{standard}\""));
    let warns = module.defaults.warn.level != Level::Privileged || module.defaults.audit.level != Level::Privileged;
    Ok(if warns { twin.differing("does not warn, and writes nothing into the audit log") } else { twin })
}
