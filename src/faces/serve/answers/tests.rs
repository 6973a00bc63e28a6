use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

/// A registry that counts how often it is asked, and answers when it is let.
struct Counting {
    asked: AtomicUsize,
    let_go: Semaphore,
}

impl Counting {
    fn new(answers: usize) -> Arc<Self> {
        Arc::new(Self {
            asked: AtomicUsize::new(0),
            let_go: Semaphore::new(answers),
        })
    }

    fn ask(self: &Arc<Self>, fail: bool) -> BoxFuture<'static, Result<usize, String>> {
        let this = self.clone();
        async move {
            let number = this.asked.fetch_add(1, Ordering::SeqCst) + 1;
            this.let_go.acquire().await.unwrap().forget();
            if fail {
                Err(format!("refused {number}"))
            } else {
                Ok(number)
            }
        }
        .boxed()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answers(keep: u64) -> (Arc<Answers<&'static str, usize>>, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(0));
    let seconds = time.clone();
    let clock: Clock = Arc::new(move || Duration::from_secs(seconds.load(Ordering::SeqCst)));
    (
        Arc::new(Answers::new(Duration::from_secs(keep), clock)),
        time,
    )
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .build()
        .unwrap()
        .block_on(test);
}

#[test]
fn a_thousand_callers_ask_once() {
    run(async {
        let (answers, _) = answers(30);
        let registry = Counting::new(0);
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let (answers, registry) = (answers.clone(), registry.clone());
                tokio::spawn(async move { answers.get(&"q", |_| registry.ask(false)).await })
            })
            .collect();
        // Those that come later find the answer; either way it is asked for once.
        registry.let_go.add_permits(1000);
        let mut asked = 0;
        for caller in callers {
            let (answer, how) = caller.await.unwrap();
            assert_eq!(answer, Ok(Arc::new(1)));
            asked += usize::from(how == How::Asked);
        }
        assert_eq!((asked, registry.asked()), (1, 1));
    });
}

#[test]
fn an_answer_is_kept_for_the_set_time() {
    run(async {
        let (answers, time) = answers(30);
        let registry = Counting::new(10);
        for (now, wanted, how) in [
            (0, 1, How::Asked),
            (29, 1, How::Kept),
            (30, 2, How::Asked),
            (59, 2, How::Kept),
        ] {
            time.store(now, Ordering::SeqCst);
            let got = answers.get(&"q", |_| registry.ask(false)).await;
            answers.heard(&"q");
            assert_eq!(got, (Ok(Arc::new(wanted)), how), "{now}");
        }
        let (other, _) = answers.get(&"other", |_| registry.ask(false)).await;
        assert_eq!(other, Ok(Arc::new(3)));
    });
}

#[test]
fn a_failure_is_shared_and_soon_forgotten() {
    run(async {
        let (answers, time) = answers(30);
        let registry = Counting::new(0);
        let first = tokio::spawn({
            let (answers, registry) = (answers.clone(), registry.clone());
            async move { answers.get(&"q", |_| registry.ask(true)).await }
        });
        while registry.asked() == 0 {
            tokio::task::yield_now().await;
        }
        let mut second = Box::pin(answers.get(&"q", |_| registry.ask(true)));
        // Asks before there is an answer.
        assert_eq!((&mut second).now_or_never(), None);
        registry.let_go.add_permits(1);
        assert_eq!(second.await, (Err("refused 1".into()), How::Joined));
        assert_eq!(first.await.unwrap(), (Err("refused 1".into()), How::Asked));
        answers.heard(&"q");
        registry.let_go.add_permits(1);
        time.store(1, Ordering::SeqCst);
        let (again, how) = answers.get(&"q", |_| registry.ask(false)).await;
        assert_eq!((again, how), (Ok(Arc::new(2)), How::Asked));
    });
}

#[test]
fn a_caller_that_goes_away_takes_nothing_along() {
    run(async {
        let (answers, _) = answers(30);
        let registry = Counting::new(0);
        let gone = tokio::spawn({
            let (answers, registry) = (answers.clone(), registry.clone());
            async move { answers.get(&"q", |_| registry.ask(false)).await }
        });
        while registry.asked() == 0 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        registry.let_go.add_permits(1);
        let (answer, how) = answers.get(&"q", |_| registry.ask(false)).await;
        assert_eq!((answer, how == How::Asked), (Ok(Arc::new(1)), false));
    });
}

#[test]
fn an_internal_error_is_an_answer_too() {
    run(async {
        let (answers, time) = answers(30);
        let panicking = |_| async { panic!("for the test") }.boxed();
        let (answer, _): (Answer<usize>, How) = answers.get(&"q", panicking).await;
        answers.heard(&"q");
        assert!(answer.unwrap_err().contains("internal error"));
        time.store(1, Ordering::SeqCst);
        let registry = Counting::new(1);
        assert_eq!(
            answers.get(&"q", |_| registry.ask(false)).await.0,
            Ok(Arc::new(1))
        );
    });
}

/// The controller gives up before a slow registry answers, and comes back much later than an answer
/// is kept.
#[test]
fn an_answer_that_nobody_heard_is_kept_until_somebody_does() {
    run(async {
        for fail in [false, true] {
            let (answers, time) = answers(30);
            let registry = Counting::new(0);
            let ask = || answers.get(&"q", |_| registry.ask(fail));
            // Too slow for the first caller.
            assert_eq!(ask().now_or_never(), None);
            registry.let_go.add_permits(1);
            let is_known = || {
                let entries = lock(&answers.entries);
                matches!(entries[..], [(_, Entry::Known { .. })])
            };
            while !is_known() {
                tokio::task::yield_now().await;
            }
            let number = |answer: Answer<usize>| match answer {
                Ok(number) => number.to_string(),
                Err(message) => message.to_string(),
            };
            let first = if fail { "refused 1" } else { "1" };
            time.store(10 * 60, Ordering::SeqCst);
            let (answer, how) = ask().await;
            assert_eq!((number(answer).as_str(), how), (first, How::Kept));
            // That caller went away too, waiting for something else.
            let (answer, how) = ask().await;
            assert_eq!((number(answer).as_str(), how), (first, How::Kept));
            answers.heard(&"q");
            registry.let_go.add_permits(1);
            let (answer, how) = ask().await;
            let second = if fail { "refused 2" } else { "2" };
            assert_eq!((number(answer).as_str(), how), (second, How::Asked));
            // Not for ever.
            time.store(25 * 60, Ordering::SeqCst);
            registry.let_go.add_permits(1);
            assert_eq!(ask().await.1, How::Asked);
            assert_eq!(registry.asked(), 3);
        }
    });
}
