//! What to do about a ModelSync: a function of what is seen, and of the time.
//!
//! # Guarantees
//! - Nothing is started while a run is active, or is not known not to be.
//! - The number of a new run is one more than that of any run that is seen or remembered.
//! - The same is started again only when it failed and the wait is over, when the answer was "no"
//!   in between, or when it succeeded and the answer still stands after `spec.repeatAfter`.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use super::backoff::doubled;
use super::condition::{Reason, Said, conditions};
use super::history::{beyond_limits, newest};
use super::pipeline_run::{NewRun, RunRequest};
use super::resource::{LastRun, ModelSync, ModelSyncStatus, Outcome};
use super::run::{Run, RunKey, RunState};
use super::template::Template;
use crate::core::needs_sync::NeedsSync;

/// The longest wait after the lambda or the API server did not do what was asked of it, when the
/// interval is not longer.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// The first wait after the API server did not do what may well work the next time, when the interval
/// is not shorter.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// What is seen. All of it is fresh: from the API server, not from a cache.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    /// The ModelSync.
    pub model_sync: &'a ModelSync,
    /// All its runs, or why they are not known.
    pub runs: Result<&'a [Run], &'a Unlisted>,
    /// What this process remembers of the last time; nothing after a start.
    pub memory: Option<&'a Memory>,
    /// What the lambda has answered now, or why it has not; `None` before it is asked.
    pub answer: Option<&'a Result<NeedsSync, String>>,
    /// Why the run that was to be created was not.
    pub refusal: Option<&'a Refusal>,
    /// The time.
    pub now: Timestamp,
}

/// What a process remembers of one ModelSync. Losing it means asking once more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Memory {
    /// The generation of the spec that was asked for.
    pub generation: Option<i64>,
    /// Not to be asked before.
    pub due: Timestamp,
    /// How often it has gone wrong since it last went well.
    pub failures: u32,
}

/// Why it is not known which runs there are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unlisted {
    /// The cluster does not know PipelineRuns of this version.
    NoSuchKind,
    /// The API server did not list them, in words.
    Failed(String),
}

/// Why the API server did not create a run, or did not say whether it has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// In words.
    pub message: String,
    /// Whether it will refuse the same again: the run is invalid, or not allowed.
    pub is_for_good: bool,
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ask the lambda, and decide again.
    Ask,
    /// Create this run.
    Create(Box<NewRun>),
    /// Nothing, until something changes or the time is over.
    Wait,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Finished runs to delete.
    pub delete: Vec<RunKey>,
    /// The next thing to do.
    pub step: Step,
    /// What the status should say. Before `Ask` and `Create` it is not final.
    pub status: ModelSyncStatus,
    /// Why it is ready or not; `None` when there is nothing new to say.
    pub reason: Option<Reason>,
    /// When to look again, from now on; `None` when only a change can make a difference.
    pub next: Option<Duration>,
    /// What to remember.
    pub memory: Option<Memory>,
}

/// Decides.
#[must_use]
pub fn decide(observed: &Observed<'_>) -> Decision {
    let scene = Scene::new(observed);
    let mut decision = scene.decide();
    decision.delete = scene.beyond_limits();
    decision
}

/// What is seen, looked through once.
struct Scene<'a> {
    observed: &'a Observed<'a>,
    runs: &'a [Run],
    active: Vec<&'a Run>,
    newest: Option<&'a Run>,
    /// The newest run, seen or remembered.
    last: Option<LastRun>,
    status: ModelSyncStatus,
}

