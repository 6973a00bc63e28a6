//! The difference between two JSON documents as a merge patch (RFC 7386).

use serde_json::{Map, Value};

/// The patch that makes `old` into `new`; `None` when they are the same. A field of `new` that is
/// null cannot be told from one that is not there, as the RFC says of its format.
#[must_use]
pub fn merge_patch(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return Some(new.clone());
    };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        let change = match old.get(key) {
            Some(before) => merge_patch(before, value),
            None => Some(value.clone()),
        };
        if let Some(change) = change {
            patch.insert(key.clone(), change);
        }
    }
    Some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7386, section 2.
    fn apply(target: Value, patch: &Value) -> Value {
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
                let before = target.remove(key).unwrap_or(Value::Null);
                target.insert(key.clone(), apply(before, value));
            }
        }
        Value::Object(target)
    }

    #[test]
    fn names_only_what_differs() {
        let old = json!({"a": 1, "b": {"x": 1, "y": 2}, "c": [1, 2], "d": 4});
        let new = json!({"a": 1, "b": {"y": 3}, "c": [2], "e": {"z": 1}});
        let patch = merge_patch(&old, &new).unwrap();
        assert_eq!(
            patch,
            json!({"b": {"x": null, "y": 3}, "c": [2], "d": null, "e": {"z": 1}})
        );
        assert_eq!(apply(old, &patch), new);
        assert_eq!(merge_patch(&new, &new), None);
    }

    fn object(depth: u32) -> proptest::strategy::BoxedStrategy<Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            any::<u8>().prop_map(Value::from),
            "[a-c]".prop_map(Value::from)
        ];
        leaf.prop_recursive(depth, 16, 4, |inner| {
            proptest::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into())
        })
        .boxed()
    }

    proptest::proptest! {
        #[test]
        fn applied_it_gives_the_new_document(old in object(3), new in object(3)) {
            let patched = match merge_patch(&old, &new) {
                Some(patch) => apply(old, &patch),
                None => old,
            };
            proptest::prop_assert_eq!(patched, new);
        }
    }
}
