//! One look at one ModelSync: observe, decide, act. What to do is decided in `core::model_sync`.
//!
//! # Guarantees
//! It can be cut off after any call and begun again: nothing is remembered between two looks that
//! is not in the cluster, but when to ask the lambda next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use serde_json::Value;
use tokio::sync::watch;

use super::metrics::Metrics;
use super::{jittered, now};
use crate::adapters::kubernetes::{CallError, Cluster, Notice, Problem};
use crate::adapters::needs_sync::NeedsSyncClient;
use crate::core::model_sync::{
    Decision, Memory, ModelSync, NewRun, Observed, Reason, Refusal, Run, Step, decide, doubled,
    event, merge_patch,
};
use crate::core::needs_sync::NeedsSync;

/// After something that may pass, in a row: the first wait, and the longest.
const AFTER_ERROR: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A ModelSync, its namespace and name.
type Place = (String, String);

/// What reconciling needs.
pub(super) struct Context {
    cluster: Cluster,
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

    fn forget_place(&self, place: &Place) {
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
            Step::Create(run) => match create(context, &model_sync, run).await? {
                Created::Run(run) => {
                    runs.get_or_insert_default().push(*run);
                    // Should another have created it, and it have ended, the answer is from before.
                    answer = None;
                }
                Created::Refused(why) => refusal = Some(why),
            },
            Step::Wait => {
                finish(context, place, &model_sync, runs.as_deref(), &decision).await?;
                return Ok(match decision.next {
                    Some(next) => Action::requeue(jittered(next)),
                    None => Action::await_change(),
                });
            }
        }
    }
}

/// A ModelSync and its runs as they are now; `None` when it is gone.
async fn observe(
    context: &Context,
    place: &Place,
) -> Result<Option<(ModelSync, Option<Vec<Run>>)>, CallError> {
    let (namespace, name) = place;
    let Some(model_sync) = context.cluster.model_sync(namespace, name).await? else {
        context.forget_place(place);
        return Ok(None);
    };
    let runs = observe_runs(&context.cluster, namespace, &model_sync).await?;
    Ok(Some((model_sync, runs)))
}

/// All runs of a ModelSync; `None` when the cluster does not know PipelineRuns.
async fn observe_runs(
    cluster: &Cluster,
    namespace: &str,
    model_sync: &ModelSync,
) -> Result<Option<Vec<Run>>, CallError> {
    let uid = model_sync.uid().unwrap_or_default();
    let version = api_version(model_sync);
    let Some(objects) = cluster.runs(version, namespace, &uid).await? else {
        return Ok(None);
    };
    let owned = |object: &Value| Run::owned(object, &uid);
    let mut runs: Vec<Run> = objects.iter().filter_map(owned).collect();
    // A run that was active and is not listed: it is gone, or has lost its label, or was started by
    // the first version of the controller, which set none.
    let before = model_sync.status.iter().flat_map(|status| &status.active);
    for name in before.filter_map(|reference| reference.name.as_deref()) {
        if runs.iter().all(|run| run.key.name != name)
            && let Some(object) = cluster.run(version, namespace, name).await?
        {
            runs.extend(owned(&object));
        }
    }
    Ok(Some(runs))
}