impl<'a> Scene<'a> {
    fn new(observed: &'a Observed<'a>) -> Self {
        let model_sync = observed.model_sync;
        let runs = observed.runs.unwrap_or_default();
        let before = model_sync.status.clone().unwrap_or_default();
        let newest = newest(runs);
        let last = last_run(newest, before.last_run.as_ref(), observed.runs.is_ok());
        let active: Vec<&Run> = runs.iter().filter(|run| run.is_active()).collect();
        let mut status = ModelSyncStatus {
            observed_generation: model_sync.metadata.generation,
            last_run: last.clone(),
            ..before
        };
        if observed.runs.is_ok() {
            status.active = active
                .iter()
                .map(|run| reference(run, model_sync))
                .collect();
        }
        // One that is remembered to be newer, but is deleted, was still the last.
        if let Some(run) =
            newest.filter(|run| last.as_ref().is_some_and(|last| last.name == run.key.name))
        {
            status.last_parameters = run.parameters.clone();
            status.last_sync_time = run.created.map(Time);
        }
        Self {
            observed,
            runs,
            active,
            newest,
            last,
            status,
        }
    }

    fn decide(&self) -> Decision {
        let spec = &self.observed.model_sync.spec;
        let interval = spec.interval();
        if self
            .observed
            .model_sync
            .metadata
            .deletion_timestamp
            .is_some()
        {
            return self.decision(Step::Wait, None);
        }
        let template = Template::new(&spec.pipeline_run_template);
        let outdated = match &template {
            Ok(template) => template.outdated.clone(),
            Err(_) => Vec::new(),
        };
        let say = |reason, message: String| self.say(reason, message, &outdated);
        match self.observed.runs {
            Ok(_) => {}
            Err(Unlisted::NoSuchKind) => return self.tekton_is_missing(&outdated),
            Err(Unlisted::Failed(why)) => return self.unlisted(why, &outdated),
        }
        if let Some(run) = self.active.first() {
            let message = format!("PipelineRun {} is active", run.key.name);
            return say(Reason::RunActive, message).after(interval);
        }
        if spec.suspend {
            let message = "spec.suspend is set: nothing is asked and nothing is started";
            return say(Reason::Suspended, message.to_owned());
        }
        if let Some(wait) = self.not_due() {
            return self.decision(Step::Wait, None).after(wait);
        }
        let template = match template {
            Ok(template) => template,
            Err(error) => return say(Reason::InvalidTemplate, error.to_string()),
        };
        if let Some(refusal) = self.observed.refusal {
            return self.refused(refusal, &outdated);
        }
        let answer = match self.observed.answer {
            None => return self.decision(Step::Ask, None),
            Some(Err(message)) => return self.needs_sync_error(message, &outdated),
            Some(Ok(answer)) => answer,
        };
        if !answer.needs_sync {
            let message = "the answer is that nothing needs to be done".to_owned();
            let mut decision = say(Reason::InSync, message).after(interval);
            if let Some(last) = &mut decision.status.last_run {
                last.answer_changed = true;
            }
            return self.asked(decision, interval);
        }
        match RunRequest::new(template, &spec.parameters, &answer.parameters) {
            Ok(request) => self.wanted(request, &outdated),
            Err(error) => self.needs_sync_error(&error.to_string(), &outdated),
        }
    }

    /// The answer is yes, and no run is active.
    fn wanted(&self, request: RunRequest, outdated: &[String]) -> Decision {
        let spec = &self.observed.model_sync.spec;
        let interval = spec.interval();
        let same = self
            .last
            .as_ref()
            .filter(|last| last.input_hash == request.input_hash && !last.answer_changed);
        let Some(last) = same else {
            return self.create(request, 1);
        };
        match last.outcome {
            Outcome::Succeeded => {
                let left = self.left(last, spec.repeat_after());
                if left.is_zero() {
                    return self.create(request, 1);
                }
                let message = format!(
                    "PipelineRun {} succeeded; waiting for the answer to change, or to stand until \
                     {}",
                    last.name,
                    self.clock(left)
                );
                let decision = self.say(Reason::AwaitingChange, message, outdated);
                self.asked(decision.after(left.min(interval)), interval)
            }
            Outcome::Failed => {
                let failures = u32::try_from(last.attempt).unwrap_or(u32::MAX);
                let back_off = &spec.back_off;
                let wait = doubled(back_off.initial(), back_off.maximum(), failures);
                let left = self.left(last, wait);
                if left.is_zero() {
                    return self.create(request, last.attempt.saturating_add(1));
                }
                let why = match self.newest.map(|run| &run.state) {
                    Some(RunState::Failed { why, .. }) if !why.is_empty() => {
                        format!(" ({})", why.trim_end_matches('.'))
                    }
                    _ => String::new(),
                };
                let message = format!(
                    "PipelineRun {} failed{why}; attempt {} is due at {}",
                    last.name,
                    last.attempt.saturating_add(1),
                    self.clock(left)
                );
                let decision = self.say(Reason::RunFailed, message, outdated);
                self.asked(decision.after(left.min(interval)), left.min(interval))
            }
            // Deleted by hand: whoever did it does not want to wait for the next.
            Outcome::Deleted | Outcome::Running => self.create(request, 1),
        }
    }

