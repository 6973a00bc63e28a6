//! The package as it is now, with its configs and catalog.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::adapters::files::Snapshot;
use crate::core::change::{Models, read_configs};
use crate::core::config::SetModel;
use crate::core::model::ModelCatalog;
use crate::core::needs_sync::{Decision, needs_sync};
use crate::core::package::{Layout, Package, Part};

/// Where things are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) configs: Vec<PathBuf>,
    pub(super) catalog: Option<PathBuf>,
}

/// What was in the directory at one moment.
#[derive(Debug)]
pub(super) struct Loaded {
    snapshot: Snapshot,
    /// At least one.
    pub(super) configs: Vec<SetModel>,
    /// What the catalog lists that was named on the command line.
    pub(super) given: Option<Models>,
    /// The last decision about each config, by its index.
    decided: Mutex<BTreeMap<usize, Decided>>,
}

/// A decision, and what a registry had said.
#[derive(Debug)]
struct Decided {
    asked: Option<Arc<Models>>,
    decision: Decision,
}

impl Loaded {
    /// Whether the config of this index needs a sync. The same files and the same listing give the
    /// same decision, unless the policy looks at the clock; so it is made once for many callers.
    pub(super) fn needs_sync(
        &self,
        index: usize,
        asked: Option<Arc<Models>>,
        now: Timestamp,
    ) -> Decision {
        if let Some(decision) = self.remembered(index, asked.as_ref()) {
            return decision;
        }
        let config = &self.configs[index];
        let decision = needs_sync(&self.package(), config, self.models(asked.as_ref()), now);
        if config.policy.min_age.is_zero() {
            let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
            let decision = decision.clone();
            decided.insert(index, Decided { asked, decision });
        }
        decision
    }

    /// The decision that was made of the same.
    pub(super) fn remembered(&self, index: usize, asked: Option<&Arc<Models>>) -> Option<Decision> {
        let decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        let before = decided.get(&index)?;
        let is_same = match (&before.asked, asked) {
            (None, None) => true,
            (Some(before), Some(asked)) => Arc::ptr_eq(before, asked),
            _ => false,
        };
        is_same.then(|| before.decision.clone())
    }

    /// The listings to decide by: what a registry said, the catalog of the command line, or those of
    /// the package.
    pub(super) fn models<'m>(&'m self, asked: Option<&'m Arc<Models>>) -> &'m Models {
        static IN_PACKAGE: Models = Models {
            given: None,
            asked: Vec::new(),
        };
        match asked {
            Some(models) => models,
            None => self.given.as_ref().unwrap_or(&IN_PACKAGE),
        }
    }

    /// The files, parsed when needed.
    pub(super) fn package(&self) -> Package<'_> {
        let texts = self.snapshot.texts.iter();
        let parts = texts.map(|(path, text)| Part::file(path.as_str(), text.as_str()));
        Package::new(Layout::Directory, parts)
    }
}

/// Reads the package for each request, or keeps it when it cannot have changed.
pub(super) struct Loader {
    place: Arc<Place>,
    last: Arc<Mutex<Option<Arc<Loaded>>>>,
    /// Bounds what is read and parsed at the same time, and so the memory that takes.
    turns: Arc<Semaphore>,
}

impl Loader {
    pub(super) fn new(place: Place) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            place: Arc::new(place),
            last: Arc::default(),
            turns: Arc::new(Semaphore::new(processors.max(2))),
        }
    }

    /// The package as it is now.
    ///
    /// # Errors
    /// What cannot be read, one line each.
    pub(super) async fn load(&self) -> Result<Arc<Loaded>, Vec<String>> {
        let (place, last) = (self.place.clone(), self.last.clone());
        self.in_turn(move || {
            let lock = || last.lock().unwrap_or_else(PoisonError::into_inner);
            let before = lock().clone();
            if let Some(loaded) = before
                && loaded.snapshot.is_current(&place.directory)
            {
                return Ok(loaded);
            }
            let loaded = Arc::new(load(&place)?);
            *lock() = Some(loaded.clone());
            Ok(loaded)
        })
        .await
        .unwrap_or_else(|error| Err(vec![error]))
    }

    /// Runs something that reads or computes, on a thread that may be kept busy.
    ///
    /// # Errors
    /// It panicked.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        let turn = self.turns.clone().acquire_owned().await;
        let work = move || {
            let _turn = turn;
            work()
        };
        let internal = |_| "internal error; please report it with the log".to_owned();
        tokio::task::spawn_blocking(work).await.map_err(internal)
    }
}

fn load(place: &Place) -> Result<Loaded, Vec<String>> {
    let named: Vec<_> = place
        .configs
        .iter()
        .chain(&place.catalog)
        .cloned()
        .collect();
    let snapshot = Snapshot::read(&place.directory, &named);
    let snapshot = snapshot.map_err(|error| vec![format!("{error:#}")])?;
    let (mut configs, mut errors) = (Vec::new(), Vec::new());
    let mut given = None;
    for (number, (path, text)) in snapshot.named.iter().enumerate() {
        let path = path.display().to_string();
        if number < place.configs.len() {
            match SetModel::from_yaml(text, &path) {
                Ok(config) => configs.push(config),
                Err(error) => errors.push(format!("cannot read the config: {error}")),
            }
        } else {
            match ModelCatalog::from_yaml(text, &path) {
                Ok(catalog) => given = Some(Models::given(catalog.listing)),
                Err(error) => errors.push(format!("cannot read the catalog: {error}")),
            }
        }
    }
    let mut loaded = Loaded {
        snapshot,
        configs,
        given,
        decided: Mutex::default(),
    };
    if place.configs.is_empty() {
        let (configs, invalid) = read_configs(&loaded.package());
        errors.extend(invalid.into_iter().map(|item| item.message));
        loaded.configs = configs;
    }
    let mut names: Vec<_> = loaded.configs.iter().map(|config| &config.name).collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        errors.push(format!(
            "two configs have the name {}; give each its own",
            pair[0]
        ));
    }
    if loaded.configs.is_empty() && errors.is_empty() {
        errors.push(format!(
            "{} holds no SetModel; add one, or name one with --config",
            place.directory.display()
        ));
    }
    if errors.is_empty() {
        Ok(loaded)
    } else {
        Err(errors)
    }
}
