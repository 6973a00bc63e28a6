//! The objects of the test API server and their history, with the rules that controllers rely on:
//! uid, resourceVersion, generation, conflicts, the status subresource, garbage collection by owner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schema;

/// `group/version/plural`, such as `tekton.dev/v1/pipelineruns`; all versions of a group share their
/// objects.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
}

impl Kind {
    pub(crate) fn new(group: &str, version: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: plural.to_owned(),
        }
    }

    fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    fn storage(&self, namespace: &str, name: &str) -> Key {
        Key {
            kind: format!("{}.{}", self.plural, self.group),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    kind: String,
    namespace: String,
    name: String,
}

/// One change, as a watch tells it.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) resource_version: u64,
    pub(crate) what: &'static str,
    kind: String,
    pub(crate) object: Value,
}

/// What the API server answers when it refuses: the code, and a Status.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) u16, pub(crate) Value);

pub(crate) fn refuse(code: u16, reason: &str, message: &str) -> Refusal {
    Refusal(
        code,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code}),
    )
}

type Answer = Result<Value, Refusal>;

/// Everything that is stored.
#[derive(Default)]
pub(crate) struct Store {
    objects: BTreeMap<Key, Value>,
    resource_version: u64,
    uids: u64,
    pub(crate) changes: Vec<Change>,
    /// Changes up to here are no longer told: a watch from before gets 410.
    pub(crate) compacted: u64,
    /// Names of the PipelineRuns that were ever created, in order.
    pub(crate) created_runs: Vec<String>,
    /// What must never be: two active runs of one owner at once.
    pub(crate) violations: Vec<String>,
    /// Whether the cluster knows Tekton.
    pub(crate) lacks_tekton: bool,
}

impl Store {
    pub(crate) fn resource_version(&self) -> u64 {
        self.resource_version
    }

    pub(crate) fn knows(&self, kind: &Kind) -> Result<(), Refusal> {
        let served = match kind.group.as_str() {
            "automl.cloudai.kubeflow.org" => kind.version == "v1alpha1",
            "tekton.dev" => !self.lacks_tekton,
            "events.k8s.io" | "coordination.k8s.io" => kind.version == "v1",
            _ => false,
        };
        match served {
            true => Ok(()),
            // In these words for a kind that is not there.
            false => Err(refuse(
                404,
                "NotFound",
                "the server could not find the requested resource",
            )),
        }
    }

    pub(crate) fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Answer {
        let object = self.objects.get(&kind.storage(namespace, name));
        object.map(|object| kind.shown(object)).ok_or_else(|| {
            let plural = &kind.plural;
            refuse(404, "NotFound", &format!("{plural} \"{name}\" not found"))
        })
    }

    pub(crate) fn list(&self, kind: &Kind, namespace: Option<&str>, selector: &str) -> Vec<Value> {
        let stored = kind.storage("", "").kind;
        self.objects
            .iter()
            .filter(|(key, object)| {
                key.kind == stored
                    && namespace.is_none_or(|namespace| key.namespace == namespace)
                    && matches(object, selector)
            })
            .map(|(_, object)| kind.shown(object))
            .collect()
    }

    pub(crate) fn create(&mut self, kind: &Kind, namespace: &str, mut object: Value) -> Answer {
        let name = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let key = kind.storage(namespace, &name);
        if self.objects.contains_key(&key) {
            let message = format!("{} \"{name}\" already exists", kind.plural);
            return Err(refuse(409, "AlreadyExists", &message));
        }
        self.admit(kind, &mut object)?;
        self.uids += 1;
        object["metadata"]["uid"] = json!(format!("00000000-0000-4000-8000-{:012}", self.uids));
        object["metadata"]["namespace"] = json!(namespace);
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = json!(now());
        if kind.has_status()
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        if kind.plural == "pipelineruns" {
            self.count_active(&object, &name);
        }
        let stored = self.put("ADDED", key, object);
        self.collect_garbage();
        Ok(kind.shown(&stored))
    }

