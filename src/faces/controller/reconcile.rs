//! One look at one ModelSync: observe, decide, act. What to do is decided in `core::model_sync`.
//!
//! # Guarantees
//! It can be cut off after any call and begun again: nothing is remembered between two looks that
//! is not in the cluster, but when to ask the lambda next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::ResourceExt;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::watch;

use super::events::warn;
use super::metrics::Metrics;
use super::runs::{Created, api_version, create, observe};
use super::{jittered, now};
use crate::adapters::kubernetes::{CallError, Cluster};
use crate::adapters::needs_sync::NeedsSyncClient;
use crate::core::model_sync::{
    Decision, Memory, ModelSync, Observed, Reason, Refusal, Run, Step, decide, doubled, event,
    merge_patch,
};
use crate::core::needs_sync::NeedsSync;

/// After something that may pass, in a row: the first wait, and the longest.
const AFTER_ERROR: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A ModelSync, its namespace and name.
pub(super) type Place = (String, String);

/// What reconciling needs.
pub(super) struct Context {
    pub(super) cluster: Cluster,
    lambdas: NeedsSyncClient,
    metrics: Metrics,
    known: Mutex<HashMap<Place, Known>>,
    /// How many looks are under way.
    looks: watch::Sender<usize>,
}

/// A look that is under way, until it is dropped.
struct UnderWay(watch::Sender<usize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|looks| *looks -= 1);
    }
}

/// What is known of a ModelSync between two looks.
#[derive(Clone, Debug, Default)]
struct Known {
    uid: Option<String>,
    memory: Option<Memory>,
    /// How often in a row a look was cut short.
    errors: u32,
    reason: Option<Reason>,
}

impl Context {
    pub(super) fn new(cluster: Cluster, lambdas: NeedsSyncClient, metrics: Metrics) -> Self {
        Self {
            cluster,
            lambdas,
            metrics,
            known: Mutex::default(),
            looks: watch::Sender::new(0),
        }
    }

