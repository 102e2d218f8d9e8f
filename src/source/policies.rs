//! The thread on which policies are read and compiled, for as long as the process lives: compiling a thousand of them must
//! not keep a probe waiting.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;

use tokio::sync::mpsc::UnboundedSender;

use super::config_maps::{Seen, Told};
use super::directory::{self, Directory};
use super::last_good::LastGoods;
use super::mounts::is_mount;
use super::{Active, Loaded, Read, Revision, Tests, UnitState, UnitStatus, starter};

/// All sources of policies, and what was loaded from them.
#[derive(Debug)]
pub struct Policies {
    directory: Option<Directory>,
    files: Vec<Read>,
    cluster: Option<InCluster>,
    loaded: Loaded,
    /// What ran and what was said about it after the last look.
    last: Option<(String, Vec<UnitStatus>)>,
    last_error: Option<String>,
}

/// The two ends of [`super::config_maps::follow`].
#[derive(Debug)]
pub struct Link {
    /// What the cluster says.
    pub seen: Receiver<Seen>,
    /// What it is to be told.
    pub told: UnboundedSender<Told>,
}

#[derive(Debug)]
struct InCluster {
    link: Link,
    /// What it has said so far; nothing runs before both are known.
    units: Option<Vec<Read>>,
    kept: Option<LastGoods>,
    is_over: bool,
}

impl Policies {
    /// Files and folders, and ConfigMaps; with neither, the starter policies.
    pub fn new(paths: &[PathBuf], cluster: Option<Link>, has_cluster: bool, tests: Tests) -> Self {
        Self {
            directory: (!paths.is_empty()).then(|| Directory::new(paths.to_vec())),
            files: if paths.is_empty() && cluster.is_none() {
                vec![Read::Unit(starter::unit(), Revision::default())]
            } else {
                vec![]
            },
            cluster: cluster.map(|link| InCluster { link, units: None, kept: None, is_over: false }),
            loaded: Loaded::new(has_cluster, tests),
            last: None,
            last_error: None,
        }
    }

    /// The first look at the files.
    ///
    /// # Errors
    /// A path that is not there. A broken file is none: it is reported when it is loaded.
    pub fn first(&mut self) -> Result<(), String> {
        if let Some(directory) = &mut self.directory {
            self.files = directory.poll().map_err(|error| error.to_string())?.unwrap_or_default();
        }
        for file in self.files.iter().map(Read::name).filter(|file| is_mount(Path::new(file))) {
            tracing::warn!(file, "the file is mounted by itself: where that is a subPath, its changes never get here");
        }
        Ok(())
    }

    /// Hands over what runs, at once where there are only files, else as soon as the cluster has said what it has; and from
    /// then on whenever it changes.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn follow(mut self, mut activate: impl FnMut(Active) + Send + 'static) -> io::Result<()> {
        if self.is_known() {
            self.load(&mut activate);
        }
        if self.directory.is_none() && self.cluster.is_none() {
            return Ok(());
        }
        let look = move || {
            loop {
                let has_news = self.wait();
                // A panic is reported by the hook; the set that was active before stays, and the next change is looked at.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    if (self.look() || has_news) && self.is_known() {
                        self.load(&mut activate);
                    }
                }));
            }
        };
        thread::Builder::new().name("policies".to_owned()).spawn(look).map(drop)
    }

    fn is_known(&self) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| cluster.units.is_some() && cluster.kept.is_some())
    }

    /// Waits for the next look, or for the cluster. True where it has said something.
    fn wait(&mut self) -> bool {
        let Some(cluster) = self.cluster.as_mut().filter(|cluster| !cluster.is_over) else {
            thread::sleep(directory::POLL_EVERY);
            return false;
        };
        let mut next = match cluster.link.seen.recv_timeout(directory::POLL_EVERY) {
            Ok(seen) => Some(seen),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                cluster.is_over = true;
                return false;
            }
        };
        while let Some(seen) = next {
            match seen {
                Seen::Units(units) => cluster.units = Some(units),
                Seen::Kept(kept) => cluster.kept = Some(kept),
            }
            next = cluster.link.seen.try_recv().ok();
        }
        true
    }

    /// Looks at the files. What cannot be listed changes nothing, and is said once.
    fn look(&mut self) -> bool {
        let Some(directory) = &mut self.directory else { return false };
        match directory.poll() {
            Ok(Some(files)) => {
                self.files = files;
                true
            }
            Ok(None) => {
                self.last_error = None;
                false
            }
            Err(error) => {
                let error = error.to_string();
                if self.last_error.as_ref() != Some(&error) {
                    tracing::error!(error, "the policies that were loaded before stay");
                    self.last_error = Some(error);
                }
                false
            }
        }
    }

    fn load(&mut self, activate: &mut impl FnMut(Active)) {
        let mut units = self.files.clone();
        let nothing = LastGoods::new();
        let kept = match &self.cluster {
            Some(cluster) => {
                units.extend(cluster.units.iter().flatten().cloned());
                cluster.kept.as_ref().unwrap_or(&nothing)
            }
            None => &nothing,
        };
        let update = self.loaded.update(units, kept);
        for report in update.reports {
            tracing::error!("{report}");
        }
        let active = update.active;
        let now = (active.set.digest().to_owned(), active.units.clone());
        let is_first = self.last.is_none();
        if self.last.as_ref() != Some(&now) {
            tracing::info!(
                policies = active.set.len(),
                units = active.units.len(),
                broken = active.units.iter().filter(|unit| unit.state != UnitState::Active).count(),
                digest = active.set.digest(),
                "policies active"
            );
            activate(active);
            self.last = Some(now);
        }
        if let Some(cluster) = &self.cluster {
            // A unit of a file has no object in the cluster.
            let (is_in_cluster, told) = (|uid: &str| !uid.is_empty(), &cluster.link.told);
            for good in update.good.into_iter().filter(|good| is_in_cluster(&good.revision.uid)) {
                let _ = told.send(Told::Keep(good));
            }
            for change in update.changes.into_iter().filter(|change| is_in_cluster(&change.revision.uid)) {
                // A start is no news about what was in order before it.
                if !is_first || change.state != UnitState::Active {
                    let _ = told.send(Told::Changed(change));
                }
            }
        }
    }
}