    /// PUT, with the status only or without it.
    pub(crate) fn replace(
        &mut self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        is_status: bool,
        new: Value,
    ) -> Answer {
        let key = kind.storage(namespace, name);
        let old = self.get(kind, namespace, name)?;
        let wanted = &new["metadata"]["resourceVersion"];
        if !wanted.is_null() && *wanted != old["metadata"]["resourceVersion"] {
            let message = format!(
                "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; \
                 please apply your changes to the latest version and try again",
                kind.plural
            );
            return Err(refuse(409, "Conflict", &message));
        }
        let mut merged = old.clone();
        if is_status {
            merged["status"] = new["status"].clone();
        } else {
            let status = old.get("status").cloned();
            merged = new;
            for field in [
                "uid",
                "creationTimestamp",
                "generation",
                "namespace",
                "deletionTimestamp",
            ] {
                merged["metadata"][field] = old["metadata"][field].clone();
            }
            if kind.has_status() {
                merged["status"] = status.unwrap_or_default();
            }
        }
        self.admit(kind, &mut merged)?;
        drop_nulls(&mut merged);
        let mut before = old.clone();
        drop_nulls(&mut before);
        if merged["spec"] != before["spec"] {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(0);
            merged["metadata"]["generation"] = json!(generation + 1);
        }
        merged["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
        if merged == before {
            // A write that changes nothing makes no new version.
            return Ok(kind.shown(&merged));
        }
        let stored = self.put("MODIFIED", key, merged);
        Ok(kind.shown(&stored))
    }

    /// PATCH with a merge patch (RFC 7386).
    pub(crate) fn patch(
        &mut self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        is_status: bool,
        patch: &Value,
    ) -> Answer {
        let old = self.get(kind, namespace, name)?;
        let new = merged(old, patch);
        self.replace(kind, namespace, name, is_status, new)
    }

    pub(crate) fn delete(
        &mut self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        options: &Value,
    ) -> Answer {
        let object = self.get(kind, namespace, name)?;
        let uid = &options["preconditions"]["uid"];
        if !uid.is_null() && *uid != object["metadata"]["uid"] {
            let message = format!("Precondition failed: UID in precondition: {uid}");
            return Err(refuse(409, "Conflict", &message));
        }
        self.remove(&kind.storage(namespace, name));
        self.collect_garbage();
        Ok(json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
    }

    pub(crate) fn changes_after(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &str,
        resource_version: u64,
    ) -> Vec<Value> {
        let stored = kind.storage("", "").kind;
        let first = self
            .changes
            .partition_point(|change| change.resource_version <= resource_version);
        self.changes[first..]
            .iter()
            .filter(|change| {
                change.kind == stored
                    && namespace.is_none_or(|one| change.object["metadata"]["namespace"] == one)
                    && matches(&change.object, selector)
            })
            .map(|change| json!({"type": change.what, "object": kind.shown(&change.object)}))
            .collect()
    }

    /// What the schema of a custom resource does to an object on its way in.
    fn admit(&self, kind: &Kind, object: &mut Value) -> Result<(), Refusal> {
        if kind.plural == "modelsyncs" {
            schema::admit(object).map_err(|problem| refuse(422, "Invalid", &problem))?;
        }
        if kind.plural == "pipelineruns" {
            tekton(object).map_err(|problem| {
                let denied = format!(
                    "admission webhook \"validation.webhook.pipeline.tekton.dev\" denied the \
                     request: validation failed: {problem}"
                );
                refuse(400, "BadRequest", &denied)
            })?;
        }
        Ok(())
    }

    fn count_active(&mut self, new: &Value, name: &str) {
        self.created_runs.push(name.to_owned());
        let owner = &new["metadata"]["ownerReferences"][0]["uid"];
        let active = self.objects.values().find(|object| {
            object["metadata"]["ownerReferences"][0]["uid"] == *owner && is_active_run(object)
        });
        if let Some(active) = active {
            let other = &active["metadata"]["name"];
            self.violations
                .push(format!("{name} was created while {other} was active"));
        }
    }

    fn put(&mut self, what: &'static str, key: Key, mut object: Value) -> Value {
        self.resource_version += 1;
        object["metadata"]["resourceVersion"] = json!(self.resource_version.to_string());
        drop_nulls(&mut object);
        self.changes.push(Change {
            resource_version: self.resource_version,
            what,
            kind: key.kind.clone(),
            object: object.clone(),
        });
        self.objects.insert(key, object.clone());
        object
    }

    fn remove(&mut self, key: &Key) {
        if let Some(mut object) = self.objects.remove(key) {
            self.resource_version += 1;
            object["metadata"]["resourceVersion"] = json!(self.resource_version.to_string());
            self.changes.push(Change {
                resource_version: self.resource_version,
                what: "DELETED",
                kind: key.kind.clone(),
                object,
            });
        }
    }

    /// Objects whose owner is gone go, too.
    fn collect_garbage(&mut self) {
        loop {
            let uid = |object: &Value| object["metadata"]["uid"].as_str().map(str::to_owned);
            let there: BTreeSet<String> = self.objects.values().filter_map(uid).collect();
            let is_orphan = |object: &Value| {
                let owner = object["metadata"]["ownerReferences"][0]["uid"].as_str();
                owner.is_some_and(|owner| !there.contains(owner))
            };
            let orphans = self.objects.iter().filter(|(_, object)| is_orphan(object));
            let orphans: Vec<Key> = orphans.map(|(key, _)| key.clone()).collect();
            if orphans.is_empty() {
                return;
            }
            for key in &orphans {
                self.remove(key);
            }
        }
    }
}

impl Kind {
    fn has_status(&self) -> bool {
        matches!(self.plural.as_str(), "modelsyncs" | "pipelineruns")
    }

    /// In the version that was asked for.
    fn shown(&self, object: &Value) -> Value {
        let mut object = object.clone();
        object["apiVersion"] = json!(self.api_version());
        object
    }
}

pub(crate) fn is_active_run(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let ended = conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "Succeeded"
            && matches!(condition["status"].as_str(), Some("True" | "False"))
    });
    object["kind"] == "PipelineRun" && !ended
}

