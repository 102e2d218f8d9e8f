//! Profiles of seccomp and AppArmor: their types and their files.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use super::exempt_images::ExemptImages;
use crate::json::{Node, Path};
use crate::matching::glob;
use crate::rule::SettingsError;
use crate::twin;
use crate::verdict::Report;

/// Where a profile comes from (core/v1 SeccompProfileType, AppArmorProfileType).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ProfileType {
    /// The container runtime's default.
    RuntimeDefault,
    /// A profile of the node.
    Localhost,
    /// None at all.
    Unconfined,
}

impl ProfileType {
    /// What is allowed by default.
    pub(super) fn confined() -> Vec<Self> {
        vec![Self::RuntimeDefault, Self::Localhost]
    }

    /// As the API writes it.
    pub(in crate::modules) const fn as_str(self) -> &'static str {
        match self {
            Self::RuntimeDefault => "RuntimeDefault",
            Self::Localhost => "Localhost",
            Self::Unconfined => "Unconfined",
        }
    }
}

impl fmt::Display for ProfileType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Profiles that are allowed.
#[derive(Debug)]
pub(super) struct Profiles {
    allowed: Vec<ProfileType>,
    /// Patterns of profiles of the node; empty for any.
    localhost: Vec<String>,
    /// The end of messages about types, and about profiles of the node.
    accepted: [String; 2],
}

impl Profiles {
    /// Checked settings `allowed` and `localhostProfiles`.
    ///
    /// # Errors
    /// No type at all, settings that leave nothing to refuse, and patterns that never count.
    pub(super) fn new(allowed: Vec<ProfileType>, localhost: Vec<String>) -> Result<Self, Vec<SettingsError>> {
        let error =
            |pointer: &str, message: &str| SettingsError { pointer: pointer.to_owned(), message: message.to_owned() };
        let has = |wanted| allowed.contains(&wanted);
        let mut errors = vec![];
        if allowed.is_empty() {
            let message = "no type is allowed: expected at least one of RuntimeDefault, Localhost and Unconfined";
            errors.push(error("/allowed", message));
        } else if has(ProfileType::Unconfined)
            && has(ProfileType::RuntimeDefault)
            && has(ProfileType::Localhost)
            && localhost.is_empty()
        {
            errors.push(error("/allowed", "every profile is allowed: the policy refuses nothing"));
        }
        if !localhost.is_empty() && !allowed.is_empty() && !has(ProfileType::Localhost) {
            let message = "it is never looked at: add Localhost to `allowed`, or take it away";
            errors.push(error("/localhostProfiles", message));
        }
        let accepted = [accepted(&allowed), accepted(&localhost)];
        if errors.is_empty() { Ok(Self { allowed, localhost, accepted }) } else { Err(errors) }
    }

    /// Whether a container without a profile, which runs unconfined, is allowed.
    pub(super) fn allow_none(&self) -> bool {
        self.allowed.contains(&ProfileType::Unconfined)
    }

    /// What is allowed, for messages.
    pub(super) fn accepted(&self) -> &str {
        let [types, _] = &self.accepted;
        types
    }

    /// Judges a profile at its place.
    pub(super) fn judge(&self, path: &Path<'_>, profile: Node<'_>, report: &mut Report<'_>) {
        let kind = profile.get("type").unwrap_or_default();
        let [types, files] = &self.accepted;
        if !self.allowed.iter().any(|allowed| kind.as_str() == Some(allowed.as_str())) {
            let message = format!("profile type {} is not allowed; {types}", report.show("type", kind));
            report.finding(&path.key("type"), kind, message);
        } else if kind.as_str() == Some(ProfileType::Localhost.as_str()) {
            let file = profile.get("localhostProfile").unwrap_or_default();
            if !self.allows_file(file.as_str()) {
                let message = format!("this profile of the node is not allowed; {files}");
                report.finding(&path.key("localhostProfile"), file, message);
            }
        }
    }

    /// Whether a profile is allowed that stands in an annotation: `runtime/default`, `localhost/NAME`, `unconfined`.
    pub(super) fn allow_annotation(&self, profile: &str) -> bool {
        let kind = match profile {
            "runtime/default" | "docker/default" => ProfileType::RuntimeDefault,
            "unconfined" => ProfileType::Unconfined,
            _ => match profile.strip_prefix("localhost/") {
                Some(file) if self.allows_file(Some(file)) => ProfileType::Localhost,
                _ => return false,
            },
        };
        self.allowed.contains(&kind)
    }

