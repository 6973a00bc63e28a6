//! A PipelineRun from a template and an answer, and its name.
//!
//! # Guarantees
//! The name follows from the ModelSync's uid and the run's number alone, and the number from the
//! runs there have been. Whoever saw the same runs would create the same name, whatever the lambda
//! answered each of them, and the API server lets one of them do it.

use std::collections::BTreeMap;

use kube::ResourceExt;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::resource::{ModelSync, Parameter};
use super::template::Template;

/// The label that selects a ModelSync's runs.
pub const UID_LABEL: &str = "automl.cloudai.kubeflow.org/modelsync-uid";
/// The label that selects the runs of all ModelSyncs: its name and value.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "modelsync");
/// The label for people; shortened when the ModelSync's name is no label.
const NAME_LABEL: &str = "automl.cloudai.kubeflow.org/modelsync";

pub(super) const NUMBER: &str = "automl.cloudai.kubeflow.org/run-number";
pub(super) const ATTEMPT: &str = "automl.cloudai.kubeflow.org/attempt";
pub(super) const INPUT_HASH: &str = "automl.cloudai.kubeflow.org/input-hash";
pub(super) const PARAMETERS: &str = "automl.cloudai.kubeflow.org/parameters";

/// Tekton refuses longer names, which become labels of its pods.
const LONGEST_NAME: usize = 63;
/// Of 27 letters and digits: chance does not make two the same.
const HASH_LENGTH: usize = 10;

/// What a run would be started with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunRequest {
    template: Template,
    /// The parameters from the answer, by their names in the pipeline.
    parameters: BTreeMap<String, String>,
    /// A hash of all that Tekton will see of it.
    pub(super) input_hash: String,
}

/// A PipelineRun to create.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: i64,
    /// Its API version.
    pub api_version: String,
    /// All of it.
    pub object: Value,
    /// The parameters from the answer.
    pub parameters: BTreeMap<String, String>,
}

/// The answer has no value for a parameter of the ModelSync.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the answer has no parameter {0}, which spec.parameters asks for")]
pub(super) struct MissingParameter(String);

impl RunRequest {
    /// Takes over the answer's parameters: those of the template are overridden, others appended.
    pub(super) fn new(
        mut template: Template,
        wanted: &[Parameter],
        answer: &BTreeMap<String, String>,
    ) -> Result<Self, MissingParameter> {
        let mut parameters = BTreeMap::new();
        for parameter in wanted {
            let name = parameter.needs_sync_name();
            let value = answer
                .get(name)
                .ok_or_else(|| MissingParameter(name.to_owned()))?;
            parameters.insert(parameter.pipeline_name.clone(), value.clone());
        }
        if !parameters.is_empty() {
            let given = template.spec.entry("params").or_insert_with(|| json!([]));
            if given.is_null() {
                *given = json!([]);
            }
            if let Some(given) = given.as_array_mut() {
                set(given, &parameters);
            }
        }
        let content = json!([
            template.api_version,
            template.metadata.labels,
            template.metadata.annotations,
            sorted(&Value::Object(template.spec.clone())),
        ]);
        let input_hash = letters(&content.to_string(), 16);
        Ok(Self {
            template,
            parameters,
            input_hash,
        })
    }

