//! When images are pulled (core/v1 PullPolicy).

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::image::Image;

/// When an image is pulled (core/v1 PullPolicy).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// Each time a container starts.
    #[default]
    Always,
    /// If the node does not have it.
    IfNotPresent,
    /// Not at all: the node must have it.
    Never,
}

impl PullPolicy {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Always, Self::IfNotPresent, Self::Never];

    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }

    /// What the API server fills in (pkg/apis/core/v1, SetDefaults_Container): the tag decides, even beside a digest, and
    /// what cannot be read has no tag.
    pub fn default_of(image: Option<&Image<'_>>) -> Self {
        match image.map(|image| (image.tag(), image.digest())) {
            Some((Some("latest"), _) | (None, None)) => Self::Always,
            _ => Self::IfNotPresent,
        }
    }
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_the_api_server_fills_in() {
        let digest = format!("nginx@sha256:{}", "0".repeat(64));
        let both = format!("nginx:latest@sha256:{}", "0".repeat(64));
        for (image, expected) in [
            ("nginx", PullPolicy::Always),
            ("nginx:latest", PullPolicy::Always),
            ("localhost:5000/nginx", PullPolicy::Always),
            (&both, PullPolicy::Always),
            ("nginx:1.27", PullPolicy::IfNotPresent),
            (&digest, PullPolicy::IfNotPresent),
            ("Nginx", PullPolicy::IfNotPresent),
        ] {
            assert_eq!(PullPolicy::default_of(Image::parse(image).ok().as_ref()), expected, "{image}");
        }
    }
}
