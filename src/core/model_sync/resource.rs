//! `ModelSync` as data: the Go names and shapes of its first version are kept, so that old manifests
//! apply unchanged. What the fields do is in `decide`.

#![expect(
    unreachable_pub,
    reason = "deriving KubeSchema repeats each struct inside a function, where nobody can reach it"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::policy::duration::{self, DurationError};

/// Durations as Go writes them, which CEL's `duration()` reads too.
const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";

/// Keeps Git in step with what a lambda says: asks its URL and, when it says so, starts one Tekton
/// PipelineRun after the other, never two at once.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "automl.cloudai.kubeflow.org",
    version = "v1alpha1",
    kind = "ModelSync",
    plural = "modelsyncs",
    shortname = "msync",
    namespaced,
    status = "ModelSyncStatus",
    derive = "PartialEq",
    doc = "Asks needsSyncUrl and starts one Tekton PipelineRun after the other while the answer says so, never two at once",
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Active", "type": "string", "jsonPath": ".status.active[0].name"}"#,
    printcolumn = r#"{"name": "Last Sync", "type": "date", "jsonPath": ".status.lastSyncTime"}"#,
    printcolumn = r#"{"name": "Suspended", "type": "boolean", "jsonPath": ".spec.suspend", "priority": 1}"#,
    printcolumn = r#"{"name": "Message", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message", "priority": 1}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct ModelSyncSpec {
    /// Where to ask: a GET there answers with a NeedsSync object.
    #[schemars(regex(pattern = r"^https?://[^\s/]+"), length(max = 2048))]
    pub needs_sync_url: String,

    /// Which of the answer's parameters become parameters of the PipelineRun. They take the place
    /// of those in the template, and are added where it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["pipelineName".to_owned()]))]
    #[schemars(length(max = 100))]
    pub parameters: Vec<Parameter>,

    /// The PipelineRun to start.
    pub pipeline_run_template: PipelineRunTemplate,

    /// How many successful PipelineRuns to keep. The newest run is always kept.
    #[serde(default = "history_limit")]
    #[schemars(range(min = 0))]
    pub successful_pipeline_runs_history_limit: i32,

    /// How many failed PipelineRuns to keep. The newest run is always kept.
    #[serde(default = "history_limit")]
    #[schemars(range(min = 0))]
    pub failed_pipeline_runs_history_limit: i32,

    /// How often to ask, such as 30s or 1h30m; at least 1s.
    #[serde(default = "interval")]
    #[schemars(regex(pattern = DURATION), length(max = 32))]
    pub interval: String,

    /// How long to wait after a failed PipelineRun before the same is tried again.
    #[serde(default)]
    pub back_off: BackOff,

    /// How long after a successful PipelineRun the same answer starts another one, should it still
    /// stand then.
    #[serde(default = "repeat_after")]
    #[schemars(regex(pattern = DURATION), length(max = 32))]
    pub repeat_after: String,

    /// Neither ask nor start anything. A PipelineRun that is active goes on.
    #[serde(default)]
    pub suspend: bool,
}

/// One parameter's way from the answer to the PipelineRun.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// The parameter's name in the answer; the same as in the PipelineRun when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_sync_name: Option<String>,
    /// The parameter's name in the PipelineRun.
    #[schemars(length(min = 1))]
    pub pipeline_name: String,
}

impl Parameter {
    /// The parameter's name in the answer.
    #[must_use]
    pub fn needs_sync_name(&self) -> &str {
        match self.needs_sync_name.as_deref() {
            None | Some("") => &self.pipeline_name,
            Some(name) => name,
        }
    }
}

/// How long to wait after failures: the first wait, doubled with each further failure.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("duration(self.initial) <= duration(self.maximum)")
        .message("initial must not be longer than maximum")
)]
pub struct BackOff {
    /// The wait after the first failure.
    #[serde(default = "first_wait")]
    #[schemars(regex(pattern = DURATION), length(max = 32))]
    pub initial: String,
    /// The longest wait.
    #[serde(default = "longest_wait")]
    #[schemars(regex(pattern = DURATION), length(max = 32))]
    pub maximum: String,
}

impl Default for BackOff {
    fn default() -> Self {
        Self {
            initial: first_wait(),
            maximum: longest_wait(),
        }
    }
}

/// A PipelineRun without a name.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineRunTemplate {
    /// The version of Tekton's API to write: tekton.dev/v1 (the default; an older spec is
    /// translated), or tekton.dev/v1beta1, and then the spec is sent as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TektonVersion>")]
    pub api_version: Option<String>,
    /// PipelineRun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<PipelineRunKind>")]
    pub kind: Option<String>,
    /// Labels and annotations of the PipelineRun.
    #[serde(default, skip_serializing_if = "TemplateMetadata::is_empty")]
    pub metadata: TemplateMetadata,
    /// The PipelineRun's spec.
    pub spec: TemplateSpec,
}

#[derive(JsonSchema)]
enum TektonVersion {
    #[serde(rename = "tekton.dev/v1")]
    #[expect(dead_code, reason = "only its schema is used")]
    V1,
    #[serde(rename = "tekton.dev/v1beta1")]
    #[expect(dead_code, reason = "only its schema is used")]
    V1Beta1,
}

#[derive(JsonSchema)]
enum PipelineRunKind {
    #[expect(dead_code, reason = "only its schema is used")]
    PipelineRun,
}

