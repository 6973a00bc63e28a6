//! The template's spec as Tekton takes it now: what v1beta1 called otherwise is renamed, and what
//! Tekton no longer has is left out and told.
//!
//! The API server drops fields that it does not know without a word, so a spec of an old shape would
//! run with the wrong account, or without its timeout. The names are those of Tekton's "Migrating
//! from v1beta1 to v1" (PipelineRun) and of "Removed PipelineResources".

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::resource::{PipelineRunTemplate, TemplateMetadata};

/// The version that is written when the template names none.
const V1: &str = "tekton.dev/v1";
const V1BETA1: &str = "tekton.dev/v1beta1";

/// The fields of a PipelineRun's spec in `tekton.dev/v1`.
const FIELDS: [&str; 9] = [
    "managedBy",
    "params",
    "pipelineRef",
    "pipelineSpec",
    "status",
    "taskRunSpecs",
    "taskRunTemplate",
    "timeouts",
    "workspaces",
];

/// A template that can become a PipelineRun.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    /// The API version to write.
    pub(super) api_version: String,
    /// Labels and annotations.
    pub(super) metadata: TemplateMetadata,
    /// The spec, without the answer's parameters.
    pub(super) spec: Map<String, Value>,
    /// What was translated or left out, and what to write instead: one sentence each.
    pub(super) outdated: Vec<String>,
}

/// A template that cannot become a PipelineRun.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(super) enum TemplateError {
    /// The version is not one that can be written.
    #[error(
        "pipelineRunTemplate.apiVersion is {0:?}; write tekton.dev/v1, or leave it out for the same"
    )]
    Version(String),
    /// The kind is another.
    #[error("pipelineRunTemplate.kind is {0:?}; write PipelineRun, or leave it out for the same")]
    Kind(String),
    /// A name or a namespace, which are not the template's to choose.
    #[error(
        "pipelineRunTemplate.metadata.{0} is set; remove it, PipelineRuns are named after the \
         ModelSync and are in its namespace"
    )]
    Place(&'static str),
    /// None or both of the two ways to say which pipeline runs.
    #[error("pipelineRunTemplate.spec must have exactly one of pipelineRef and pipelineSpec")]
    Pipeline,
    /// A list has another shape.
    #[error("pipelineRunTemplate.spec.{0} must be a list of objects that each have a name")]
    List(&'static str),
    /// Two parameters of one name.
    #[error("pipelineRunTemplate.spec.params has the parameter {0} twice; remove one")]
    Twice(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// It cannot become a PipelineRun, whatever the answer will be.
    pub(super) fn new(template: &PipelineRunTemplate) -> Result<Self, TemplateError> {
        let api_version = template.api_version.as_deref().unwrap_or(V1);
        if ![V1, V1BETA1].contains(&api_version) {
            return Err(TemplateError::Version(api_version.to_owned()));
        }
        if let Some(kind) = template
            .kind
            .as_deref()
            .filter(|kind| *kind != "PipelineRun")
        {
            return Err(TemplateError::Kind(kind.to_owned()));
        }
        let metadata = &template.metadata;
        for (name, value) in [("name", &metadata.name), ("namespace", &metadata.namespace)] {
            if value.is_some() {
                return Err(TemplateError::Place(name));
            }
        }
        let mut spec = template.spec.0.clone();
        if spec.contains_key("pipelineRef") == spec.contains_key("pipelineSpec") {
            return Err(TemplateError::Pipeline);
        }
        let mut outdated = Vec::new();
        resources_to_parameters(&mut spec, &mut outdated)?;
        if api_version == V1 {
            to_v1(&mut spec, &mut outdated);
        }
        let mut names = Vec::new();
        for parameter in named(&spec, "params")? {
            let name = parameter["name"].as_str().unwrap_or_default();
            if names.contains(&name) {
                return Err(TemplateError::Twice(name.to_owned()));
            }
            names.push(name);
        }
        Ok(Self {
            api_version: api_version.to_owned(),
            metadata: metadata.clone(),
            spec,
            outdated,
        })
    }
}

/// The items of a list in which each has a name; none when there is no list.
fn named<'a>(
    spec: &'a Map<String, Value>,
    field: &'static str,
) -> Result<&'a [Value], TemplateError> {
    let Some(value) = spec.get(field).filter(|value| !value.is_null()) else {
        return Ok(&[]);
    };
    match value.as_array() {
        Some(items) if items.iter().all(|item| item["name"].is_string()) => Ok(items),
        _ => Err(TemplateError::List(field)),
    }
}

