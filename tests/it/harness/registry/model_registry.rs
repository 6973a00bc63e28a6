//! The Kubeflow Model Registry.

use serde_json::{Value, json};

use super::{Answer, Asked, Paging};

/// A Model Registry with what is in `testdata/registries/model_registry.json`: its collections by
/// path.
pub(crate) fn model_registry() -> impl Fn(&Asked) -> Answer {
    let data: Value = serde_json::from_str(include_str!(
        "../../../../testdata/registries/model_registry.json"
    ))
    .unwrap();
    move |asked| {
        let paging = Paging {
            size: "pageSize",
            token: "nextPageToken",
            items: "items",
            next: "nextPageToken",
            most: 2,
        };
        let path = asked
            .path
            .trim_start_matches("/api/model_registry/v1alpha3/");
        match data.get(path).and_then(Value::as_array) {
            Some(items) => {
                let mut page = paging.page(asked, items);
                // This registry leaves nothing out.
                if page.get("items").is_none() {
                    page["items"] = json!([]);
                }
                if page.get("nextPageToken").is_none() {
                    page["nextPageToken"] = "".into();
                }
                page["size"] = page["items"].as_array().map(Vec::len).into();
                page["pageSize"] = 2.into();
                Answer::Json(200, page)
            }
            None => Answer::Json(404, json!({"code": "404", "message": "not found"})),
        }
    }
}