/// What a template may say of its PipelineRun's metadata.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.name)")
        .message("the controller names PipelineRuns after the ModelSync; remove metadata.name"),
    // `namespace` is a word of CEL, which the API server has escaped so.
    validation = Rule::new("!has(self.__namespace__)")
        .message("PipelineRuns are in the ModelSync's namespace; remove metadata.namespace")
)]
pub struct TemplateMetadata {
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Not allowed: the controller names PipelineRuns.
    // Here only because what a schema does not name is dropped before it can be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Not allowed: PipelineRuns are where their ModelSync is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl TemplateMetadata {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A PipelineRun's spec, which only Tekton knows in full.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TemplateSpec(pub Map<String, Value>);

impl JsonSchema for TemplateSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TemplateSpec".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The two properties are named for the rule: CEL sees only what the schema names.
        json_schema!({
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "properties": {
                "pipelineRef": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": true,
                },
                "pipelineSpec": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": true,
                },
            },
            "x-kubernetes-validations": [{
                "rule": "has(self.pipelineRef) != has(self.pipelineSpec)",
                "message": "set exactly one of pipelineRef and pipelineSpec",
            }],
        })
    }
}

/// What the controller has seen and done.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelSyncStatus {
    /// The PipelineRuns that are active: one or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub active: Vec<ObjectReference>,
    /// Ready: what was asked for is in Git. Syncing: a PipelineRun is active. Stalled: nothing
    /// happens until a person does something. TemplateOutdated: the template uses what Tekton no
    /// longer has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".to_owned()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the newest PipelineRun was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,
    /// The parameters that the newest PipelineRun got from the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last_parameters: BTreeMap<String, String>,
    /// The newest PipelineRun, remembered after it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

/// What the controller remembers of the newest PipelineRun.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// Its name.
    pub name: String,
    /// How many PipelineRuns there have been, this one included.
    pub number: i64,
    /// How many have been started for the same without a success, this one included.
    pub attempt: i64,
    /// A hash of what it was started with: the template and the parameters.
    pub input_hash: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
    /// Whether the answer has been "no" since it was started.
    #[serde(default)]
    pub answer_changed: bool,
}

/// How a PipelineRun ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Outcome {
    /// It has not ended.
    Running,
    /// Well.
    Succeeded,
    /// Not well, or it was cancelled.
    Failed,
    /// It was deleted before it ended.
    Deleted,
}

impl ModelSyncSpec {
    /// How often to ask.
    #[must_use]
    pub fn interval(&self) -> Duration {
        parsed(&self.interval, &interval()).max(Duration::from_secs(1))
    }

    /// How long the answer that a successful run was started with may stand.
    #[must_use]
    pub fn repeat_after(&self) -> Duration {
        parsed(&self.repeat_after, &repeat_after()).max(self.interval())
    }
}

impl BackOff {
    /// The wait after the first failure.
    #[must_use]
    pub fn initial(&self) -> Duration {
        parsed(&self.initial, &first_wait()).max(Duration::from_secs(1))
    }

    /// The longest wait.
    #[must_use]
    pub fn maximum(&self) -> Duration {
        parsed(&self.maximum, &longest_wait()).max(self.initial())
    }
}

/// The schema has refused what is no duration; should one be stored all the same, the default
/// stands for it. The schema cannot tell one that is too long: the longest stands for that.
fn parsed(text: &str, default: &str) -> Duration {
    match duration::parse(text) {
        Err(DurationError::TooLong { .. }) => duration::LONGEST,
        parsed => parsed
            .or_else(|_| duration::parse(default))
            .unwrap_or(Duration::from_secs(60)),
    }
}

fn history_limit() -> i32 {
    100
}

fn interval() -> String {
    "1m".to_owned()
}

fn repeat_after() -> String {
    "24h".to_owned()
}

fn first_wait() -> String {
    "1m".to_owned()
}

fn longest_wait() -> String {
    "1h".to_owned()
}

#[cfg(test)]
mod tests {
    use kube::CustomResourceExt;
    use serde_json::Value;

    use super::*;

    /// CEL's words that are not names; an API server refuses a CRD in which a rule uses one as such
    /// ("Escaping" in Kubernetes' "Common Expression Language").
    const RESERVED: [&str; 18] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
    ];

    fn rules(value: &Value) -> Vec<String> {
        let here = value["x-kubernetes-validations"].as_array();
        let here = here.into_iter().flatten();
        let mut found: Vec<String> = here
            .filter_map(|rule| rule["rule"].as_str().map(str::to_owned))
            .collect();
        for inner in value.as_object().into_iter().flatten() {
            found.extend(rules(inner.1));
        }
        for inner in value.as_array().into_iter().flatten() {
            found.extend(rules(inner));
        }
        found
    }

    #[test]
    fn a_duration_that_is_too_long_is_the_longest() {
        let spec: ModelSyncSpec = serde_json::from_value(serde_json::json!({
            "needsSyncUrl": "http://lambda/needsSync",
            "pipelineRunTemplate": {"spec": {}},
            "interval": "99999999h",
            "repeatAfter": "99999999h",
            "backOff": {"initial": "99999999h", "maximum": "99999999h"},
        }))
        .unwrap();
        for duration in [
            spec.interval(),
            spec.repeat_after(),
            spec.back_off.initial(),
            spec.back_off.maximum(),
        ] {
            assert_eq!(duration, duration::LONGEST);
        }
    }

    #[test]
    fn rules_escape_what_is_a_word_of_cel() {
        let crd = serde_json::to_value(ModelSync::crd()).unwrap();
        let rules = rules(&crd);
        assert_eq!(rules.len(), 4, "{rules:?}");
        for rule in rules {
            for selected in rule.split("self.").skip(1) {
                let name: String = selected
                    .chars()
                    .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
                    .collect();
                assert!(!RESERVED.contains(&name.as_str()), "{rule}");
            }
        }
    }
}
