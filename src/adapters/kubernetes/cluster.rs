//! ModelSyncs, PipelineRuns and events: one call each.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::api::{PostParams, Preconditions};
use kube::core::gvk::GroupVersionKind;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::{Value, json};

use super::error::{CallError, Problem};
use crate::core::model_sync::{ModelSync, NewRun, RunKey, UID_LABEL};

/// For one call.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// The API allows an event's note 1,024 bytes.
const LONGEST_NOTE: usize = 1000;

/// The cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
    recorder: Recorder,
}

/// An event to publish.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// Its reason.
    pub(crate) reason: &'static str,
    /// What is being done when it happens.
    pub(crate) action: &'static str,
    /// In words.
    pub(crate) note: String,
    /// Whether somebody should look at it.
    pub(crate) is_warning: bool,
    /// The PipelineRun that it is about, too.
    pub(crate) run: Option<ObjectReference>,
}

impl Cluster {
    /// Takes a client; `instance` names this process in events.
    pub(crate) fn new(client: Client, instance: &str) -> Self {
        let reporter = Reporter {
            controller: "modelsync".to_owned(),
            instance: Some(instance.to_owned()),
        };
        Self {
            recorder: Recorder::new(client.clone(), reporter),
            client,
        }
    }

    /// Reads a ModelSync; `None` when it is not there.
    ///
    /// # Errors
    /// It cannot be read, or is not what the schema of this version allows.
    pub(crate) async fn model_sync(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<ModelSync>, CallError> {
        let doing = format!("read the ModelSync {namespace}/{name}");
        let api: Api<ModelSync> = Api::namespaced(self.client.clone(), namespace);
        call(doing, api.get_opt(name)).await
    }

    /// Lists the runs that have a ModelSync's uid in their label; `None` when the cluster does not
    /// know PipelineRuns of this version.
    ///
    /// # Errors
    /// They cannot be listed.
    pub(crate) async fn runs(
        &self,
        api_version: &str,
        namespace: &str,
        uid: &str,
    ) -> Result<Option<Vec<Value>>, CallError> {
        let doing = format!("list the PipelineRuns of {api_version} in {namespace}");
        let selected = ListParams::default().labels(&format!("{UID_LABEL}={uid}"));
        let api = self.runs_api(api_version, namespace);
        match call(doing, api.list(&selected)).await {
            Ok(list) => {
                let objects = list.items.into_iter();
                Ok(Some(
                    objects.map(|object| value(&object, api_version)).collect(),
                ))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads one PipelineRun; `None` when it is not there.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn run(
        &self,
        api_version: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, CallError> {
        let doing = format!("read the PipelineRun {namespace}/{name}");
        let api = self.runs_api(api_version, namespace);
        let object = call(doing, api.get_opt(name)).await?;
        Ok(object.map(|object| value(&object, api_version)))
    }

    /// Creates a PipelineRun, and gives it back as it is in the cluster.
    ///
    /// # Errors
    /// It was not created, or that is not known.
    pub(crate) async fn create_run(
        &self,
        namespace: &str,
        run: &NewRun,
    ) -> Result<Value, CallError> {
        let doing = format!("create the PipelineRun {namespace}/{}", run.name);
        let object: DynamicObject =
            serde_json::from_value(run.object.clone()).map_err(|error| CallError {
                doing: doing.clone(),
                problem: Problem::Refused(error.to_string()),
            })?;
        let api = self.runs_api(&run.api_version, namespace);
        let created = call(doing, api.create(&PostParams::default(), &object)).await?;
        Ok(value(&created, &run.api_version))
    }

    /// Deletes a PipelineRun, this very one; that it is gone already is as good.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub(crate) async fn delete_run(
        &self,
        api_version: &str,
        namespace: &str,
        run: &RunKey,
    ) -> Result<(), CallError> {
        let doing = format!("delete the PipelineRun {namespace}/{}", run.name);
        let parameters = DeleteParams::background().preconditions(Preconditions {
            uid: Some(run.uid.clone()),
            resource_version: None,
        });
        let api = self.runs_api(api_version, namespace);
        match call(doing, api.delete(&run.name, &parameters)).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Changes a ModelSync's status by a merge patch, if nobody has changed the ModelSync since.
    ///
    /// # Errors
    /// It was changed, is gone, or cannot be written.
    pub(crate) async fn patch_status(
        &self,
        model_sync: &ModelSync,
        patch: Value,
    ) -> Result<(), CallError> {
        let namespace = model_sync.namespace().unwrap_or_default();
        let name = model_sync.name_any();
        let doing = format!("write the status of the ModelSync {namespace}/{name}");
        let api: Api<DynamicObject> = Api::namespaced_with(
            self.client.clone(),
            &namespace,
            &ApiResource::erase::<ModelSync>(&()),
        );
        let patch = json!({
            "metadata": {"resourceVersion": model_sync.resource_version()},
            "status": patch,
        });
        let patch = Patch::Merge(patch);
        let parameters = PatchParams::default();
        let written = call(doing, api.patch_status(&name, &parameters, &patch)).await;
        written.map(|_| ())
    }

    /// Publishes an event about a ModelSync; the same again within minutes is counted, not repeated.
    ///
    /// # Errors
    /// It cannot be published.
    pub(crate) async fn publish(
        &self,
        model_sync: &ModelSync,
        notice: &Notice,
    ) -> Result<(), CallError> {
        let doing = format!("publish the event {}", notice.reason);
        let note = match notice
            .note
            .char_indices()
            .find(|(end, _)| *end >= LONGEST_NOTE)
        {
            Some((end, _)) => format!("{}…", &notice.note[..end]),
            None => notice.note.clone(),
        };
        let event = Event {
            type_: if notice.is_warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: notice.reason.to_owned(),
            note: Some(note),
            action: notice.action.to_owned(),
            secondary: notice.run.clone(),
        };
        // Without the version: the same event about a later version is still the same.
        let regarding = ObjectReference {
            resource_version: None,
            ..model_sync.object_ref(&())
        };
        call(doing, self.recorder.publish(&event, &regarding)).await
    }

    fn runs_api(&self, api_version: &str, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &pipeline_runs(api_version))
    }
}

/// PipelineRuns of a version such as `tekton.dev/v1`.
pub(super) fn pipeline_runs(api_version: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = GroupVersionKind::gvk(group, version, "PipelineRun");
    ApiResource::from_gvk_with_plural(&kind, "pipelineruns")
}

/// An object as JSON; in a list it may not say its version.
fn value(object: &DynamicObject, api_version: &str) -> Value {
    let mut value = json!({"apiVersion": api_version, "kind": "PipelineRun"});
    value["metadata"] = serde_json::to_value(&object.metadata).unwrap_or_default();
    value["status"] = object.data.get("status").cloned().unwrap_or_default();
    value
}

pub(super) async fn call<T>(
    doing: String,
    call: impl Future<Output = kube::Result<T>>,
) -> Result<T, CallError> {
    match tokio::time::timeout(CALL_LIMIT, call).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(CallError::new(doing, error)),
        Err(_) => Err(CallError::timed_out(doing, CALL_LIMIT)),
    }
}