    /// [`Profiles::judge`] in CEL, of the field `name` of each security context that is not exempt.
    pub(super) fn findings(&self, name: &str, exempt: &ExemptImages) -> String {
        let (profile, exempt) = (format!("c.it.?{name}"), exempt.and_no_context());
        let (kind, file) = (format!("{profile}.?type.orValue('')"), format!("{profile}.?localhostProfile.orValue('')"));
        let allowed = twin::lists(self.allowed.iter().map(|kind| kind.as_str()));
        let of_kind = format!("{profile}.hasValue() && !({kind} in {allowed}){exempt}");
        let mut findings = twin::contexts(&of_kind, &format!("{name}.type"), &kind);
        if !self.localhost.is_empty() {
            let of_file = format!(
                "{kind} == 'Localhost' && 'Localhost' in {allowed} && !{}{exempt}",
                twin::fits(&file, &self.localhost)
            );
            findings = format!("{findings} + {}", twin::contexts(&of_file, &format!("{name}.localhostProfile"), &file));
        }
        findings
    }

    /// The annotations of a pod that name profiles which are not allowed, in CEL: the one of the whole pod, if there is such
    /// a key, and those of containers, whose name follows the prefix.
    pub(super) fn annotations(
        &self,
        of_pod: Option<&str>,
        of_container: &str,
        may_be_empty: bool,
        exempt: &ExemptImages,
    ) -> String {
        let has = |wanted| self.allowed.contains(&wanted);
        let mut allowed: Vec<&str> = may_be_empty.then_some("").into_iter().collect();
        if has(ProfileType::RuntimeDefault) {
            allowed.extend(["runtime/default", "docker/default"]);
        }
        allowed.extend(has(ProfileType::Unconfined).then_some("unconfined"));
        let mut is_allowed = format!("v in {}", twin::lists(allowed));
        if has(ProfileType::Localhost) {
            let files = "v.substring(10)";
            let file = if self.localhost.is_empty() { "true".to_owned() } else { twin::fits(files, &self.localhost) };
            is_allowed = format!("({is_allowed} || v.startsWith('localhost/') && {file})");
        }
        let prefix = twin::quoted(of_container);
        let of_pod = of_pod.map_or("false".to_owned(), |key| format!("k == {}", twin::quoted(key)));
        let name = format!("k.substring({})", of_container.len());
        let is_meant = format!("({of_pod} || k.startsWith({prefix}){})", exempt.and_no_name(&name));
        let all = "#pod.?metadata.?annotations.orValue({})";
        format!(
            "{all}.filter(k, {is_meant} && ![{all}[k]].all(v, {is_allowed})).map(k, \
             'metadata.annotations[' + k + ']\\n' + {all}[k])"
        )
    }

    fn allows_file(&self, file: Option<&str>) -> bool {
        let fits = |file| self.localhost.iter().any(|pattern| glob::fits(pattern, file));
        self.localhost.is_empty() || file.is_some_and(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::ProfileType::{Localhost, RuntimeDefault, Unconfined};
    use super::*;

    #[test]
    fn rejects_settings_without_a_choice() {
        let errors = |allowed: &[ProfileType], localhost: &[&str]| {
            let localhost = localhost.iter().map(ToString::to_string).collect();
            let errors = Profiles::new(allowed.to_vec(), localhost).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let expected = |pointer: &str, message: &str| [(pointer.to_owned(), message.to_owned())];
        assert_eq!(
            errors(&[], &["a"]),
            expected(
                "/allowed",
                "no type is allowed: expected at least one of RuntimeDefault, Localhost and Unconfined"
            )
        );
        assert_eq!(
            errors(&[Unconfined, Localhost, RuntimeDefault], &[]),
            expected("/allowed", "every profile is allowed: the policy refuses nothing")
        );
        assert_eq!(
            errors(&[RuntimeDefault], &["profiles/*"]),
            expected("/localhostProfiles", "it is never looked at: add Localhost to `allowed`, or take it away")
        );
    }

    #[test]
    fn reads_profiles_in_annotations() {
        let some = Profiles::new(ProfileType::confined(), vec!["profiles/*".into()]).unwrap();
        for profile in ["runtime/default", "docker/default", "localhost/profiles/a.json"] {
            assert!(some.allow_annotation(profile), "{profile}");
        }
        for profile in ["", "unconfined", "localhost/", "localhost/other.json", "runtime/other", "RuntimeDefault"] {
            assert!(!some.allow_annotation(profile), "{profile}");
        }
    }
}