    /// Waits until no look is under way.
    pub(super) async fn idle(&self) {
        let mut looks = self.looks.subscribe();
        // It ends only with the context.
        let _ = looks.wait_for(|looks| *looks == 0).await;
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Forgets a ModelSync that is gone.
    pub(super) fn forget(&self, object: &ObjectRef<DynamicObject>) {
        let namespace = object.namespace.clone().unwrap_or_default();
        self.forget_place(&(namespace, object.name.clone()));
    }

    /// What is remembered of this very ModelSync.
    fn memory(&self, place: &Place, model_sync: &ModelSync) -> Option<Memory> {
        let mut known = self.known();
        let known = known.entry(place.clone()).or_default();
        if known.uid != model_sync.uid() {
            // Another of the same name.
            known.uid = model_sync.uid();
            known.memory = None;
        }
        known.memory.clone()
    }

    pub(super) fn forget_place(&self, place: &Place) {
        if let Some(Known {
            reason: Some(reason),
            ..
        }) = self.known().remove(place)
        {
            self.metrics.has_reason(Some(reason), None);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Place, Known>> {
        // A panic elsewhere leaves a map of plain values as good as it was.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at one ModelSync and does what is due.
pub(super) async fn reconcile(
    object: Arc<PartialObjectMeta<ModelSync>>,
    context: Arc<Context>,
) -> Result<Action, CallError> {
    let place = (object.namespace().unwrap_or_default(), object.name_any());
    context.looks.send_modify(|looks| *looks += 1);
    let under_way = UnderWay(context.looks.clone());
    let outcome = look(&place, &context).await;
    drop(under_way);
    context.metrics.reconciled(outcome.is_ok());
    if outcome.is_ok()
        && let Some(known) = context.known().get_mut(&place)
    {
        known.errors = 0;
    }
    outcome
}

/// When to look again after a look was cut short.
#[expect(clippy::needless_pass_by_value, reason = "kube-runtime calls it so")]
pub(super) fn after_error(
    object: Arc<PartialObjectMeta<ModelSync>>,
    error: &CallError,
    context: Arc<Context>,
) -> Action {
    let place = (object.namespace().unwrap_or_default(), object.name_any());
    let (namespace, name) = &place;
    if error.is_conflict() {
        // Somebody changed it since it was read: the next look sees how.
        tracing::debug!(namespace, name, %error, "looking again");
        return Action::requeue(jittered(Duration::from_millis(200)));
    }
    let errors = {
        let mut known = context.known();
        let known = known.entry(place.clone()).or_default();
        known.errors = known.errors.saturating_add(1);
        known.errors
    };
    let wait = doubled(AFTER_ERROR.0, AFTER_ERROR.1, errors);
    tracing::warn!(namespace, name, %error, wait = ?wait, "trying again later");
    Action::requeue(jittered(wait))
}

async fn look(place: &Place, context: &Context) -> Result<Action, CallError> {
    let Some((mut model_sync, mut runs)) = observe(context, place).await? else {
        return Ok(Action::await_change());
    };
    let memory = context.memory(place, &model_sync);
    let mut answer = None;
    let mut refusal = None;
    let mut is_fresh = true;
    let mut created: Option<String> = None;
    loop {
        let decision = decide(&Observed {
            model_sync: &model_sync,
            runs: runs.as_deref(),
            memory: memory.as_ref(),
            answer: answer.as_ref(),
            refusal: refusal.as_ref(),
            now: now(),
        });
        match &decision.step {
            Step::Ask => {
                answer = Some(ask(context, &model_sync).await);
                // That may have taken long.
                is_fresh = false;
            }
            Step::Create(_) if !is_fresh => {
                let Some(now) = observe(context, place).await? else {
                    return Ok(Action::await_change());
                };
                if now.0.metadata.generation != model_sync.metadata.generation {
                    // The answer may be another lambda's.
                    answer = None;
                }
                (model_sync, runs) = now;
                is_fresh = true;
            }
            // A run that was found under this name would have raised the number of the next.
            Step::Create(run) if created.as_ref() == Some(&run.name) => {
                refusal = Some(Refusal {
                    message: format!(
                        "the PipelineRun {} is there, but has lost the annotations that say which \
                         run it is; delete it",
                        run.name
                    ),
                    is_for_good: true,
                });
            }
            Step::Create(run) => match create(context, &model_sync, run).await? {
                Created::Run(found) => {
                    created = Some(run.name.clone());
                    if let Ok(runs) = &mut runs {
                        runs.push(*found);
                    }
                    // Should another have created it, and it have ended, the answer is from before.
                    answer = None;
                }
                Created::Refused(why) => refusal = Some(why),
            },
            Step::Wait => {
                finish(
                    context,
                    place,
                    &model_sync,
                    runs.as_deref().unwrap_or_default(),
                    &decision,
                )
                .await?;
                return Ok(match decision.next {
                    Some(next) => Action::requeue(jittered(next)),
                    None => Action::await_change(),
                });
            }
        }
    }
}

async fn ask(context: &Context, model_sync: &ModelSync) -> Result<NeedsSync, String> {
    let start = now();
    let answer = context.lambdas.ask(&model_sync.spec.needs_sync_url).await;
    let answer = answer.map_err(|error| format!("{error:#}"));
    let needs_sync = answer.as_ref().map(|answer| answer.needs_sync).ok();
    context
        .metrics
        .asked(needs_sync, now().duration_since(start));
    answer
}

/// Writes down what was decided: deletes what is too much, the status, events, and what to remember.
async fn finish(
    context: &Context,
    place: &Place,
    model_sync: &ModelSync,
    runs: &[Run],
    decision: &Decision,
) -> Result<(), CallError> {
    let (namespace, name) = place;
    let before = model_sync.status.clone().unwrap_or_default();
    let json = |value| serde_json::to_value(value).unwrap_or_default();
    let patch = merge_patch(&json(&before), &json(&decision.status));
    let message = |kind: &str| {
        let conditions = decision.status.conditions.iter();
        let mut of_kind = conditions.filter(|condition| condition.type_ == kind);
        of_kind.next().map(|condition| condition.message.as_str())
    };
    {
        let mut known = context.known();
        let known = known.entry(place.clone()).or_default();
        if decision.reason.is_some() && known.reason != decision.reason {
            context.metrics.has_reason(known.reason, decision.reason);
            known.reason = decision.reason;
            let reason = decision.reason.map(Reason::name);
            tracing::info!(
                namespace,
                name,
                reason,
                message = message("Ready"),
                "decided"
            );
        }
    }
    let said = message("Ready").unwrap_or_default();
    if let Some(Reason::NeedsSyncError) = decision.reason {
        warn(
            context,
            model_sync,
            event::NEEDS_SYNC_ERROR,
            "AskNeedsSync",
            said,
        )
        .await;
    }
    if let Some(Reason::CreateRunError | Reason::InvalidTemplate | Reason::TektonMissing) =
        decision.reason
    {
        warn(
            context,
            model_sync,
            event::CREATE_RUN_ERROR,
            "CreatePipelineRun",
            said,
        )
        .await;
    }
    if let Some(outdated) = message("TemplateOutdated") {
        let is_new = before.conditions.iter().all(|condition| {
            condition.type_ != "TemplateOutdated" || condition.message != outdated
        });
        if is_new {
            warn(
                context,
                model_sync,
                event::TEMPLATE_OUTDATED,
                "ReadTemplate",
                outdated,
            )
            .await;
        }
    }
    if let Some(patch) = patch {
        match context.cluster.patch_status(model_sync, patch).await {
            // Deleted meanwhile.
            Err(error) if error.is_not_found() => {}
            written => written?,
        }
    }
    // Not before the status is written: what is not due is not asked again, and what was answered
    // would be lost.
    let remembered = decision.memory.clone();
    context.known().entry(place.clone()).or_default().memory = remembered;
    // Last: a run that cannot be deleted must not keep the rest from being written.
    for key in &decision.delete {
        let run = runs.iter().find(|run| run.key == *key);
        let version = run.map_or_else(|| api_version(model_sync), |run| run.api_version.as_str());
        context.cluster.delete_run(version, namespace, key).await?;
        context.metrics.deleted();
        tracing::info!(
            namespace,
            name,
            run = key.name,
            "deleted a PipelineRun beyond the history limit"
        );
    }
    Ok(())
}
