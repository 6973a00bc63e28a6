use super::*;
use crate::core::model::Model;
use crate::core::package::Layout;

const HEAD: &str = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\n";
const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bot}\ndata: {model: m1}\n";
const NOW: &str = "2020-07-20T00:00:00Z";

fn catalog(name: &str, spec: &str) -> String {
    format!("{HEAD}kind: ModelCatalog\nmetadata: {{name: {name}}}\nspec:\n{spec}")
}

fn config(name: &str, spec: &str) -> String {
    format!(
        "{HEAD}kind: SetModel\nmetadata: {{name: {name}}}\nspec:\n{spec}  targets:\n  - resource: \
         {{kind: ConfigMap, name: bot}}\n    field: data.model\n"
    )
}

const MODELS: &str = "  source: {mlflow: {trackingURI: http://m}}
  observedAt: 2020-07-01T00:00:00Z
  models:
  - {name: m2, displayName: d, createTime: 2020-06-30T00:00:00Z, state: Trained}
  - {name: m1, displayName: d, createTime: 2020-06-01T00:00:00Z, state: Trained}
";

fn package(files: &[(&str, &str)]) -> Package<'static> {
    let parts = files
        .iter()
        .map(|(path, text)| Part::file(*path, (*text).to_owned()));
    Package::new(Layout::Directory, parts)
}

fn models(names: &[&str]) -> Vec<Model> {
    let model = |name: &&str| {
        let day: i64 = name.trim_start_matches('m').parse().unwrap();
        let time = if day == 1 {
            "2020-06-01T00:00:00Z"
        } else {
            "2020-06-30T00:00:00Z"
        };
        Model::plain(name, time.parse().unwrap())
    };
    names.iter().map(model).collect()
}

fn run(package: &Package<'_>, names: &[&str], options: Options) -> Refreshed {
    let subjects = subjects(package, &[]).unwrap();
    let listing = Listing {
        models: models(names),
        observed_at: None,
        origin: "MLflow at http://m".to_owned(),
    };
    let answers: Vec<_> = subjects
        .iter()
        .map(|subject| (subject.question.clone(), Ok(listing.clone())))
        .collect();
    refresh(package, &subjects, &answers, options, NOW.parse().unwrap())
}

#[test]
fn the_time_is_written_when_something_changed() {
    let text = catalog("c", MODELS);
    let package = package(&[("c.yaml", &text)]);
    let same = run(&package, &["m1", "m2"], Options::default());
    assert!(same.outcomes[0].is_unchanged() && same.files.is_empty());
    let stamp = Options {
        stamp: true,
        ..Options::default()
    };
    let stamped = run(&package, &["m1", "m2"], stamp);
    assert_eq!(
        stamped.files[0].new,
        text.replace("2020-07-01T", "2020-07-20T")
    );
    let removed = run(&package, &["m2"], Options::default());
    assert!(
        removed.files[0]
            .new
            .contains("observedAt: 2020-07-20T00:00:00Z")
    );
    assert_eq!(removed.outcomes[0].arrangement.removed, ["m1"]);
}

/// Ages are measured at the catalog's time: without a new one, a model that was too young when it
/// was first seen would stay so.
#[test]
fn the_time_is_written_when_a_model_has_come_of_age() {
    let text = catalog("c", MODELS);
    let of_age = |minimum: &str, value: &str| {
        let config = config("bot", &format!("  policy: {{minAge: {minimum}}}\n"));
        let map = MAP.replace("m1", value);
        let package = package(&[("c.yaml", &text), ("s.yaml", &config), ("m.yaml", &map)]);
        let refreshed = run(&package, &["m1", "m2"], Options::default());
        refreshed.outcomes[0].observed_at.is_some()
    };
    assert!(of_age("10d", "m1"), "m2 was 1 day old and is 20 now");
    assert!(!of_age("30d", "m1"), "still too young");
    assert!(!of_age("0s", "m1"), "was old enough before");
}

#[test]
fn an_empty_answer_needs_a_flag() {
    let text = catalog("c", MODELS);
    let package = package(&[("c.yaml", &text)]);
    let refused = run(&package, &[], Options::default());
    assert_eq!(
        refused.problems,
        [
            "cannot refresh c (c.yaml): MLflow at http://m lists no models, and the catalog has 2; check \
          the source, or take them all out with --allow-empty"
        ]
    );
    assert!(refused.files.is_empty());
    let allow = Options {
        allow_empty: true,
        ..Options::default()
    };
    let emptied = run(&package, &[], allow);
    assert!(emptied.files[0].new.ends_with("  models: []\n"));
    let text = catalog("c", "  source: {mlflow: {trackingURI: u}}\n  models: []\n");
    let none = run(
        &self::package(&[("c.yaml", &text)]),
        &[],
        Options::default(),
    );
    assert!(none.problems.is_empty() && none.files.is_empty());
}

