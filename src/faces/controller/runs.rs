//! A ModelSync's runs: all that there are, and one more.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt;
use serde_json::Value;

use super::events::publish;
use super::reconcile::{Context, Place};
use crate::adapters::kubernetes::{CallError, Cluster, Notice, Problem};
use crate::core::model_sync::{ModelSync, NewRun, Refusal, Run, Unlisted, event};

/// A ModelSync and its runs as they are now; `None` when it is gone.
pub(super) async fn observe(
    context: &Context,
    place: &Place,
) -> Result<Option<(ModelSync, Result<Vec<Run>, Unlisted>)>, CallError> {
    let (namespace, name) = place;
    let Some(model_sync) = context.cluster.model_sync(namespace, name).await? else {
        context.forget_place(place);
        return Ok(None);
    };
    let runs = match observe_runs(&context.cluster, namespace, &model_sync).await {
        Ok(Some(runs)) => Ok(runs),
        Ok(None) => Err(Unlisted::NoSuchKind),
        Err(error) => {
            tracing::warn!(namespace, name, %error, "it is not known which runs there are");
            Err(Unlisted::Failed(error.to_string()))
        }
    };
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

pub(super) fn api_version(model_sync: &ModelSync) -> &str {
    let template = &model_sync.spec.pipeline_run_template;
    template.api_version.as_deref().unwrap_or("tekton.dev/v1")
}

/// What came of creating a run.
pub(super) enum Created {
    /// There is a run of this name: the new one, or one that was there already.
    Run(Box<Run>),
    /// There is none, and why.
    Refused(Refusal),
}

pub(super) async fn create(
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
            // It may have been created all the same. What is decided next is decided on what is there.
            Problem::Conflict(_) | Problem::Unreadable(_) | Problem::Unavailable(_) => {
                return refused(error.to_string(), false);
            }
        },
    };
    context.metrics().created();
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
