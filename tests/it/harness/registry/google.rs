//! AutoML and Vertex AI.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Asked, Paging};

/// Where the resources of a registry of Google's are.
pub(crate) const PARENT: &str = "projects/976279526634/locations/us-central1";

/// A registry of Google's: its collections by path, and its resources by name.
#[derive(Clone, Default)]
pub(crate) struct Google {
    /// The items of each collection, below `/v1/`, and the field that a page holds them in.
    collections: BTreeMap<String, (&'static str, Vec<Value>)>,
    /// The largest page that it gives.
    most: usize,
}

/// AutoML with the models, evaluations and operations of `testdata/registries/automl.json`.
pub(crate) fn automl() -> Google {
    let data: Value =
        serde_json::from_str(include_str!("../../../../testdata/registries/automl.json")).unwrap();
    let mut registry = Google {
        most: 2,
        ..Google::default()
    };
    registry.put(&format!("{PARENT}/models"), "model", &data["models"]);
    registry.put(
        &format!("{PARENT}/operations"),
        "operations",
        &data["operations"],
    );
    for (model, evaluations) in data["evaluations"].as_object().unwrap() {
        registry.put(
            &format!("{model}/modelEvaluations"),
            "modelEvaluation",
            evaluations,
        );
    }
    registry
}

/// Vertex AI with what is in `testdata/registries/vertex_ai.json`.
pub(crate) fn vertex_ai() -> Google {
    let data: Value = serde_json::from_str(include_str!(
        "../../../../testdata/registries/vertex_ai.json"
    ))
    .unwrap();
    let mut registry = Google {
        most: 2,
        ..Google::default()
    };
    registry.put(&format!("{PARENT}/models"), "models", &data["models"]);
    registry.put(
        &format!("{PARENT}/trainingPipelines"),
        "trainingPipelines",
        &data["trainingPipelines"],
    );
    for (field, kind, collection) in [
        ("versions", "models", ":listVersions"),
        ("evaluations", "modelEvaluations", "/evaluations"),
        ("slices", "modelEvaluationSlices", "/slices"),
    ] {
        for (name, items) in data[field].as_object().unwrap() {
            registry.put(&format!("{name}{collection}"), kind, items);
        }
    }
    registry
}

impl Google {
    fn put(&mut self, path: &str, field: &'static str, items: &Value) {
        let items = items.as_array().unwrap().clone();
        self.collections.insert(path.to_owned(), (field, items));
    }

    /// Changes the models.
    pub(crate) fn with_models(mut self, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        let models = self.collections.get_mut(&format!("{PARENT}/models"));
        change(&mut models.unwrap().1);
        self
    }

    /// With pages of up to so many items.
    pub(crate) fn with_pages_of(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// What it answers.
    pub(crate) fn answer(&self, asked: &Asked) -> Answer {
        let path = asked.path.trim_start_matches("/v1/");
        let page = |field, items: &[Value]| {
            let paging = Paging {
                size: "pageSize",
                token: "pageToken",
                items: field,
                next: "nextPageToken",
                most: self.most,
            };
            Answer::Json(200, paging.page(asked, items))
        };
        match self.collections.get(path) {
            _ if asked.method != "GET" => refusal(501, "UNIMPLEMENTED", "only listings"),
            Some((field, items)) => page(field, items),
            None if self.is_known(path) => page("none", &[]),
            None => refusal(404, "NOT_FOUND", "The resource does not exist."),
        }
    }

    /// Whether a collection belongs to a model that is there; then it is empty.
    fn is_known(&self, path: &str) -> bool {
        let owner = path.rsplit_once(['/', ':']).map_or("", |(owner, _)| owner);
        let owner = owner.split('@').next();
        let models = &self.collections[&format!("{PARENT}/models")].1;
        models.iter().any(|model| model["name"].as_str() == owner)
    }
}

/// An error as Google writes it (<https://google.aip.dev/193>).
pub(crate) fn refusal(code: u16, status: &str, message: &str) -> Answer {
    Answer::Json(
        code,
        json!({"error": {"code": code, "message": message, "status": status}}),
    )
}
