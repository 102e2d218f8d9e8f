//! Levels and versions of the Pod Security Standards (k8s.io/pod-security-admission, api/helpers.go).

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// How much a pod may do, from anything to what hardening guides ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// Anything.
    Privileged,
    /// What known ways to gain privileges do not need.
    Baseline,
    /// What current practice of hardening allows.
    #[default]
    Restricted,
}

impl Level {
    /// As labels spell it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let level = [Self::Privileged, Self::Baseline, Self::Restricted].into_iter().find(|it| it.as_str() == text);
        level.ok_or("must be one of privileged, baseline, restricted")
    }
}

/// The Kubernetes version whose standards hold. One that is newer than the newest known standards means those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The newest known.
    Latest,
    /// `v1.MINOR`
    Minor(u64),
}

impl Version {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be \"latest\" or \"v1.x\"";
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let minor = text.strip_prefix("v1.").ok_or(WRONG)?;
        let is_number = minor.bytes().all(|byte| byte.is_ascii_digit()) && (minor == "0" || !minor.starts_with('0'));
        // Go's int: what does not fit is no version.
        let minor: i64 = minor.parse().ok().filter(|_| is_number).ok_or(WRONG)?;
        u64::try_from(minor).map(Self::Minor).map_err(|_| WRONG)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => formatter.write_str("latest"),
            Self::Minor(minor) => write!(formatter, "v1.{minor}"),
        }
    }
}

/// What is held against a pod: `restricted:latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standard {
    pub(super) level: Level,
    pub(super) version: Version,
}

impl fmt::Display for Standard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.level.as_str(), self.version)
    }
}

impl Standard {
    /// Whether both mean the same: any version of `privileged` does.
    fn is_equivalent(self, other: Self) -> bool {
        self == other || (self.level == Level::Privileged && other.level == Level::Privileged)
    }
}

/// What holds in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Modes {
    /// What pods are refused for.
    pub(super) enforce: Standard,
    /// What stands in the audit log.
    pub(super) audit: Standard,
    /// What the user is warned about.
    pub(super) warn: Standard,
}

impl Modes {
    /// Whether nothing is held against anything.
    pub(super) fn is_privileged(&self) -> bool {
        [self.enforce, self.audit, self.warn].iter().all(|standard| standard.level == Level::Privileged)
    }

    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        self.enforce.is_equivalent(other.enforce)
            && self.audit.is_equivalent(other.audit)
            && self.warn.is_equivalent(other.warn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_as_labels_have_them() {
        assert_eq!(Version::parse("latest"), Ok(Version::Latest));
        assert_eq!(Version::parse("v1.0"), Ok(Version::Minor(0)));
        assert_eq!(Version::parse("v1.9223372036854775807"), Ok(Version::Minor(9_223_372_036_854_775_807)));
        for text in
            ["", "v1", "v1.", "v1.01", "v1.+1", "v1.-1", "v2.0", "1.25", "v1.25 ", "Latest", "v1.9223372036854775808"]
        {
            assert_eq!(Version::parse(text), Err("must be \"latest\" or \"v1.x\""), "{text:?}");
        }
    }
}
