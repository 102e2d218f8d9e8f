//! Names of parameters, and settings.

use super::*;

fn settings(allowed: &[&str], forbidden: &[&str]) -> Settings {
    let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Settings { allowed: texts(allowed), forbidden: texts(forbidden) }
}

#[test]
fn reads_dots_and_slashes() {
    let module = Sysctls::new(settings(&["net.core.*", "net/ipv4/conf/eth0.1/arp"], &[])).unwrap();
    let allows = |name: &str| module.allowed.iter().any(|allowed| allowed.covers(name));
    for name in ["net.core.somaxconn", "net/core/somaxconn", "net.ipv4.conf.eth0/1.arp", "net.core."] {
        assert!(allows(name), "{name}");
    }
    for name in ["", "net.core", "net.ipv4.conf.eth0.1.arp", "kernel.msgmax"] {
        assert!(!allows(name), "{name}");
    }
}

#[test]
fn rejects_settings_that_never_count() {
    let errors = |allowed: &[&str], forbidden: &[&str]| {
        let errors = Sysctls::new(settings(allowed, forbidden)).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
    };
    let expected = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
    assert_eq!(
        errors(&["net.*.a", ""], &[]),
        [
            expected(
                "/allowed/0",
                "\"net.*.a\" fits no parameter: expected a name, or its beginning and a `*`: \"net.core.*\""
            ),
            expected(
                "/allowed/1",
                "\"\" fits no parameter: expected a name, or its beginning and a `*`: \"net.core.*\""
            )
        ]
    );
    let nothing = "every parameter is allowed and none forbidden: the policy refuses nothing";
    assert_eq!(errors(&["*"], &[]), [expected("/allowed", nothing)]);
    assert_eq!(
        errors(&["net.core.*"], &["net.core.a", "kernel.*"]),
        [expected("/forbidden/1", "\"kernel.*\" is not allowed anyway: leave it out")]
    );
    assert!(Sysctls::new(settings(&["*"], &["kernel.*"])).is_ok());
    assert!(Sysctls::new(settings(&["net.core.a"], &["net.*"])).is_ok());
}