fn api_version(model_sync: &ModelSync) -> &str {
    let template = &model_sync.spec.pipeline_run_template;
    template.api_version.as_deref().unwrap_or("tekton.dev/v1")
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

/// What came of creating a run.
enum Created {
    /// There is a run of this name: the new one, or one that was there already.
    Run(Box<Run>),
    /// There is none, and why.
    Refused(Refusal),
}

async fn create(
    context: &Context,
    model_sync: &ModelSync,
    new: &NewRun,
) -> Result<Created, CallError> {
    let namespace = model_sync.namespace().unwrap_or_default();
    let uid = model_sync.uid().unwrap_or_default();
    let cluster = &context.cluster;
    let refused = |message: String, is_for_good| {
        Ok(Created::Refused(Refusal {
            message,
            is_for_good,
        }))
    };
    let object = match cluster.create_run(&namespace, new).await {
        Ok(object) => object,
        Err(error) => match &error.problem {
            // Another process, or this one before it was cut off, has seen the same and was first.
            Problem::AlreadyExists => {
                let found = cluster.run(&new.api_version, &namespace, &new.name).await?;
                return match found.as_ref().map(|object| Run::owned(object, &uid)) {
                    Some(Some(run)) => {
                        tracing::info!(
                            namespace,
                            name = model_sync.name_any(),
                            run = new.name,
                            "the PipelineRun is there already"
                        );
                        Ok(Created::Run(Box::new(run)))
                    }
                    Some(None) => refused(
                        format!(
                            "the PipelineRun {} is there and does not belong to this ModelSync; \
                             delete it",
                            new.name
                        ),
                        true,
                    ),
                    // Deleted between the two calls: the next look decides anew.
                    None => Err(error),
                };
            }
            Problem::Refused(_) | Problem::NotFound => return refused(error.to_string(), true),
            Problem::Conflict(_) | Problem::Unreadable(_) => {
                return refused(error.to_string(), false);
            }
            // Whether it was created is not known. What is decided next is decided on what is there.
            Problem::Unavailable(_) => {
                let notice = Notice {
                    reason: event::CREATE_RUN_ERROR,
                    action: "CreatePipelineRun",
                    note: error.to_string(),
                    is_warning: true,
                    run: None,
                };
                publish(context, model_sync, &notice).await;
                return Err(error);
            }
        },
    };
    context.metrics.created();
    let parameters: Vec<String> = new
        .parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let with = match parameters.as_slice() {
        [] => String::new(),
        parameters => format!(" with {}", parameters.join(", ")),
    };
    tracing::info!(
        namespace,
        name = model_sync.name_any(),
        run = new.name,
        number = new.number,
        parameters = parameters.join(","),
        "created a PipelineRun"
    );
    let notice = Notice {
        reason: event::CREATE_RUN,
        action: "CreatePipelineRun",
        note: format!("created the PipelineRun {}{with}", new.name),
        is_warning: false,
        run: Some(reference(&object)),
    };
    publish(context, model_sync, &notice).await;
    match Run::owned(&object, &uid) {
        Some(run) => Ok(Created::Run(Box::new(run))),
        None => refused(
            format!(
                "the PipelineRun {} was created, but the API server has dropped its owner; look \
                 for a webhook that changes ownerReferences",
                new.name
            ),
            true,
        ),
    }
}

/// Writes down what was decided: deletes what is too much, the status, events, and what to remember.
async fn finish(
    context: &Context,
    place: &Place,
    model_sync: &ModelSync,
    runs: Option<&[Run]>,
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
        known.memory.clone_from(&decision.memory);
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
    // Last: a run that cannot be deleted must not keep the rest from being written.
    for key in &decision.delete {
        let run = runs.into_iter().flatten().find(|run| run.key == *key);
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

async fn warn(
    context: &Context,
    model_sync: &ModelSync,
    reason: &'static str,
    action: &'static str,
    note: &str,
) {
    let notice = Notice {
        reason,
        action,
        note: note.to_owned(),
        is_warning: true,
        run: None,
    };
    publish(context, model_sync, &notice).await;
}

/// Events are for people; nothing depends on them.
async fn publish(context: &Context, model_sync: &ModelSync, notice: &Notice) {
    if notice.is_warning {
        tracing::warn!(
            namespace = model_sync.namespace(),
            name = model_sync.name_any(),
            reason = notice.reason,
            "{}",
            notice.note
        );
    }
    if let Err(error) = context.cluster.publish(model_sync, notice).await {
        tracing::warn!(%error, "an event is lost");
    }
}

fn reference(run: &Value) -> ObjectReference {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    ObjectReference {
        api_version: text(&run["apiVersion"]),
        kind: text(&run["kind"]),
        name: text(&run["metadata"]["name"]),
        namespace: text(&run["metadata"]["namespace"]),
        uid: text(&run["metadata"]["uid"]),
        ..ObjectReference::default()
    }
}