/// PipelineResources were removed in Tekton 0.44. What they said is passed as parameters, which a
/// pipeline that does not declare them ignores.
fn resources_to_parameters(
    spec: &mut Map<String, Value>,
    outdated: &mut Vec<String>,
) -> Result<(), TemplateError> {
    let resources = named(spec, "resources")?.to_vec();
    if spec.remove("resources").is_none() {
        return Ok(());
    }
    let mut parameters = named(spec, "params")?.to_vec();
    let mut passed = Vec::new();
    for resource in &resources {
        let said = resource["resourceSpec"]["params"].as_array();
        for parameter in said.into_iter().flatten() {
            let (Some(name), Some(value)) =
                (parameter["name"].as_str(), parameter["value"].as_str())
            else {
                continue;
            };
            let name = format!("{}-{name}", resource["name"].as_str().unwrap_or_default());
            if parameters
                .iter()
                .all(|known| known["name"] != name.as_str())
            {
                parameters.push(json!({"name": &name, "value": value}));
                passed.push(name);
            }
        }
    }
    let instead = match passed.as_slice() {
        [] => String::new(),
        names => format!(
            ", and passes what they say as the parameters {}",
            names.join(", ")
        ),
    };
    if !passed.is_empty() {
        spec.insert("params".to_owned(), parameters.into());
    }
    outdated.push(format!(
        "pipelineRunTemplate.spec.resources: Tekton has removed PipelineResources, so the \
         controller leaves them out{instead}; write parameters and workspaces instead"
    ));
    Ok(())
}