    fn create(&self, request: RunRequest, attempt: i64) -> Decision {
        let seen = self.runs.iter().map(|run| run.number);
        let remembered = self.last.as_ref().map(|last| last.number);
        let number = seen.chain(remembered).max().unwrap_or(0).saturating_add(1);
        let run = request.run(self.observed.model_sync, number, attempt);
        self.decision(Step::Create(Box::new(run)), None)
    }

    /// How long not to ask; `None` when it is time. A run that has ended since the last look is
    /// news, and so is a spec that has changed.
    fn not_due(&self) -> Option<Duration> {
        if self.observed.answer.is_some() || self.observed.refusal.is_some() {
            return None;
        }
        let model_sync = self.observed.model_sync;
        let memory = self.observed.memory?;
        let before = model_sync.status.as_ref();
        let is_news = memory.generation != model_sync.metadata.generation
            || before.is_some_and(|status| !status.active.is_empty())
            || before.and_then(|status| status.last_run.as_ref()) != self.last.as_ref();
        let wait = until(self.observed.now, memory.due);
        (!is_news && !wait.is_zero()).then_some(wait)
    }

    fn needs_sync_error(&self, message: &str, outdated: &[String]) -> Decision {
        let decision = self.say(Reason::NeedsSyncError, message.to_owned(), outdated);
        self.failed(decision, self.observed.model_sync.spec.interval())
    }

    fn refused(&self, refusal: &Refusal, outdated: &[String]) -> Decision {
        let said = Said {
            reason: Reason::CreateRunError,
            message: refusal.message.clone(),
            is_refused_for_good: refusal.is_for_good,
        };
        let interval = self.observed.model_sync.spec.interval();
        let first = match refusal.is_for_good {
            true => interval,
            // It may pass at any time.
            false => interval.min(FIRST_WAIT),
        };
        self.failed(self.saying(&said, outdated), first)
    }

    /// It may pass at any time, and then the lambda is asked at once: until then the status says
    /// what is no longer so.
    fn unlisted(&self, why: &str, outdated: &[String]) -> Decision {
        let first = self.observed.model_sync.spec.interval().min(FIRST_WAIT);
        let decision = self.say(Reason::ListRunsError, why.to_owned(), outdated);
        let mut decision = self.failed(decision, first);
        if let Some(memory) = &mut decision.memory {
            memory.due = self.observed.now;
        }
        decision
    }

    fn tekton_is_missing(&self, outdated: &[String]) -> Decision {
        let template = &self.observed.model_sync.spec.pipeline_run_template;
        let version = template.api_version.as_deref().unwrap_or("tekton.dev/v1");
        let message = format!(
            "the cluster has no PipelineRun in {version}; install Tekton Pipelines, or name the \
             version that it serves in pipelineRunTemplate.apiVersion"
        );
        let interval = self.observed.model_sync.spec.interval();
        self.say(Reason::TektonMissing, message, outdated)
            .after(interval)
    }

    /// Waits longer with each failure in a row, beginning with `first`.
    fn failed(&self, decision: Decision, first: Duration) -> Decision {
        let interval = self.observed.model_sync.spec.interval();
        let failures = self
            .observed
            .memory
            .map_or(0, |memory| memory.failures)
            .saturating_add(1);
        let wait = doubled(first, LONGEST_WAIT.max(interval), failures);
        Decision {
            memory: self.memory(wait, failures),
            ..decision.after(wait)
        }
    }

