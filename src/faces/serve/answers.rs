//! Answers that are kept for a set time and fetched once however many ask for them: many callers, one
//! request. It knows neither what is asked nor what time it is.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

/// The time since some moment.
pub(super) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// An answer, or in words why there is none. Shared by all who asked.
pub(super) type Answer<V> = Result<Arc<V>, Arc<str>>;

/// How an answer was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It was known.
    Kept,
    /// Somebody else was asking already.
    Joined,
    /// It was asked for.
    Asked,
}

/// Answers by what was asked.
pub(super) struct Answers<K, V> {
    entries: Arc<Mutex<Entries<K, V>>>,
    keep: Duration,
    clock: Clock,
}

type Entries<K, V> = Vec<(K, Entry<V>)>;

enum Entry<V> {
    Asking(Shared<BoxFuture<'static, Answer<V>>>),
    Known {
        answer: Answer<V>,
        came: Duration,
        until: Duration,
        was_heard: bool,
    },
}

/// Callers give up sooner than a slow registry answers, and come back later than an answer is kept.
/// So that they hear it at all, one that nobody has heard is kept for as long as this at most: longer
/// than the controller waits between two questions.
const KEEP_UNHEARD: Duration = Duration::from_secs(15 * 60);

/// A failure is kept for as long as this at most: long enough that a registry in trouble is not
/// asked once for each caller, and no longer.
const KEEP_FAILURE: Duration = Duration::from_secs(1);

impl<K, V> Answers<K, V>
where
    K: Clone + PartialEq + Send + 'static,
    V: Send + Sync + 'static,
{
    /// Nothing is known yet. An answer is kept for `keep` from when it came, and longer until it is
    /// [heard](Self::heard).
    pub(super) fn new(keep: Duration, clock: Clock) -> Self {
        Self {
            entries: Arc::default(),
            keep,
            clock,
        }
    }

    /// The answer to a question: the one that is kept, or what `ask` says, which is called by the
    /// first caller alone. It goes on when that caller goes away.
    pub(super) async fn get(
        &self,
        question: &K,
        ask: impl FnOnce(K) -> BoxFuture<'static, Result<V, String>>,
    ) -> (Answer<V>, How) {
        let (asking, how) = {
            let mut entries = lock(&self.entries);
            let now = (self.clock)();
            // Questions come from configs, which come and go.
            entries.retain(|(_, entry)| match entry {
                Entry::Asking(_) => true,
                Entry::Known {
                    came,
                    was_heard: false,
                    ..
                } if now < came.saturating_add(KEEP_UNHEARD) => true,
                Entry::Known { until, .. } => now < *until,
            });
            let known = entries.iter().find(|(asked, _)| asked == question);
            match known {
                Some((_, Entry::Known { answer, .. })) => return (answer.clone(), How::Kept),
                Some((_, Entry::Asking(asking))) => (asking.clone(), How::Joined),
                None => {
                    let asking = self.start(question, ask(question.clone()));
                    entries.push((question.clone(), Entry::Asking(asking.clone())));
                    (asking, How::Asked)
                }
            }
        };
        (asking.await, how)
    }

    /// Notes that a caller was there for the answer to a question, and did with it what it wanted.
    pub(super) fn heard(&self, question: &K) {
        let mut entries = lock(&self.entries);
        let found = entries.iter_mut().find(|(asked, _)| asked == question);
        if let Some((_, Entry::Known { was_heard, .. })) = found {
            *was_heard = true;
        }
    }

    fn start(
        &self,
        question: &K,
        asking: BoxFuture<'static, Result<V, String>>,
    ) -> Shared<BoxFuture<'static, Answer<V>>> {
        let (entries, clock, keep) = (self.entries.clone(), self.clock.clone(), self.keep);
        let question = question.clone();
        let task = tokio::spawn(async move {
            let answer = match AssertUnwindSafe(asking).catch_unwind().await {
                Ok(answer) => answer.map(Arc::new).map_err(Arc::from),
                Err(_) => Err(Arc::from("asking ended by an internal error")),
            };
            let keep = match &answer {
                Ok(_) => keep,
                Err(_) => keep.min(KEEP_FAILURE),
            };
            let came = clock();
            let known = Entry::Known {
                answer: answer.clone(),
                came,
                until: came.saturating_add(keep),
                was_heard: false,
            };
            let mut entries = lock(&entries);
            if let Some((_, entry)) = entries.iter_mut().find(|(asked, _)| *asked == question) {
                *entry = known;
            }
            answer
        });
        let ended = |ended: Result<Answer<V>, _>| {
            ended.unwrap_or_else(|_| Err(Arc::from("asking was given up, as the process ends")))
        };
        task.map(ended).boxed().shared()
    }
}

/// What a thread that panicked left is as good as any: entries are replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