#[test]
fn one_problem_keeps_every_file() {
    let (one, two) = (
        catalog("one", MODELS),
        catalog("two", &MODELS.replace("//m", "//other")),
    );
    let both = format!("{one}---\n{two}");
    let package = package(&[("c.yaml", &both)]);
    let subjects = subjects(&package, &[]).unwrap();
    let listing = Listing {
        models: models(&["m1"]),
        observed_at: None,
        origin: "o".to_owned(),
    };
    let mut answers = vec![
        (subjects[0].question.clone(), Ok(listing.clone())),
        (
            subjects[1].question.clone(),
            Err("page 2 failed".to_owned()),
        ),
    ];
    let now = NOW.parse().unwrap();
    let refreshed = refresh(&package, &subjects, &answers, Options::default(), now);
    assert_eq!(
        refreshed.problems,
        ["cannot refresh two (c.yaml): page 2 failed"]
    );
    assert!(refreshed.files.is_empty());
    // Both in one file.
    answers[1].1 = Ok(listing);
    let refreshed = refresh(&package, &subjects, &answers, Options::default(), now);
    assert_eq!(refreshed.files.len(), 1);
    let new = &refreshed.files[0].new;
    assert_eq!(new.matches("name: m1").count(), 2);
    assert_eq!(new.matches("name: m2").count(), 0);
}

#[test]
fn the_model_in_git_that_is_gone_is_named() {
    let (text, config) = (catalog("c", MODELS), config("bot", ""));
    let package = package(&[("c.yaml", &text), ("s.yaml", &config), ("m.yaml", MAP)]);
    let refreshed = run(&package, &["m2"], Options::default());
    assert_eq!(
        refreshed.outcomes[0].warnings,
        ["the model in Git (m1) is gone from MLflow at http://m"]
    );
}

#[test]
fn the_display_name_comes_from_the_configs_that_read_the_catalog() {
    let text = catalog("c", MODELS);
    let name = |configs: &[&str]| {
        let mut files = vec![("c.yaml", text.as_str())];
        files.extend(configs.iter().map(|config| ("s.yaml", *config)));
        let package = package(&files);
        subjects(&package, &[]).unwrap()[0]
            .question
            .display_name
            .clone()
    };
    let reads = config(
        "a",
        "  policy: {displayName: d}\n  source: {catalog: {name: c}}\n",
    );
    let default = config("b", "  policy: {displayName: d}\n");
    let other = config(
        "c",
        "  policy: {displayName: e}\n  source: {catalog: {name: x}}\n",
    );
    assert_eq!(name(&[]), None);
    assert_eq!(name(&[&reads, &default, &other]).as_deref(), Some("d"));
    assert_eq!(
        name(&[&reads, &config("e", "  policy: {displayName: e}\n")]),
        None
    );
}

#[test]
fn says_which_catalog_is_meant() {
    let with = |text: &str, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        match subjects(&package(&[("c.yaml", text)]), &names) {
            Ok(subjects) => subjects.len().to_string(),
            Err(problem) => problem,
        }
    };
    let (asking, silent) = (catalog("one", MODELS), catalog("two", "  models: []\n"));
    let both = format!("{asking}---\n{silent}");
    assert_eq!(with(&both, &[]), "1");
    assert_eq!(with(&both, &["one"]), "1");
    assert_eq!(
        with(&both, &["two"]),
        "the catalog two (c.yaml) does not say whom to ask; set its spec.source to one of vertexAI, \
         automl, mlflow and modelRegistry"
    );
    assert_eq!(
        with(&both, &["oen"]),
        "there is no ModelCatalog \"oen\"; did you mean \"one\"?"
    );
    assert_eq!(
        with(&silent, &[]),
        "no ModelCatalog says whom to ask; set spec.source of two to one of vertexAI, automl, mlflow \
         and modelRegistry"
    );
    assert_eq!(
        with(MAP, &[]),
        "there is no ModelCatalog; add one with `spec.source`"
    );
    let circular = catalog("c", "  source: {catalog: {name: c}}\n");
    assert!(with(&circular, &[]).contains("names a catalog as its source"));
    assert!(with("kind: ModelCatalog\na: [\n", &[]).starts_with("cannot read c.yaml:"));
    assert!(with(&catalog("c", "  model: []\n"), &[]).contains("did you mean \"models\"?"));
}