/// What Tekton's webhook says of a spec, in its words.
fn tekton(object: &mut Value) -> Result<(), String> {
    let Some(spec) = object["spec"].as_object_mut() else {
        return Err("missing field(s): spec".to_owned());
    };
    match (
        spec.contains_key("pipelineRef"),
        spec.contains_key("pipelineSpec"),
    ) {
        (false, false) => {
            return Err(
                "expected exactly one, got neither: spec.pipelineRef, spec.pipelineSpec".to_owned(),
            );
        }
        (true, true) => {
            return Err(
                "expected exactly one, got both: spec.pipelineRef, spec.pipelineSpec".to_owned(),
            );
        }
        _ => {}
    }
    let mut names = Vec::new();
    for parameter in spec
        .get("params")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = parameter["name"].as_str().unwrap_or_default();
        if names.contains(&name) {
            return Err(format!(
                "expected exactly one, got both: spec.params[{name}].name"
            ));
        }
        names.push(name);
    }
    if spec
        .get("pipelineRef")
        .is_some_and(|pipeline| pipeline["name"] == "refused")
    {
        return Err("no pipeline is called refused".to_owned());
    }
    if object["apiVersion"] == "tekton.dev/v1" {
        // Pruned without a word, as a client that does not ask for strict validation gets it.
        let known = [
            "params",
            "pipelineRef",
            "pipelineSpec",
            "status",
            "taskRunSpecs",
            "taskRunTemplate",
            "timeouts",
            "workspaces",
        ];
        if let Some(spec) = object["spec"].as_object_mut() {
            spec.retain(|field, _| known.contains(&field.as_str()));
        }
    }
    Ok(())
}

/// `key=value` only: more is not asked of it.
fn matches(object: &Value, selector: &str) -> bool {
    selector
        .split(',')
        .filter(|part| !part.is_empty())
        .all(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            object["metadata"]["labels"][key] == value
        })
}

fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            let before = target.remove(key).unwrap_or_default();
            target.insert(key.clone(), merged(before, value));
        }
    }
    Value::Object(target)
}

fn drop_nulls(object: &mut Value) {
    if let Value::Object(fields) = object {
        fields.retain(|_, field| !field.is_null());
        fields.values_mut().for_each(drop_nulls);
    }
}

/// Kubernetes writes times to the second.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second())
        .unwrap()
        .to_string()
}
