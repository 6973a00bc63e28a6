//! What a lambda answers: the wire form, as data. The field names are those of the first version, so
//! that old and new lambdas and controllers work together.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::Decision;
use crate::core::config::GROUP;

/// The answer of `/needsSync` and `/needsTrain`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeedsSync {
    /// `NeedsSync`.
    #[serde(default)]
    pub kind: String,
    /// `v1alpha1`.
    #[serde(default)]
    pub api_version: String,
    /// Whatever else the lambda says. Ours says in annotations which config it is about and why it
    /// decided so; a client that knows only the first version reads over them.
    #[serde(default)]
    pub metadata: serde_json::Value,
    /// Whether something needs to be done.
    pub needs_sync: bool,
    /// What to do it with.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: BTreeMap<String, String>,
    /// Why the lambda cannot say; then `needsSync` means nothing.
    #[serde(default, deserialize_with = "or_default")]
    pub errors: Vec<AnswerError>,
}

/// One reason why a lambda cannot say.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AnswerError {
    /// The reason in words.
    pub message: String,
}

impl NeedsSync {
    /// What to answer for a decision about the config of this name.
    #[must_use]
    pub fn of(decision: &Decision, config: &str) -> Self {
        let (needs_sync, model, reason) = match decision {
            Decision::Yes { model, reason } => (true, model.as_ref(), reason),
            Decision::No { model, reason } => (false, model.as_ref(), reason),
            Decision::Undecided { messages } => return Self::failed(messages),
        };
        let annotations = BTreeMap::from([("config", config), ("reason", reason)]);
        Self {
            metadata: metadata(&annotations),
            needs_sync,
            parameters: model
                .map(|name| ("name".to_owned(), name.clone()))
                .into_iter()
                .collect(),
            ..Self::empty()
        }
    }

    /// What to answer when nothing can be said.
    #[must_use]
    pub fn failed(messages: &[String]) -> Self {
        let error = |message: &String| AnswerError {
            message: message.clone(),
        };
        Self {
            errors: messages.iter().map(error).collect(),
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            kind: "NeedsSync".to_owned(),
            api_version: "v1alpha1".to_owned(),
            metadata: metadata(&BTreeMap::new()),
            ..Self::default()
        }
    }
}

/// Kubernetes' ObjectMeta as Go writes it: the first version's type had it.
fn metadata(annotations: &BTreeMap<&str, &str>) -> serde_json::Value {
    let mut metadata = json!({"creationTimestamp": null});
    for (name, value) in annotations {
        metadata["annotations"][format!("{GROUP}/{name}")] = json!(value);
    }
    metadata
}

/// Go writes a list or map that was never made as null.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_first_version_wrote() {
        let answer: NeedsSync = serde_json::from_str(
            r#"{"kind":"NeedsSync","apiVersion":"v1alpha1","metadata":{"creationTimestamp":null},
                "needsSync":true,"parameters":{"name":"m"},"errors":null}"#,
        )
        .unwrap();
        assert!(answer.needs_sync);
        assert_eq!(answer.parameters["name"], "m");
        assert_eq!(answer.errors, []);
    }

    #[test]
    fn an_answer_that_does_not_say_is_none() {
        for text in ["{}", "[]", "null", r#"{"needsSync": "yes"}"#] {
            assert!(serde_json::from_str::<NeedsSync>(text).is_err(), "{text}");
        }
    }

    /// The golden forms: the field names and their order are the first version's.
    #[test]
    fn writes_what_the_first_version_wrote_and_why() {
        let decision = Decision::Yes {
            model: Some("m2".to_owned()),
            reason: "m2 is newer than m1".to_owned(),
        };
        let text = |answer: &NeedsSync| serde_json::to_string(answer).unwrap();
        insta::assert_snapshot!(text(&NeedsSync::of(&decision, "bot")), @r#"{"kind":"NeedsSync","apiVersion":"v1alpha1","metadata":{"creationTimestamp":null,"annotations":{"automl.cloudai.kubeflow.org/config":"bot","automl.cloudai.kubeflow.org/reason":"m2 is newer than m1"}},"needsSync":true,"parameters":{"name":"m2"},"errors":[]}"#);
        let decision = Decision::Undecided {
            messages: vec!["the registry is away".to_owned()],
        };
        let answer = NeedsSync::of(&decision, "bot");
        insta::assert_snapshot!(text(&answer), @r#"{"kind":"NeedsSync","apiVersion":"v1alpha1","metadata":{"creationTimestamp":null},"needsSync":false,"parameters":{},"errors":[{"message":"the registry is away"}]}"#);
        assert_eq!(
            serde_json::from_str::<NeedsSync>(&text(&answer)).unwrap(),
            answer
        );
    }
}
