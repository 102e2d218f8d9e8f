//! References to container images, read as containerd and Docker read them
//! (github.com/distribution/reference, `ParseNormalizedNamed`), and patterns that name a part of a registry.

use std::fmt;

/// Where an image comes from that names no registry.
pub const DEFAULT_REGISTRY: &str = "docker.io";

/// Docker Hub under its former name.
const FORMER_REGISTRY: &str = "index.docker.io";

/// What stands before the names of Docker Hub's official images.
const OFFICIAL: &str = "library";

/// The longest repository, in bytes.
const LONGEST_REPOSITORY: usize = 255;

/// An image reference. It borrows the text; what the text leaves out is filled in by the accessors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'t> {
    registry: &'t str,
    /// Whether [`OFFICIAL`] is to be thought before the path.
    is_official: bool,
    path: &'t str,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
}

/// Why a text is no image reference: the container runtime would not pull it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// There is no text.
    Empty,
    /// 64 hexadecimal digits, which runtimes take for the id of an image.
    Id,
    /// The repository has capital letters.
    Uppercase,
    /// The registry is no DNS name or address, with or without a port.
    Registry,
    /// The repository's path has empty or misspelled parts.
    Repository,
    /// The repository is too long.
    TooLong,
    /// The text after `:` is no tag.
    Tag,
    /// The text after `@` is no digest.
    Digest,
}

impl<'t> Image<'t> {
    /// Reads a reference.
    ///
    /// # Errors
    /// What keeps a container runtime from pulling it.
    pub fn parse(text: &'t str) -> Result<Self, ImageError> {
        if text.is_empty() {
            return Err(ImageError::Empty);
        }
        if text.len() == 64 && is_lower_hex(text) {
            return Err(ImageError::Id);
        }
        let (registry, rest) = split_registry(text);
        let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        let (path, tag) = rest.split_once(':').map_or((rest, None), |(path, tag)| (path, Some(tag)));
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ImageError::Uppercase);
        }
        // What is no registry may still be read as a part of the path: `my_host.example/app`.
        let is_registry = is_registry(registry);
        if !is_registry && !is_path_component(registry) {
            return Err(ImageError::Registry);
        }
        if !path.split('/').all(is_path_component) {
            return Err(ImageError::Repository);
        }
        let is_official = registry == DEFAULT_REGISTRY && !path.contains('/');
        let prefix = if is_official { OFFICIAL.len() + 1 } else { 0 };
        let unread_registry = if is_registry { 0 } else { registry.len() + 1 };
        if prefix + unread_registry + path.len() > LONGEST_REPOSITORY {
            return Err(ImageError::TooLong);
        }
        if !tag.is_none_or(is_tag) {
            return Err(ImageError::Tag);
        }
        if !digest.is_none_or(is_digest) {
            return Err(ImageError::Digest);
        }
        Ok(Self { registry, is_official, path, tag, digest })
    }

    /// `docker.io`, `ghcr.io`, `localhost:5000`, in the case of the text.
    pub fn registry(&self) -> &'t str {
        self.registry
    }

    /// The parts of the repository: `library`, `nginx`.
    pub fn path(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.is_official.then_some(OFFICIAL).into_iter().chain(self.path.split('/'))
    }

    /// Registry and repository: `docker.io/library/nginx`. It can be printed, and compared without building a text.
    pub fn name(&self) -> ImageName<'t> {
        ImageName { registry: self.registry, is_official: self.is_official, path: self.path }
    }

    /// The tag as it is written.
    pub fn tag(&self) -> Option<&'t str> {
        self.tag
    }

    /// `sha256:…`. The runtime pulls by it and looks at no tag.
    pub fn digest(&self) -> Option<&'t str> {
        self.digest
    }

    /// Whether this is whatever is newest when it is pulled: no digest, and the tag `latest` or none.
    pub fn is_latest(&self) -> bool {
        self.digest.is_none() && self.tag.is_none_or(|tag| tag == "latest")
    }
}

/// The reference in full: `docker.io/library/nginx:1.27@sha256:…`.
impl fmt::Display for Image<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.name())?;
        if let Some(tag) = self.tag {
            write!(formatter, ":{tag}")?;
        }
        match self.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Registry and repository of an image: equal for `nginx` and `index.docker.io/library/nginx`. Registries are compared
/// without regard to case, as hosts are.
#[derive(Clone, Copy, Debug)]
pub struct ImageName<'t> {
    registry: &'t str,
    is_official: bool,
    path: &'t str,
}

impl PartialEq for ImageName<'_> {
    fn eq(&self, other: &Self) -> bool {
        let path = |name: &Self| {
            if name.is_official { name.path } else { name.path.strip_prefix("library/").unwrap_or(name.path) }
        };
        let has_library = |name: &Self| name.is_official || name.path.starts_with("library/");
        self.registry.eq_ignore_ascii_case(other.registry)
            && has_library(self) == has_library(other)
            && path(self) == path(other)
    }
}

impl Eq for ImageName<'_> {}

impl fmt::Display for ImageName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let official = if self.is_official { "library/" } else { "" };
        write!(formatter, "{}/{official}{}", self.registry, self.path)
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "the image is empty",
            Self::Id => "64 hexadecimal digits are the id of an image, no name",
            Self::Uppercase => "the repository has capital letters",
            Self::Registry => "the registry is no host name or address",
            Self::Repository => {
                "the repository is not made of lower-case letters and digits, with single `.`, `_`, `__` or `-` between them"
            }
            Self::TooLong => "the repository is longer than 255 bytes",
            Self::Tag => "the tag is not made of at most 128 letters, digits, `_`, `.` and `-`, or begins with `.` or `-`",
            Self::Digest => "the digest is none of sha256, sha384 and sha512 with as many lower-case hexadecimal digits",
        })
    }
}

