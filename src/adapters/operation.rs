//! Waiting for what a registry does in its own time.

use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;

use super::sources::{Progress, Source};
use crate::core::policy::duration;

/// The first and the longest wait between two questions.
pub(crate) const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// Waits until an operation has ended well, and tells `report` how far it is and since when. Each wait
/// between two questions is twice the one before, from the first to the longest.
///
/// # Errors
/// It failed, cannot be asked for, or has not ended after `limit`; then it goes on.
pub(crate) async fn wait(
    source: &dyn Source,
    operation: &str,
    limit: Duration,
    (mut pause, longest): (Duration, Duration),
    report: &mut dyn FnMut(Option<u8>, Duration),
) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        match source.operation(operation).await? {
            Progress::Done => return Ok(()),
            Progress::Running(percent) => report(percent, start.elapsed()),
        }
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            bail!(
                "operation {operation} has not ended after {}, and goes on; wait longer with \
                 --timeout, or look at the registry",
                duration::format(limit)
            );
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(longest);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU8, Ordering};

    use futures::future::BoxFuture;

    use super::*;
    use crate::core::model::Listing;

    /// A registry whose only operation ends after so many questions.
    struct Slow {
        asked: AtomicU8,
        ends_at: u8,
    }

    impl Source for Slow {
        fn list(&self) -> BoxFuture<'_, anyhow::Result<Listing>> {
            unreachable!("nobody lists")
        }

        fn training(&self) -> BoxFuture<'_, anyhow::Result<Vec<String>>> {
            unreachable!("nobody trains")
        }

        fn label<'a>(
            &'a self,
            _: &'a str,
            _: &'a BTreeMap<String, Option<String>>,
        ) -> BoxFuture<'a, anyhow::Result<()>> {
            unreachable!("nobody labels")
        }

        fn deploy<'a>(&'a self, _: &'a str) -> BoxFuture<'a, anyhow::Result<Option<String>>> {
            unreachable!("nobody deploys")
        }

        fn operation<'a>(&'a self, name: &'a str) -> BoxFuture<'a, anyhow::Result<Progress>> {
            Box::pin(async move {
                let asked = self.asked.fetch_add(1, Ordering::Relaxed);
                match name {
                    "bad" => bail!("out of quota"),
                    _ if asked == self.ends_at => Ok(Progress::Done),
                    _ => Ok(Progress::Running(Some(asked * 10))),
                }
            })
        }
    }

    fn run(name: &str, ends_at: u8, limit: u64) -> (Result<(), String>, Vec<Option<u8>>) {
        let source = Slow {
            asked: AtomicU8::new(0),
            ends_at,
        };
        let mut seen = Vec::new();
        let mut report = |percent, _| seen.push(percent);
        let (limit, waits) = (Duration::from_secs(limit), (Duration::ZERO, Duration::ZERO));
        let result = wait(&source, name, limit, waits, &mut report);
        let result = super::super::runtime::block_on(result).unwrap();
        (result.map_err(|error| error.to_string()), seen)
    }

    #[test]
    fn waits_until_the_end() {
        let (result, seen) = run("x", 3, 600);
        assert_eq!((result, seen), (Ok(()), vec![Some(0), Some(10), Some(20)]));
    }

    #[test]
    fn gives_up_in_time_and_tells_failures() {
        let (result, seen) = run("x", 200, 0);
        let error = result.unwrap_err();
        assert!(
            error.starts_with("operation x has not ended after 0s, and goes on"),
            "{error}"
        );
        assert_eq!(seen, [Some(0)]);
        assert_eq!(run("bad", 9, 10).0.unwrap_err(), "out of quota");
    }
}