fn to_v1(spec: &mut Map<String, Value>, outdated: &mut Vec<String>) {
    let mut renamed = |old: &str, new: &str| {
        outdated.push(format!(
            "pipelineRunTemplate.spec.{old} is translated; tekton.dev/v1 calls it {new}"
        ));
    };
    for (old, group, new) in [
        (
            "serviceAccountName",
            "taskRunTemplate",
            "serviceAccountName",
        ),
        ("podTemplate", "taskRunTemplate", "podTemplate"),
        ("timeout", "timeouts", "pipeline"),
    ] {
        if let Some(value) = spec.remove(old) {
            let group_value = spec.entry(group).or_insert_with(|| json!({}));
            if let Some(fields) = group_value.as_object_mut() {
                // What is written in the new way counts.
                fields.entry(new).or_insert(value);
            }
            renamed(old, &format!("{group}.{new}"));
        }
    }
    if let Some(Value::Array(tasks)) = spec.get_mut("taskRunSpecs") {
        for (old, new) in [
            ("taskServiceAccountName", "serviceAccountName"),
            ("taskPodTemplate", "podTemplate"),
            ("stepOverrides", "stepSpecs"),
            ("sidecarOverrides", "sidecarSpecs"),
        ] {
            let mut has_old = false;
            for fields in tasks.iter_mut().filter_map(Value::as_object_mut) {
                if let Some(value) = fields.remove(old) {
                    fields.entry(new).or_insert(value);
                    has_old = true;
                }
            }
            if has_old {
                renamed(
                    &format!("taskRunSpecs[].{old}"),
                    &format!("taskRunSpecs[].{new}"),
                );
            }
        }
    }
    if let Some(reference) = spec.get_mut("pipelineRef").and_then(Value::as_object_mut)
        && let Some(bundle) = reference.remove("bundle")
    {
        let name = reference.remove("name").unwrap_or_default();
        reference.remove("apiVersion");
        reference.remove("kind");
        reference.insert("resolver".to_owned(), "bundles".into());
        reference.insert(
            "params".to_owned(),
            json!([
                {"name": "bundle", "value": bundle},
                {"name": "name", "value": name},
                {"name": "kind", "value": "pipeline"},
            ]),
        );
        renamed("pipelineRef.bundle", "the resolver bundles");
    }
    for field in spec
        .keys()
        .filter(|field| !FIELDS.contains(&field.as_str()))
    {
        outdated.push(format!(
            "pipelineRunTemplate.spec.{field} is not a field of a PipelineRun in tekton.dev/v1, \
             which will drop it; remove it"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model_sync::resource::TemplateSpec;

    fn template(yaml: &str) -> Result<Template, TemplateError> {
        let template: PipelineRunTemplate = serde_saphyr::from_str(yaml).unwrap();
        Template::new(&template)
    }

    fn translated(spec: &Value) -> (Value, Vec<String>) {
        let template = Template::new(&PipelineRunTemplate {
            api_version: None,
            kind: None,
            metadata: TemplateMetadata::default(),
            spec: TemplateSpec(spec.as_object().unwrap().clone()),
        })
        .unwrap();
        (Value::Object(template.spec), template.outdated)
    }

    #[test]
    fn what_is_current_stays_as_it_is() {
        let spec = json!({
            "pipelineRef": {"name": "p"},
            "params": [{"name": "a", "value": ["x", "y"]}],
            "taskRunTemplate": {"serviceAccountName": "s"},
            "timeouts": {"pipeline": "1h"},
            "workspaces": [{"name": "w", "emptyDir": {}}],
        });
        assert_eq!(translated(&spec), (spec, Vec::new()));
    }

    #[test]
    fn fields_of_v1beta1_get_their_new_names() {
        let (spec, outdated) = translated(&json!({
            "pipelineRef": {"bundle": "registry/b:1", "name": "p"},
            "serviceAccountName": "s",
            "podTemplate": {"nodeSelector": {}},
            "timeout": "1h",
            "taskRunSpecs": [
                {"pipelineTaskName": "t", "taskServiceAccountName": "ts", "taskPodTemplate": {}},
            ],
        }));
        assert_eq!(
            spec,
            json!({
                "pipelineRef": {"resolver": "bundles", "params": [
                    {"name": "bundle", "value": "registry/b:1"},
                    {"name": "name", "value": "p"},
                    {"name": "kind", "value": "pipeline"},
                ]},
                "taskRunSpecs": [
                    {"pipelineTaskName": "t", "serviceAccountName": "ts", "podTemplate": {}},
                ],
                "taskRunTemplate": {"serviceAccountName": "s", "podTemplate": {"nodeSelector": {}}},
                "timeouts": {"pipeline": "1h"},
            })
        );
        assert_eq!(outdated.len(), 6, "{outdated:?}");
        assert_eq!(
            outdated[0],
            "pipelineRunTemplate.spec.serviceAccountName is translated; tekton.dev/v1 calls it \
             taskRunTemplate.serviceAccountName"
        );
    }

    #[test]
    fn the_new_way_counts_when_both_are_written() {
        let (spec, _) = translated(&json!({
            "pipelineRef": {"name": "p"},
            "serviceAccountName": "old",
            "taskRunTemplate": {"serviceAccountName": "new"},
        }));
        assert_eq!(spec["taskRunTemplate"]["serviceAccountName"], "new");
    }

    #[test]
    fn resources_become_parameters_and_are_told() {
        let (spec, outdated) = translated(&json!({
            "pipelineRef": {"name": "p"},
            "params": [{"name": "repo-revision", "value": "mine"}],
            "resources": [
                {"name": "repo", "resourceSpec": {"type": "git", "params": [
                    {"name": "url", "value": "https://example.com/r.git"},
                    {"name": "revision", "value": "main"},
                ]}},
                {"name": "image", "resourceRef": {"name": "r"}},
            ],
        }));
        assert_eq!(
            spec["params"],
            json!([
                {"name": "repo-revision", "value": "mine"},
                {"name": "repo-url", "value": "https://example.com/r.git"},
            ])
        );
        assert_eq!(spec.get("resources"), None);
        assert_eq!(
            outdated,
            [
                "pipelineRunTemplate.spec.resources: Tekton has removed PipelineResources, so the \
                 controller leaves them out, and passes what they say as the parameters repo-url; \
                 write parameters and workspaces instead"
            ]
        );
    }

    #[test]
    fn a_field_that_tekton_will_drop_is_told() {
        let (_, outdated) = translated(&json!({"pipelineRef": {"name": "p"}, "paramz": []}));
        assert_eq!(
            outdated,
            [
                "pipelineRunTemplate.spec.paramz is not a field of a PipelineRun in tekton.dev/v1, \
                 which will drop it; remove it"
            ]
        );
    }

    #[test]
    fn v1beta1_is_sent_as_it_is_when_the_template_says_so() {
        let template = template(
            "{apiVersion: tekton.dev/v1beta1, kind: PipelineRun, spec: {pipelineRef: {name: p}, \
             serviceAccountName: s}}",
        )
        .unwrap();
        assert_eq!(template.api_version, "tekton.dev/v1beta1");
        assert_eq!(template.spec["serviceAccountName"], "s");
        assert_eq!(template.outdated, Vec::<String>::new());
    }

    #[test]
    fn refuses_what_cannot_run() {
        for (yaml, message) in [
            (
                "{apiVersion: tekton.dev/v2, spec: {pipelineRef: {name: p}}}",
                "pipelineRunTemplate.apiVersion is \"tekton.dev/v2\"; write tekton.dev/v1, or leave \
                 it out for the same",
            ),
            (
                "{kind: TaskRun, spec: {pipelineRef: {name: p}}}",
                "pipelineRunTemplate.kind is \"TaskRun\"; write PipelineRun, or leave it out for \
                 the same",
            ),
            (
                "{metadata: {namespace: n}, spec: {pipelineRef: {name: p}}}",
                "pipelineRunTemplate.metadata.namespace is set; remove it, PipelineRuns are named \
                 after the ModelSync and are in its namespace",
            ),
            (
                "{spec: {params: []}}",
                "pipelineRunTemplate.spec must have exactly one of pipelineRef and pipelineSpec",
            ),
            (
                "{spec: {pipelineRef: {name: p}, params: {a: b}}}",
                "pipelineRunTemplate.spec.params must be a list of objects that each have a name",
            ),
            (
                "{spec: {pipelineRef: {name: p}, params: [{name: a}, {name: a}]}}",
                "pipelineRunTemplate.spec.params has the parameter a twice; remove one",
            ),
        ] {
            assert_eq!(template(yaml).unwrap_err().to_string(), message);
        }
    }
}