impl std::error::Error for ImageError {}

/// The registry, and what follows it. The first part of a path is one if it cannot be anything else.
fn split_registry(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((FORMER_REGISTRY, rest)) => (DEFAULT_REGISTRY, rest),
        Some((first, rest)) if names_registry(first) => (first, rest),
        _ => (DEFAULT_REGISTRY, text),
    }
}

fn names_registry(first: &str) -> bool {
    first == "localhost" || first.bytes().any(|byte| matches!(byte, b'.' | b':') || byte.is_ascii_uppercase())
}

/// A DNS name or an address, IPv6 in brackets, with or without a port.
fn is_registry(text: &str) -> bool {
    if text == DEFAULT_REGISTRY {
        return true;
    }
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        let is_address = !address.is_empty() && address.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit());
        return is_address && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    host.split('.').all(is_host_label) && port.is_none_or(is_port)
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
}

/// Lower-case letters and digits; between them one `.`, one or two `_`, or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = text.as_bytes();
    loop {
        let word = rest.iter().take_while(|&&byte| is_word(byte)).count();
        let Some(after_word) = rest.get(word..).filter(|_| word > 0) else { return false };
        if after_word.is_empty() {
            return true;
        }
        let between = after_word.iter().take_while(|&&byte| !is_word(byte)).count();
        let (separator, after) = after_word.split_at(between);
        if !matches!(separator, b"." | b"_" | b"__") && !separator.iter().all(|&byte| byte == b'-') {
            return false;
        }
        rest = after;
    }
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

/// What runtimes can verify.
fn is_digest(text: &str) -> bool {
    let digits = match text.split_once(':') {
        Some(("sha256", digits)) => (digits, 64),
        Some(("sha384", digits)) => (digits, 96),
        Some(("sha512", digits)) => (digits, 128),
        _ => return false,
    };
    digits.0.len() == digits.1 && is_lower_hex(digits.0)
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A part of a registry: `ghcr.io`, `ghcr.io/acme`, `*.dkr.ecr.*.amazonaws.com`, `ghcr.io/*/base`.
///
/// It covers an image whose name begins with it, part by part: `ghcr.io/acme` does not cover `ghcr.io/acme-evil/x`. A `*`
/// stands for exactly one part of the path or one label of the host, never for a piece of one; a registry that is `*`
/// alone stands for every registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePattern {
    registry: String,
    path: Vec<String>,
}

impl ImagePattern {
    /// Reads a pattern. It must begin with a registry, so that `nginx` cannot mean one thing to its author and another to
    /// the runtime.
    ///
    /// # Errors
    /// A sentence that quotes the pattern and says what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (first, path) = text.split_once('/').unwrap_or((text, ""));
        if !names_registry(first) && first != "*" {
            return Err(format!(
                "{text:?} names no registry: expected a host and perhaps a path, `docker.io/library/nginx` or `ghcr.io/acme`"
            ));
        }
        let registry = if first == FORMER_REGISTRY { DEFAULT_REGISTRY } else { first };
        let (host, port) = registry.split_once(':').filter(|_| !registry.starts_with('[')).unwrap_or((registry, ""));
        let has_star = host.split('.').any(|label| label == "*");
        let is_host = host.split('.').all(|label| label == "*" || is_host_label(label));
        if !(is_registry(registry) || has_star && is_host && port.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(format!("{text:?} begins with no registry: expected a host whose labels are names or `*`"));
        }
        let path: Vec<String> = path.trim_end_matches('/').split('/').map(ToOwned::to_owned).collect();
        let path = if path.len() == 1 && path.iter().all(String::is_empty) { vec![] } else { path };
        if !path.iter().all(|part| part == "*" || is_path_component(part)) {
            return Err(format!(
                "{text:?} has a path that no image has: expected lower-case parts without tag or digest, `*` only for a whole part"
            ));
        }
        Ok(Self { registry: registry.to_owned(), path })
    }

    /// The registry, with `*` for any label, or for all of it.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The parts of the path, each of which may be `*`.
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// How many parts of the path it names: 1 for `ghcr.io/acme`.
    pub fn depth(&self) -> usize {
        self.path.len()
    }

    /// Whether it names one place alone: there is no `*` in it.
    pub fn is_exact(&self) -> bool {
        !self.registry.split('.').chain(self.path.iter().map(String::as_str)).any(|part| part == "*")
    }

    /// Whether the image's name begins with this.
    pub fn covers(&self, image: &Image<'_>) -> bool {
        let mut found = image.path();
        self.covers_registry(image.registry())
            && self.path.iter().all(|wanted| found.next().is_some_and(|found| wanted == "*" || wanted == found))
    }

    /// Whether images of this registry may be covered.
    pub fn covers_registry(&self, registry: &str) -> bool {
        if self.registry == "*" {
            return true;
        }
        let (mut wanted, mut found) = (self.registry.split('.'), registry.split('.'));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some("*"), Some(label)) if !label.contains([':', '[']) => {}
                (Some(wanted), Some(found)) if wanted.eq_ignore_ascii_case(found) => {}
                _ => return false,
            }
        }
    }
}

impl fmt::Display for ImagePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.registry)?;
        self.path.iter().try_for_each(|part| write!(formatter, "/{part}"))
    }
}

#[cfg(test)]
mod tests;
