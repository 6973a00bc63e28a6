//! What an API server does to a custom resource by its structural schema: prunes, defaults,
//! validates. Of validation: types, required fields, enums and bounds; patterns and CEL are for a
//! real one.

use std::sync::OnceLock;

use serde_json::{Value, json};

/// Prunes and defaults an object, or says why it is refused.
pub(crate) fn admit(object: &mut Value) -> Result<(), String> {
    let schema = schema();
    let kept = ["apiVersion", "kind", "metadata"].map(|field| (field, object[field].take()));
    prune(schema, object);
    default(schema, object);
    let outcome = validate(schema, object, "");
    for (field, value) in kept {
        object[field] = value;
    }
    outcome
}

/// The schema of the file that users apply.
fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/crd.yaml");
        let crd: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
    })
}

fn prune(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let properties = &schema["properties"];
            let additional = &schema["additionalProperties"];
            let keeps_all = schema["x-kubernetes-preserve-unknown-fields"] == true;
            fields.retain(|name, _| {
                keeps_all || properties.get(name).is_some() || !additional.is_null()
            });
            for (name, field) in fields {
                let schema = properties.get(name).unwrap_or(additional);
                if !(keeps_all && schema.is_null()) {
                    prune(schema, field);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| prune(&schema["items"], item)),
        _ => {}
    }
}

fn default(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let properties = schema["properties"].as_object();
            for (name, schema) in properties.into_iter().flatten() {
                let is_missing = fields.get(name).is_none_or(Value::is_null);
                if is_missing && let Some(value) = schema.get("default") {
                    fields.insert(name.clone(), value.clone());
                }
                if let Some(field) = fields.get_mut(name) {
                    default(schema, field);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| default(&schema["items"], item)),
        _ => {}
    }
}

fn validate(schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{path}: Invalid value: {value}: {what}"));
    if value.is_null() && (schema["nullable"] == true || schema.get("type").is_none()) {
        return Ok(());
    }
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !is_of_type {
        return wrong(&format!("must be of type {}", schema["type"]));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return wrong(&format!("supported values: {}", json!(allowed)));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        return wrong(&format!("should be greater than or equal to {least}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        if value.get(name).is_none() {
            return Err(format!("{path}.{name}: Required value"));
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let schema = schema["properties"]
            .get(name)
            .unwrap_or(&schema["additionalProperties"]);
        validate(schema, field, &format!("{path}.{name}"))?;
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        validate(&schema["items"], item, &format!("{path}[{index}]"))?;
    }
    Ok(())
}
