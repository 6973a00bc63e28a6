use super::*;

fn error(text: &str) -> String {
    FunctionConfig::from_yaml(text, "f.yaml")
        .unwrap_err()
        .to_string()
}

#[test]
fn chooses_by_kind() {
    let typed = format!("apiVersion: {API_VERSION}\nmetadata: {{name: a}}\n");
    let text = format!("{typed}kind: SetModel\nspec: {{targets: [{{setter: s}}]}}\n");
    let Ok(FunctionConfig::SetModel(config)) = FunctionConfig::from_yaml(&text, "") else {
        panic!("not a SetModel");
    };
    assert_eq!(config.targets.len(), 1);
    let text = format!("{typed}kind: CheckModel\n");
    assert!(matches!(
        FunctionConfig::from_yaml(&text, ""),
        Ok(FunctionConfig::CheckModel(_))
    ));
    let text = "apiVersion: v1\nkind: ConfigMap\ndata: {setter: s}\n";
    assert!(matches!(
        FunctionConfig::from_yaml(text, ""),
        Ok(FunctionConfig::Flat(_))
    ));
}

#[test]
fn names_what_is_accepted() {
    for (text, message) in [
        (
            "apiVersion: v1\nkind: Deployment\n",
            "f.yaml:2:7: kind \"Deployment\" cannot be used here; give SetModel, CheckModel or ConfigMap",
        ),
        (
            "apiVersion: v1\nkind: Setmodel\n",
            "f.yaml:2:7: kind \"Setmodel\" is unknown; did you mean \"SetModel\"?",
        ),
        (
            "apiVersion: v1\nmetadata: {}\n",
            "f.yaml: field \"kind\" is missing; give SetModel, CheckModel or ConfigMap",
        ),
        (
            "kind: SetModel\n",
            "f.yaml: field \"apiVersion\" is missing; SetModel needs \
             automl.cloudai.kubeflow.org/v1alpha1",
        ),
        (
            "apiVersion: automl.cloudai.kubeflow.org/v1\nkind: SetModel\n",
            "f.yaml:1:13: apiVersion \"automl.cloudai.kubeflow.org/v1\" of SetModel is not \
             supported; use automl.cloudai.kubeflow.org/v1alpha1",
        ),
        (
            "apiVersion: v2\nkind: ConfigMap\n",
            "f.yaml:1:13: apiVersion \"v2\" of ConfigMap is not supported; use v1",
        ),
        ("", "f.yaml: the document is empty"),
        ("# nothing\n", "f.yaml: the document is empty"),
        ("null\n", "f.yaml: the document is empty"),
        ("[]\n", "f.yaml:1:1: expected a map of fields"),
        ("text\n", "f.yaml:1:1: expected a map of fields"),
    ] {
        assert_eq!(error(text), message, "{text}");
    }
}
