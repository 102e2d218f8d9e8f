//! Where evidence is kept: a file, or one ConfigMap of the own namespace that all replicas add to.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};

use super::book::Book;

/// The label of the ConfigMap.
const LABEL: &str = "admittance.dev/evidence";
const KEY: &str = "evidence.json.gz";

/// Where evidence is kept.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file of this process alone.
    File(PathBuf),
    /// A ConfigMap of this name.
    ConfigMap(Box<Api<ConfigMap>>, String),
}

/// What was there, so that nothing is written over that came after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) book: Book,
    exists: bool,
    resource_version: Option<String>,
}

/// What became of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// Somebody else was faster: to be read again.
    Conflict,
}

impl Store {
    /// A file, which need not be there.
    ///
    /// # Errors
    /// One line: a file that cannot be read or written, or holds something else.
    pub fn file(path: PathBuf) -> Result<Self, String> {
        let mut book = read_file(&path)?;
        write_file(&path, &book.pack()).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Self::File(path))
    }

    /// The ConfigMap of a server whose webhook configurations have this name.
    pub fn in_cluster(client: Client, namespace: &str, configuration: &str) -> Self {
        Self::ConfigMap(Box::new(Api::namespaced(client, namespace)), format!("{configuration}-evidence"))
    }

    /// What is there. What is damaged is said, and counts as nothing.
    ///
    /// # Errors
    /// One line: why it cannot be read.
    pub(super) async fn read(&self) -> Result<Found, String> {
        match self {
            Self::File(path) => Ok(Found { book: read_file(path)?, ..Found::default() }),
            Self::ConfigMap(api, name) => {
                let found = api.get_opt(name).await.map_err(|error| format!("the ConfigMap {name}: {error}"))?;
                let Some(found) = found else { return Ok(Found::default()) };
                let bytes = found.binary_data.and_then(|mut data| data.remove(KEY)).unwrap_or_default().0;
                let book = Book::unpack(&bytes).unwrap_or_else(|error| {
                    tracing::error!(name, %error, "the evidence in the ConfigMap is damaged and begins anew");
                    Book::default()
                });
                Ok(Found { book, exists: true, resource_version: found.metadata.resource_version })
            }
        }
    }

    /// Puts a packed book there, where what was found still stands.
    ///
    /// # Errors
    /// One line: why it cannot be written, or whether it was is not known.
    pub(super) async fn write(&self, found: &Found, packed: Vec<u8>) -> Result<Written, String> {
        match self {
            Self::File(path) => write_file(path, &packed)
                .map(|()| Written::Done)
                .map_err(|error| format!("cannot write {}: {error}", path.display())),
            Self::ConfigMap(api, name) => {
                let metadata = ObjectMeta {
                    name: Some(name.clone()),
                    labels: Some(BTreeMap::from([(LABEL.to_owned(), "true".to_owned())])),
                    resource_version: found.resource_version.clone(),
                    ..ObjectMeta::default()
                };
                let binary_data = Some(BTreeMap::from([(KEY.to_owned(), ByteString(packed))]));
                let object = ConfigMap { metadata, binary_data, ..ConfigMap::default() };
                let parameters = PostParams::default();
                let written = if found.exists {
                    api.replace(name, &parameters, &object).await
                } else {
                    api.create(&parameters, &object).await
                };
                match written {
                    Ok(_) => Ok(Written::Done),
                    Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => Ok(Written::Conflict),
                    Err(error) => Err(format!("the ConfigMap {name}: {error}")),
                }
            }
        }
    }
}

/// The evidence in a file; none where there is no file.
///
/// # Errors
/// A file that cannot be read or is none of evidence.
pub(super) fn read_file(path: &Path) -> Result<Book, String> {
    let named = |error: &dyn std::fmt::Display| format!("cannot use the evidence in {}: {error}", path.display());
    match std::fs::read(path) {
        Ok(bytes) => Book::unpack(&bytes).map_err(|error| named(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Book::default()),
        Err(error) => Err(named(&error)),
    }
}

/// Whole or not at all: a server that is killed while it writes leaves what was there.
fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
