//! What Ingresses say about hosts (networking.k8s.io/v1), for the modules that judge it.

use crate::review::Operation;
use crate::rule::Resources;

/// Ingresses, when they are made and changed.
pub(super) const INGRESSES: &[Resources] = &[Resources {
    groups: &["networking.k8s.io"],
    resources: &["ingresses"],
    operations: &[Operation::Create, Operation::Update],
}];

/// A host as Ingresses write it: `shop.example.com`, or `*.example.com` for all names with one label more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host<'t> {
    /// This name.
    Name(&'t str),
    /// All names in front of this suffix, which starts with a dot.
    Wildcard(&'t str),
}

impl<'t> Host<'t> {
    /// Reads a host. Whether it is a DNS name is for others to say.
    pub(super) fn of(text: &'t str) -> Self {
        match text.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => Self::Wildcard(suffix),
            _ => Self::Name(text),
        }
    }

    /// Whether every request for `other` is one for this host: a wildcard stands for exactly one label.
    pub(super) fn serves(self, other: Self) -> bool {
        match (self, other) {
            (Self::Name(own), Self::Name(name)) => own.eq_ignore_ascii_case(name),
            (Self::Wildcard(own), Self::Wildcard(suffix)) => own.eq_ignore_ascii_case(suffix),
            (Self::Wildcard(own), Self::Name(name)) => name
                .find('.')
                .is_some_and(|dot| dot > 0 && name.get(dot..).unwrap_or_default().eq_ignore_ascii_case(own)),
            (Self::Name(_), Self::Wildcard(_)) => false,
        }
    }

    /// Whether `other` lies in this domain, however many labels it has more.
    pub(super) fn holds(self, other: Self) -> bool {
        match (self, other) {
            (Self::Name(own), Self::Name(name)) => own.eq_ignore_ascii_case(name),
            (Self::Wildcard(own), Self::Name(rest) | Self::Wildcard(rest)) => ends_with(rest, own),
            (Self::Name(_), Self::Wildcard(_)) => false,
        }
    }
}

/// Whether the text ends so, in capital letters or small ones; a name has something in front of it, a suffix need not.
fn ends_with(text: &str, suffix: &str) -> bool {
    let begin = text.len().checked_sub(suffix.len());
    let end = begin.filter(|begin| *begin > 0 || text.starts_with('.')).and_then(|begin| text.get(begin..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// Whether an Ingress may have this host: a DNS name, or one with `*.` in front (k8s.io/apimachinery,
/// IsDNS1123Subdomain and IsWildcardDNS1123Subdomain).
pub(super) fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

fn is_dns_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 253
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_serves_one_label() {
        let serves = |own, other| Host::of(own).serves(Host::of(other));
        assert!(serves("*.example.com", "a.example.com") && serves("*.example.com", "*.example.com"));
        assert!(serves("A.example.com", "a.Example.com"));
        for (own, other) in [
            ("*.example.com", "a.b.example.com"),
            ("*.example.com", "example.com"),
            ("*.example.com", ".example.com"),
            ("*.example.com", "*.a.example.com"),
            ("a.example.com", "*.example.com"),
            ("*.example.com", "aexample.com"),
        ] {
            assert!(!serves(own, other), "{own} {other}");
        }
    }

    #[test]
    fn a_domain_holds_all_below_it() {
        let holds = |own, other| Host::of(own).holds(Host::of(other));
        for other in ["a.example.com", "a.b.EXAMPLE.com", "*.example.com", "*.a.example.com"] {
            assert!(holds("*.example.com", other), "{other}");
        }
        for other in ["example.com", "*.com", "aexample.com", "a.example.com.evil.org", "*", ""] {
            assert!(!holds("*.example.com", other), "{other}");
        }
        assert!(holds("example.com", "example.com") && !holds("example.com", "a.example.com"));
    }

    #[test]
    fn knows_hosts() {
        assert!(["a", "example.com", "*.example.com", "1.a-b.c"].into_iter().all(is_host));
        assert!(!["", "*", "*.", "a.*.com", "A.com", "-a.com", "a..b", "*.*.com", "a b"].into_iter().any(is_host));
    }
}
