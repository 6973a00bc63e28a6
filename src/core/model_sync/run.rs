//! What is known of one PipelineRun, read from what the API server answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::pipeline_run::{ATTEMPT, INPUT_HASH, NUMBER, PARAMETERS};

/// What tells one object from every other, also from a later one of the same name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RunKey {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// A PipelineRun of a ModelSync.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its name and uid.
    pub key: RunKey,
    /// Its API version.
    pub api_version: String,
    /// How many PipelineRuns the ModelSync had, this one included; 0 when it does not say.
    pub number: i64,
    /// How many were started for the same without a success, this one included.
    pub attempt: i64,
    /// A hash of what it was started with.
    pub input_hash: String,
    /// The parameters that it got from the answer.
    pub parameters: BTreeMap<String, String>,
    /// How far it is.
    pub state: RunState,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When Tekton started it.
    pub start_time: Option<Timestamp>,
    /// Whether it is being deleted.
    pub is_being_deleted: bool,
}

/// How far a PipelineRun is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It has not ended.
    Active,
    /// It ended well.
    Succeeded {
        /// When.
        at: Option<Timestamp>,
    },
    /// It failed or was cancelled.
    Failed {
        /// When.
        at: Option<Timestamp>,
        /// Tekton's reason and message.
        why: String,
    },
}

impl Run {
    /// Reads a PipelineRun; `None` when `owner`, the uid of a ModelSync, does not control it.
    #[must_use]
    pub fn owned(object: &Value, owner: &str) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let is_owned = metadata
            .get("ownerReferences")
            .and_then(Value::as_array)?
            .iter()
            .any(|reference| {
                reference["controller"] == Value::Bool(true) && text(&reference["uid"]) == owner
            });
        if !is_owned {
            return None;
        }
        let annotation = |name: &str| text(&metadata["annotations"][name]);
        let number = |name: &str| annotation(name).parse().unwrap_or(0);
        Some(Self {
            key: RunKey {
                name: text(&metadata["name"]).to_owned(),
                uid: text(&metadata["uid"]).to_owned(),
            },
            api_version: text(&object["apiVersion"]).to_owned(),
            number: number(NUMBER),
            attempt: number(ATTEMPT).max(1),
            input_hash: annotation(INPUT_HASH).to_owned(),
            parameters: serde_json::from_str(annotation(PARAMETERS)).unwrap_or_default(),
            state: state(object),
            created: time(&metadata["creationTimestamp"]),
            start_time: time(&object["status"]["startTime"]),
            is_being_deleted: !metadata["deletionTimestamp"].is_null(),
        })
    }

    /// Whether it has not ended. One that is being deleted may still run.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == RunState::Active
    }
}

/// A run has ended when its condition `Succeeded` is True or False (Tekton's PipelineRun
/// documentation, "Monitoring execution status").
fn state(object: &Value) -> RunState {
    let status = &object["status"];
    let succeeded = status["conditions"]
        .as_array()
        .and_then(|conditions| conditions.iter().find(|item| item["type"] == "Succeeded"));
    let Some(succeeded) = succeeded else {
        return RunState::Active;
    };
    let at = [
        &status["completionTime"],
        &succeeded["lastTransitionTime"],
        &status["startTime"],
        &object["metadata"]["creationTimestamp"],
    ]
    .into_iter()
    .find_map(time);
    match text(&succeeded["status"]) {
        "True" => RunState::Succeeded { at },
        "False" => RunState::Failed {
            at,
            why: [text(&succeeded["reason"]), text(&succeeded["message"])]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(": "),
        },
        _ => RunState::Active,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn time(value: &Value) -> Option<Timestamp> {
    text(value).parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(status: &Value) -> Value {
        json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {
                "name": "deploy-abc",
                "uid": "u1",
                "creationTimestamp": "2020-01-01T00:00:00Z",
                "annotations": {NUMBER: "7", ATTEMPT: "2", PARAMETERS: r#"{"automl-model":"m"}"#},
                "ownerReferences": [{"uid": "owner", "controller": true}],
            },
            "status": status,
        })
    }

    #[test]
    fn reads_what_tekton_writes() {
        let ended = |status: &str| {
            object(&json!({
                "startTime": "2020-01-01T00:00:01Z",
                "completionTime": "2020-01-01T00:00:09Z",
                "conditions": [{"type": "Succeeded", "status": status, "reason": "R", "message": "m"}],
            }))
        };
        let at = Some("2020-01-01T00:00:09Z".parse().unwrap());
        let why = "R: m".to_owned();
        for (object, expected) in [
            (object(&Value::Null), RunState::Active),
            (object(&json!({"conditions": "?"})), RunState::Active),
            (ended("Unknown"), RunState::Active),
            (ended("True"), RunState::Succeeded { at }),
            (ended("False"), RunState::Failed { at, why }),
        ] {
            let run = Run::owned(&object, "owner").unwrap();
            assert_eq!(run.state, expected, "{object}");
            assert_eq!((run.number, run.attempt), (7, 2));
            assert_eq!(run.parameters["automl-model"], "m");
        }
    }

    #[test]
    fn a_run_without_completion_time_ended_at_its_last_transition() {
        let object = object(&json!({"conditions": [
            {"type": "Succeeded", "status": "True", "lastTransitionTime": "2020-01-01T00:00:05Z"},
        ]}));
        let at = Some("2020-01-01T00:00:05Z".parse().unwrap());
        let run = Run::owned(&object, "owner").unwrap();
        assert_eq!(run.state, RunState::Succeeded { at });
    }

    #[test]
    fn leaves_the_runs_of_others_alone() {
        let mut object = object(&Value::Null);
        assert_eq!(Run::owned(&object, "other"), None);
        object["metadata"]["ownerReferences"][0]["controller"] = json!(false);
        assert_eq!(Run::owned(&object, "owner"), None);
        assert_eq!(Run::owned(&Value::Null, "owner"), None);
    }
}