    /// Asked, with an answer: not again before `wait`.
    fn asked(&self, decision: Decision, wait: Duration) -> Decision {
        Decision {
            memory: self.memory(wait, 0),
            ..decision
        }
    }

    fn memory(&self, wait: Duration, failures: u32) -> Option<Memory> {
        Some(Memory {
            generation: self.observed.model_sync.metadata.generation,
            due: later(self.observed.now, wait),
            failures,
        })
    }

    fn say(&self, reason: Reason, message: String, outdated: &[String]) -> Decision {
        let said = Said {
            reason,
            message,
            is_refused_for_good: false,
        };
        self.saying(&said, outdated)
    }

    fn saying(&self, said: &Said, outdated: &[String]) -> Decision {
        let mut decision = self.decision(Step::Wait, Some(said.reason));
        decision.status.conditions = conditions(
            &self.status.conditions,
            said,
            outdated,
            self.status.observed_generation,
            self.observed.now,
        );
        decision
    }

    fn decision(&self, step: Step, reason: Option<Reason>) -> Decision {
        Decision {
            delete: Vec::new(),
            step,
            status: self.status.clone(),
            reason,
            next: None,
            memory: self.observed.memory.cloned(),
        }
    }

    fn beyond_limits(&self) -> Vec<RunKey> {
        let spec = &self.observed.model_sync.spec;
        let limit = |limit: i32| usize::try_from(limit).unwrap_or(0);
        beyond_limits(
            self.runs,
            limit(spec.successful_pipeline_runs_history_limit),
            limit(spec.failed_pipeline_runs_history_limit),
        )
    }

    /// What is left of a wait that began when a run ended.
    fn left(&self, last: &LastRun, wait: Duration) -> Duration {
        match &last.completion_time {
            Some(Time(ended)) => until(self.observed.now, later(*ended, wait)),
            None => Duration::ZERO,
        }
    }

    /// The time after a wait, to the second, so that it reads the same whenever it is computed.
    fn clock(&self, wait: Duration) -> Timestamp {
        let time = later(self.observed.now, wait);
        Timestamp::from_second(time.as_second()).unwrap_or(time)
    }
}

impl Decision {
    fn after(self, wait: Duration) -> Self {
        Self {
            next: Some(wait),
            ..self
        }
    }
}

/// What is known of the newest run: from the run when it is there, else from what was remembered.
fn last_run(newest: Option<&Run>, before: Option<&LastRun>, is_listed: bool) -> Option<LastRun> {
    let Some(run) = newest.filter(|run| before.is_none_or(|last| run.number >= last.number)) else {
        let mut last = before?.clone();
        // A failure is forgotten with its run: deleting it is how a person has it tried again.
        if is_listed && last.outcome != Outcome::Succeeded {
            last.outcome = Outcome::Deleted;
        }
        return Some(last);
    };
    let (outcome, ended) = match &run.state {
        RunState::Active => (Outcome::Running, None),
        RunState::Succeeded { at } => (Outcome::Succeeded, *at),
        RunState::Failed { at, .. } => (Outcome::Failed, *at),
    };
    Some(LastRun {
        name: run.key.name.clone(),
        number: run.number,
        attempt: run.attempt,
        input_hash: run.input_hash.clone(),
        outcome,
        completion_time: ended.map(Time),
        answer_changed: before.is_some_and(|last| last.number == run.number && last.answer_changed),
    })
}

fn reference(run: &Run, owner: &ModelSync) -> ObjectReference {
    ObjectReference {
        api_version: Some(run.api_version.clone()),
        kind: Some("PipelineRun".to_owned()),
        name: Some(run.key.name.clone()),
        namespace: owner.namespace(),
        uid: Some(run.key.uid.clone()),
        ..ObjectReference::default()
    }
}

fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

fn later(time: Timestamp, wait: Duration) -> Timestamp {
    time.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
