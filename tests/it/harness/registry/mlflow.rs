//! MLflow, for what a real server does not do on demand: fail on a certain page.

use serde_json::{Value, json};

use super::{Answer, Asked, Paging};

/// MLflow with so many versions of one registered model, two on a page.
pub(crate) fn mlflow(name: &'static str, versions: usize) -> impl Fn(&Asked) -> Answer {
    let versions: Vec<Value> = (1..=versions)
        .map(|number| {
            json!({
                "name": name,
                "version": number.to_string(),
                "creation_timestamp": 1_591_146_123_000_u64 + number as u64,
                "current_stage": "None",
                "status": "READY",
                "source": format!("s3://models/{number}"),
            })
        })
        .collect();
    move |asked| {
        let page = |items, found: &[Value]| {
            let paging = Paging {
                size: "max_results",
                token: "page_token",
                items,
                next: "next_page_token",
                most: 2,
            };
            Answer::Json(200, paging.page(asked, found))
        };
        match asked.path.as_str() {
            "/api/2.0/mlflow/registered-models/search" => {
                page("registered_models", &[json!({"name": name})])
            }
            "/api/2.0/mlflow/model-versions/search" => page("model_versions", &versions),
            _ => Answer::Json(404, json!({"error_code": "ENDPOINT_NOT_FOUND"})),
        }
    }
}