    /// The run with this number.
    pub(super) fn run(self, owner: &ModelSync, number: i64, attempt: i64) -> NewRun {
        let uid = owner.uid().unwrap_or_default();
        let name = name(&owner.name_any(), &uid, number);
        let mut labels = self.template.metadata.labels;
        let mut annotations = self.template.metadata.annotations;
        // After the template's own: a run must be found again.
        labels.extend(
            [
                MANAGED_BY,
                (NAME_LABEL, &label_value(&owner.name_any())),
                (UID_LABEL, &uid),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        annotations.extend(
            [
                (NUMBER, number.to_string()),
                (ATTEMPT, attempt.to_string()),
                (INPUT_HASH, self.input_hash),
                (PARAMETERS, json!(self.parameters).to_string()),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
        let object = json!({
            "apiVersion": self.template.api_version,
            "kind": "PipelineRun",
            "metadata": {
                "name": name,
                "namespace": owner.namespace(),
                "labels": labels,
                "annotations": annotations,
                "ownerReferences": [{
                    "apiVersion": "automl.cloudai.kubeflow.org/v1alpha1",
                    "kind": "ModelSync",
                    "name": owner.name_any(),
                    "uid": uid,
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            },
            "spec": self.template.spec,
        });
        NewRun {
            name,
            number,
            api_version: self.template.api_version,
            object,
            parameters: self.parameters,
        }
    }
}

/// The name of the run with this number: what fits of the ModelSync's name, and a hash.
#[must_use]
pub(super) fn name(model_sync: &str, uid: &str, number: i64) -> String {
    let hash = letters(&format!("{uid}/{number}"), HASH_LENGTH);
    let room = LONGEST_NAME - HASH_LENGTH - 1;
    // A ModelSync's name may have dots, a label and Tekton's names must not.
    let base: String = model_sync.replace('.', "-").chars().take(room).collect();
    format!("{}-{hash}", base.trim_end_matches('-'))
}

fn label_value(name: &str) -> String {
    let value: String = name.chars().take(63).collect();
    value
        .trim_end_matches(|character: char| !character.is_ascii_alphanumeric())
        .to_owned()
}

fn set(given: &mut Vec<Value>, parameters: &BTreeMap<String, String>) {
    for (name, value) in parameters {
        match given.iter_mut().find(|item| item["name"] == name.as_str()) {
            Some(item) => item["value"] = value.as_str().into(),
            None => given.push(json!({"name": name, "value": value})),
        }
    }
}

/// Letters and digits from a hash, without vowels and what looks like one, as Kubernetes does it for
/// generated names, so that no words appear.
fn letters(text: &str, count: usize) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    Sha256::digest(text.as_bytes())
        .iter()
        .take(count)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

/// With the keys of every map in order, as the API server may give them back in another.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let ordered: BTreeMap<&String, Value> = fields
                .iter()
                .map(|(name, field)| (name, sorted(field)))
                .collect();
            let ordered = ordered
                .into_iter()
                .map(|(name, field)| (name.clone(), field));
            Value::Object(ordered.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model_sync::Run;
    use crate::core::model_sync::resource::PipelineRunTemplate;

    fn request(spec: &str, wanted: &str, answer: &str) -> Result<RunRequest, MissingParameter> {
        let template: PipelineRunTemplate =
            serde_saphyr::from_str(&format!("spec: {spec}")).unwrap();
        let wanted: Vec<Parameter> = serde_saphyr::from_str(wanted).unwrap();
        let answer: BTreeMap<String, String> = serde_saphyr::from_str(answer).unwrap();
        RunRequest::new(Template::new(&template).unwrap(), &wanted, &answer)
    }

    fn owner() -> ModelSync {
        serde_saphyr::from_str(
            "{apiVersion: automl.cloudai.kubeflow.org/v1alpha1, kind: ModelSync, metadata: {name: \
             deploy, namespace: prod, uid: u-1}, spec: {needsSyncUrl: 'http://l', \
             pipelineRunTemplate: {spec: {pipelineRef: {name: p}}}}}",
        )
        .unwrap()
    }

    const TWO: &str = "{pipelineRef: {name: p}, params: [{name: model, value: none}, {name: other, \
                       value: [a, b]}]}";

    #[test]
    fn parameters_are_mapped_overridden_and_appended() {
        let request = request(
            TWO,
            "[{needsSyncName: name, pipelineName: model}, {pipelineName: extra}, {needsSyncName: \
             name, pipelineName: again}]",
            "{name: m1, extra: e, unasked: u}",
        )
        .unwrap();
        assert_eq!(
            request.template.spec["params"],
            json!([
                {"name": "model", "value": "m1"},
                {"name": "other", "value": ["a", "b"]},
                {"name": "again", "value": "m1"},
                {"name": "extra", "value": "e"},
            ])
        );
    }

    #[test]
    fn a_template_without_parameters_gets_them() {
        for spec in [
            "{pipelineRef: {name: p}}",
            "{pipelineRef: {name: p}, params: null}",
        ] {
            let request = request(spec, "[{pipelineName: a}]", "{a: v}").unwrap();
            assert_eq!(
                request.template.spec["params"],
                json!([{"name": "a", "value": "v"}])
            );
        }
    }

    #[test]
    fn a_parameter_that_the_answer_lacks_is_an_error() {
        let error = request(TWO, "[{needsSyncName: name, pipelineName: model}]", "{}");
        assert_eq!(
            error.unwrap_err().to_string(),
            "the answer has no parameter name, which spec.parameters asks for"
        );
    }

    #[test]
    fn the_hash_is_of_the_content_not_of_its_order() {
        let hash = |spec: &str, answer: &str| {
            request(spec, "[{pipelineName: a}]", answer)
                .unwrap()
                .input_hash
        };
        let one = hash("{pipelineRef: {name: p, x: y}, status: s}", "{a: v}");
        assert_eq!(
            one,
            hash("{status: s, pipelineRef: {x: y, name: p}}", "{a: v}")
        );
        assert_ne!(
            one,
            hash("{status: s, pipelineRef: {x: y, name: p}}", "{a: w}")
        );
        assert_ne!(
            one,
            hash("{status: s, pipelineRef: {x: z, name: p}}", "{a: v}")
        );
    }

    #[test]
    fn a_run_reads_back_as_what_it_was_made_for() {
        let request = request(
            TWO,
            "[{needsSyncName: name, pipelineName: model}]",
            "{name: m}",
        );
        let request = request.unwrap();
        let hash = request.input_hash.clone();
        let new = request.run(&owner(), 3, 2);
        assert_eq!(new.object["metadata"]["namespace"], "prod");
        assert_eq!(new.object["metadata"]["labels"][UID_LABEL], "u-1");
        assert_eq!(new.object["metadata"]["labels"][NAME_LABEL], "deploy");
        let run = Run::owned(&new.object, "u-1").unwrap();
        assert_eq!((run.number, run.attempt, run.input_hash), (3, 2, hash));
        assert_eq!(
            run.parameters,
            BTreeMap::from([("model".into(), "m".into())])
        );
        assert!(new.name.starts_with("deploy-"), "{}", new.name);
    }

    #[test]
    fn the_name_follows_from_the_number_and_not_from_the_answer() {
        let names = ["{name: m1}", "{name: m2}"].map(|answer| {
            let request = request(TWO, "[{needsSyncName: name, pipelineName: model}]", answer);
            request.unwrap().run(&owner(), 3, 1).name
        });
        assert_eq!(names[0], names[1]);
        assert_ne!(name("deploy", "u-1", 3), name("deploy", "u-1", 4));
        assert_ne!(name("deploy", "u-1", 3), name("deploy", "u-2", 3));
    }

    #[test]
    fn long_and_dotted_names_fit_tekton() {
        let long = format!("a.b-{}", "x".repeat(200));
        for model_sync in ["deploy", "a.b.c", &long, &format!("{}.y", "x".repeat(51))] {
            let name = name(model_sync, "u", 1);
            assert!(
                name.len() <= 63 && !name.contains('.') && !name.contains("--"),
                "{name}"
            );
        }
    }
}
