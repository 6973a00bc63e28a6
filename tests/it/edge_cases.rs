//! The edge cases that real packages and real kpt bring, most likely first. Each says what comes
//! in, what goes out and what is said.

use modelsync::core::change::Task;
use modelsync::core::function::{Answer, run};

const A: &str = "projects/1/locations/us-central1/models/TCN1";
const B: &str = "projects/1/locations/us-central1/models/TCN2";

/// Items as kpt sends them, with the model catalog, and the function config.
struct List {
    items: Vec<String>,
    config: String,
}

fn set_model(targets: &str) -> String {
    format!(
        "  apiVersion: automl.cloudai.kubeflow.org/v1alpha1\n  kind: SetModel\n  metadata:\n    name: bot\n  spec:\n    targets:\n{targets}"
    )
}

fn field(field: &str) -> String {
    set_model(&format!(
        "    - resource: {{kind: ConfigMap, name: bot}}\n      field: {field}\n"
    ))
}

fn catalog() -> String {
    format!(
        "\
- apiVersion: automl.cloudai.kubeflow.org/v1alpha1
  kind: ModelCatalog
  metadata:
    name: models
    annotations:
      internal.config.kubernetes.io/path: 'models.yaml'
  spec:
    models:
    - {{name: {A}, displayName: d, createTime: '2020-01-01T00:00:00Z', state: Deployed}}
    - {{name: {B}, displayName: d, createTime: '2020-02-01T00:00:00Z', state: Trained}}
"
    )
}

/// A ConfigMap named `bot`; `data` is indented by four.
fn map(data: &str) -> String {
    named_map("bot", "cm.yaml", data)
}

fn named_map(name: &str, path: &str, data: &str) -> String {
    format!(
        "\
- apiVersion: v1
  kind: ConfigMap
  metadata: # kept
    name: {name}
    annotations:
      config.kubernetes.io/index: '0'
      config.kubernetes.io/path: '{path}'
      internal.config.kubernetes.io/index: '0'
      internal.config.kubernetes.io/path: '{path}'
      internal.config.kubernetes.io/seqindent: 'compact'
  data:
{data}"
    )
}

impl List {
    fn new(config: String, items: Vec<String>) -> Self {
        Self {
            items: items.into_iter().chain([catalog()]).collect(),
            config,
        }
    }

    fn text(&self) -> String {
        let config = match self.config.as_str() {
            "" => String::new(),
            config => format!("functionConfig:\n{config}"),
        };
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{}{config}",
            self.items.concat()
        )
    }

    fn run(&self) -> Answer {
        run(&self.text(), None, jiff::Timestamp::UNIX_EPOCH)
    }

    /// The output without its results, which must have been added and nothing else.
    fn done(&self) -> String {
        let answer = self.run();
        assert_eq!(answer.error, None, "{}", answer.output);
        let (list, _) = answer.output.split_once("\nresults:\n").expect("results");
        format!("{list}\n")
    }

    /// The error; the output must be the input with results.
    fn refused(&self) -> String {
        let answer = self.run();
        let error = answer.error.expect("an error");
        let (list, results) = answer.output.split_once("\nresults:\n").expect("results");
        assert_eq!(
            format!("{list}\n"),
            self.text(),
            "a refusal must change nothing"
        );
        assert!(results.contains("severity: error"));
        let messages = results
            .lines()
            .filter_map(|line| line.strip_prefix("- message: "));
        let all = messages.collect::<Vec<_>>().join("\n");
        assert!(
            all.contains(error.split(": ").next().unwrap()),
            "{error}\n{all}"
        );
        all
    }

    /// All messages of a run.
    fn messages(&self) -> String {
        let answer = self.run();
        let (_, results) = answer.output.split_once("\nresults:\n").expect("results");
        results
            .lines()
            .filter(|line| line.starts_with("- message: "))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Runs a list whose only change must be `from` to `to`, then again with no change at all.
#[track_caller]
fn changes(list: &List, from: &str, to: &str) {
    let before = list.text();
    let after = list.done();
    assert!(before.contains(from), "{from:?} is not in the input");
    assert_eq!(after, before.replacen(from, to, 1));
    let answer = run(&after, None, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(answer.error, None);
    let (again, results) = answer.output.split_once("\nresults:\n").unwrap();
    assert_eq!(
        format!("{again}\n"),
        after,
        "the second run changed something"
    );
    assert!(results.contains("is current"), "{results}");
}

const EMBEDDED: &str = "\
    # a comment on the key
    model_config.yaml: |
      # This file describes the models.

      orgs:
      - name: kubeflow
        automl_model: \"MODEL\" # keep  this
";
const PATH: &str = "data.[model_config.yaml].orgs.[name=kubeflow].automl_model";

#[test]
fn already_current_adds_one_result_and_nothing_else() {
    let list = List::new(field("data.model"), vec![map(&format!("    model: {B}\n"))]);
    let answer = list.run();
    assert_eq!(answer.error, None);
    let wanted = format!(
        "{}results:\n- message: \"bot: {B} is current: chose {B} (created 2020-02-01T00:00:00Z), newest of 2 models\"\n  severity: info\n",
        list.text()
    );
    assert_eq!(answer.output, wanted);
}

#[test]
fn a_literal_block_changes_in_the_value_alone() {
    let list = List::new(field(PATH), vec![map(&EMBEDDED.replace("MODEL", A))]);
    changes(&list, A, B);
}

#[test]
fn unrelated_items_stay_byte_for_byte() {
    let odd = "- apiVersion: v1\n  kind: Secret\n  metadata: {name:   x,   annotations: {a: \"1\"}}\n  x: !!merge\n    <<: {a: 1}\n".replace("  x: !!merge\n    <<: {a: 1}\n", "  !!merge <<: {a: 1}\n");
    let list = List::new(field(PATH), vec![odd, map(&EMBEDDED.replace("MODEL", A))]);
    changes(&list, A, B);
}

#[test]
fn no_match_names_the_candidates() {
    let list = List::new(
        field("data.model"),
        vec![named_map("other", "cm.yaml", "    model: x\n")],
    );
    insta::assert_snapshot!(list.refused(), @r#""bot: no document matches the target {kind: ConfigMap, name: bot}; there are ConfigMap other""#);
    let list = List::new(field("data.modle"), vec![map(&format!("    model: {A}\n"))]);
    insta::assert_snapshot!(list.refused(), @r#""bot: cannot find field data.modle in ConfigMap bot: data has no key \"modle\" (line 12, column 5 of the item)""#);
}

#[test]
fn a_hashed_name_follows_and_so_does_what_refers_to_it() {
    // As `kubectl kustomize` names it: kustomize 3.8.2 and later leave the name out of the hash.
    let (old, new) = hashed(A, B);
    let deployment = format!(
        "- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: worker\n  spec:\n    template:\n      spec:\n        volumes:\n        - name: c\n          configMap:\n            name: {old} # ref\n"
    );
    let file = format!("cm_{old}.yaml");
    let item = named_map(&old, &file, &format!("    model: {A}\n"));
    let list = List::new(field("data.model"), vec![deployment, item]);
    let after = list.done();
    assert_eq!(
        after,
        list.text()
            .replace(&old, &new)
            .replacen(&format!("model: {A}"), &format!("model: {B}"), 1)
    );
    let messages = list.messages();
    assert!(
        messages.contains(&format!("moved {file} to cm_{new}.yaml")),
        "{messages}"
    );
    assert!(messages.contains("follows the ConfigMap to"), "{messages}");
}

/// The names of a ConfigMap with `model` alone in its data.
fn hashed(old: &str, new: &str) -> (String, String) {
    use modelsync::core::package::name_hash::{Contents, Scheme};
    use modelsync::core::yaml::Stream;
    let name = |model: &str| {
        let stream = Stream::parse(&format!("data:\n  model: {model}\n")).unwrap();
        let contents = Contents::of(&stream, stream.roots()[0]).unwrap();
        format!("bot-{}", contents.suffix(Scheme::WithoutName, "bot"))
    };
    (name(old), name(new))
}

#[test]
fn a_suffix_that_is_not_the_hash_is_left_alone() {
    let item = named_map("bot-gbgchmftdh", "cm.yaml", &format!("    model: {A}\n"));
    let list = List::new(field("data.model"), vec![item]);
    changes(&list, &format!("model: {A}"), &format!("model: {B}"));
    assert!(list.messages().contains("is not the hash of its content"));
}

#[test]
fn references_that_are_hidden_are_asked_for() {
    let (old, _) = hashed(A, B);
    let item = named_map(&old, "cm.yaml", &format!("    model: {A}\n"));
    let list = List::new(field("data.model"), vec![item]);
    assert!(
        list.messages().contains("nothing refers to"),
        "{}",
        list.messages()
    );
}

#[test]
fn a_missing_catalog_is_named() {
    let mut list = List::new(field("data.model"), vec![map(&format!("    model: {A}\n"))]);
    list.items.pop();
    assert!(list.refused().contains("has no ModelCatalog"));
}

#[test]
fn several_of_the_same_name_need_a_narrower_target() {
    let namespaced = |namespace: &str, path: &str| {
        named_map("bot", path, &format!("    model: {A}\n")).replace(
            "    name: bot\n",
            &format!("    name: bot\n    namespace: {namespace}\n"),
        )
    };
    let items = vec![namespaced("a", "a.yaml"), namespaced("b", "b.yaml")];
    let list = List::new(field("data.model"), items.clone());
    insta::assert_snapshot!(list.refused(), @r#""bot: 2 documents match the target {kind: ConfigMap, name: bot}: ConfigMap a/bot in a.yaml, ConfigMap b/bot in b.yaml; narrow it with namespace or file""#);
    for selector in ["namespace: b", "file: b.yaml", "file: 'b*.yaml'"] {
        let config = set_model(&format!(
            "    - resource: {{kind: ConfigMap, name: bot, {selector}}}\n      field: data.model\n"
        ));
        let list = List::new(config, items.clone());
        let after = list.done();
        assert_eq!(after.matches(B).count(), 2, "{selector}");
        assert!(
            after.find(A).unwrap() < after.find(&format!("model: {B}")).unwrap(),
            "{selector}"
        );
    }
}

#[test]
fn packages_are_told_apart_by_their_directory() {
    let (old, new) = hashed(A, B);
    let in_package = |package: &str, kind: &str, rest: &str| {
        format!(
            "- apiVersion: v1\n  kind: {kind}\n  metadata:\n    name: {old}\n    annotations:\n      internal.config.kubernetes.io/package-path: '/p/{package}'\n      internal.config.kubernetes.io/path: '{old}.yaml'\n{rest}"
        )
    };
    let items = vec![
        in_package("a", "Secret", ""),
        in_package("b", "ConfigMap", &format!("  data:\n    model: {A}\n")),
    ];
    let after = List::new(field("data.model"), items).done();
    // The Secret's file has the same name, but is in another package: it stays.
    assert!(after.contains(&format!("'{old}.yaml'")));
    assert!(after.contains(&format!("'{new}.yaml'")));
}

#[test]
fn a_malformed_id_is_not_written() {
    let item = map(&format!("    model: {A}\n"));
    let config = field("data.model").replace(
        "    targets:",
        "    policy: {pin: notavlidmodel}\n    targets:",
    );
    let mut list = List::new(config, vec![item]);
    let bad = list.items[1].replace(B, "notavlidmodel");
    list.items[1] = bad;
    assert!(
        list.refused()
            .contains("is not one; give the model's full name"),
        "{}",
        list.refused()
    );
}

#[test]
fn the_newest_older_than_git_is_no_downgrade() {
    let newer = "projects/1/locations/us-central1/models/TCN3";
    let mut list = List::new(
        field("data.model"),
        vec![map(&format!("    model: {newer}\n"))],
    );
    list.items[1].push_str(&format!(
        "    - {{name: {newer}, displayName: d, createTime: '2020-03-01T00:00:00Z', state: Failed}}\n"
    ));
    assert_eq!(list.done(), list.text());
    let messages = list.messages();
    assert!(
        messages.contains("nothing was changed: no model of 3 is eligible"),
        "{messages}"
    );
    assert!(
        messages.contains("older than the model in Git"),
        "{messages}"
    );
}

#[test]
fn stored_setter_values_change_together() {
    let kptfile = format!(
        "- apiVersion: kpt.dev/v1\n  kind: Kptfile\n  metadata:\n    name: p\n    annotations:\n      internal.config.kubernetes.io/path: 'Kptfile'\n  pipeline:\n    mutators:\n    - image: gcr.io/kpt-fn/apply-setters:v0.2\n      configPath: setters.yaml\n    - image: ghcr.io/x/apply-setters@sha256:12\n      configMap: {{model: {A}}}\n"
    );
    let setters = named_map(
        "setters",
        "setters.yaml",
        &format!("    model: {A}\n    other: {A}\n"),
    );
    let marked = map(&format!(
        "    model: {A} # kpt-set: ${{model}}\n    image: x:{A} # kpt-set: x:${{model}}\n"
    ));
    let config = set_model("    - setter: model\n");
    let list = List::new(config, vec![kptfile, setters, marked]);
    let after = list.done();
    assert_eq!(after.matches(B).count(), 5, "{after}");
    assert!(after.contains(&format!("other: {A}")));
    assert!(after.contains(&format!("image: x:{B} # kpt-set: x:${{model}}")));
}

#[test]
fn old_kptfiles_store_setters_and_substitutions() {
    let kptfile = format!(
        r##"- apiVersion: kpt.dev/v1alpha1
  kind: Kptfile
  metadata:
    name: .
    annotations:
      internal.config.kubernetes.io/path: 'Kptfile'
  openAPI:
    definitions:
      io.k8s.cli.setters.model:
        x-k8s-cli:
          setter:
            name: model
            value: "{A}"
            setBy: me
      io.k8s.cli.setters.host:
        x-k8s-cli:
          setter: {{name: host, value: h}}
      io.k8s.cli.substitutions.url:
        x-k8s-cli:
          substitution:
            name: url
            pattern: https://HOST/MODEL
            values:
            - {{marker: HOST, ref: '#/definitions/io.k8s.cli.setters.host'}}
            - {{marker: MODEL, ref: '#/definitions/io.k8s.cli.setters.model'}}
"##
    );
    let data = format!(
        "    url: https://h/{A} # {{\"$ref\":\"#/definitions/io.k8s.cli.substitutions.url\"}}\n    short: {A} # {{\"$openapi\":\"model\"}}\n    kpt: {A} # {{\"$kpt-set\":\"model\"}}\n    old: {A} # {{\"type\":\"string\",\"x-kustomize\":{{\"setter\":{{\"name\":\"model\",\"value\":\"{A}\"}}}}}}\n"
    );
    let list = List::new(
        set_model("    - setter: model\n"),
        vec![kptfile, map(&data)],
    );
    let after = list.done();
    assert!(
        after.contains(&format!("value: \"{B}\"\n            setBy: me")),
        "{after}"
    );
    assert!(after.contains(&format!("url: https://h/{B} #")), "{after}");
    for key in ["short", "kpt", "old"] {
        assert!(after.contains(&format!("{key}: {B} #")), "{key}: {after}");
    }
    // The comment of the oldest spelling repeats the value; comments are not ours to change.
    assert!(after.contains(&format!("\"value\":\"{A}\"")));
}

#[test]
fn check_model_reports_and_changes_nothing() {
    let list = List::new(field("data.model"), vec![map(&format!("    model: {A}\n"))]);
    let answer = run(&list.text(), Some(Task::Check), jiff::Timestamp::UNIX_EPOCH);
    assert!(answer.error.is_some());
    let (same, results) = answer.output.split_once("\nresults:\n").unwrap();
    assert_eq!(format!("{same}\n"), list.text());
    assert!(
        results.contains(&format!("currentValue: {A}\n    proposedValue: {B}")),
        "{results}"
    );
    assert!(results.contains("rule: MS001"), "{results}");
    // What cannot be located is a finding of its rule, too; and a reason is accepted here as well.
    let broken = List::new(field("data.c.d"), vec![map("    c: |\n      d: [\n")]);
    let answer = run(
        &broken.text(),
        Some(Task::Check),
        jiff::Timestamp::UNIX_EPOCH,
    );
    assert!(answer.output.contains("rule: MS009"), "{}", answer.output);
    let accepted = format!("    model: {A} # modelsync:ignore MS001 until May\n");
    let accepted = List::new(field("data.model"), vec![map(&accepted)]);
    let answer = run(
        &accepted.text(),
        Some(Task::Check),
        jiff::Timestamp::UNIX_EPOCH,
    );
    assert_eq!(answer.error, None, "{}", answer.output);
    let current = List::new(field("data.model"), vec![map(&format!("    model: {B}\n"))]);
    let answer = run(
        &current.text(),
        Some(Task::Check),
        jiff::Timestamp::UNIX_EPOCH,
    );
    assert_eq!(answer.error, None);
}

#[test]
fn every_scalar_style_around_the_document() {
    let plain = format!("    c: {{orgs: [{{name: kubeflow, automl_model: {A}}}]}}\n");
    for data in [
        // kpt turns blocks with trailing blanks into this.
        format!("    c: \"# models \\norgs:\\n- name: kubeflow\\n  automl_model: {A} # x\\n\"\n"),
        format!("    c: 'orgs: [{{name: kubeflow, automl_model: \"{A}\"}}]'\n"),
        format!("    c: >\n      {{orgs: [{{name: kubeflow,\n      automl_model: \"{A}\"}}]}}\n"),
        format!(
            "    c: |-\n      {{\"orgs\": [{{\"name\": \"kubeflow\",\n        \"automl_model\": \"{A}\"}}]}}\n"
        ),
        format!(
            "    c: |\n      a: 1\n      ---\n      orgs:\n      - {{name: kubeflow, automl_model: {A}}}\n"
        ),
        format!(
            "    c: |2\n        orgs:\n        - name: kubeflow\n          automl_model: '{A}'\n"
        ),
        plain,
    ] {
        let list = List::new(
            field("data.c.orgs.[name=kubeflow].automl_model"),
            vec![map(&data)],
        );
        changes(&list, A, B);
    }
}

#[test]
fn a_folded_block_is_warned_about() {
    let data = format!("    c: >\n      {{model: {A}}}\n");
    let list = List::new(field("data.c.model"), vec![map(&data)]);
    assert!(list.messages().contains("folded block"));
}

#[test]
fn invalid_embedded_yaml_is_located() {
    let data = "    c: |\n      orgs:\n      - name: [\n";
    let list = List::new(field("data.c.orgs"), vec![map(data)]);
    insta::assert_snapshot!(list.refused(), @r#""bot: cannot find field data.c.orgs in ConfigMap bot: the document in data.c is not valid YAML (its line 2): unclosed bracket '[' (line 14, column 15 of the item)""#);
}

#[test]
fn crlf_stays() {
    let list = List::new(field(PATH), vec![map(&EMBEDDED.replace("MODEL", A))]);
    let input = list.text().replace('\n', "\r\n");
    let answer = run(&input, None, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(answer.error, None, "{}", answer.output);
    let (after, _) = answer.output.split_once("\r\nresults:\r\n").unwrap();
    assert_eq!(format!("{after}\r\n"), input.replacen(A, B, 1));
}

#[test]
fn what_is_no_plain_string_is_refused_or_created() {
    for (data, message) in [
        ("    model: {a: b}\n", "data.model is a map, not a string"),
        ("    x: &x old\n    model: *x\n", "data.model is an alias"),
        ("    x: &x {model: old}\n    <<: *x\n", "through a merge"),
        ("    !!merge <<: {model: old}\n", "through a merge"),
        ("    model: !!binary aGk=\n", "has the tag !!binary"),
        ("    model: ~\n", "is null; set `create: true`"),
        ("    model:\n", "is null; set `create: true`"),
        ("    other: x\n", "has no key \\\"model\\\""),
        ("    model: a\n    model: b\n", "twice"),
    ] {
        let list = List::new(field("data.model"), vec![map(data)]);
        let refused = list.refused();
        assert!(refused.contains(message), "{data}: {refused}");
    }
    let create = field("data.model").replace("data.model", "data.model\n      create: true");
    for (data, wanted) in [
        ("    model: ~\n", format!("    model: {B}\n")),
        ("    model: # later\n", format!("    model: {B} # later\n")),
        ("    other: x\n", format!("    other: x\n    model: {B}\n")),
    ] {
        let list = List::new(create.clone(), vec![map(data)]);
        assert_eq!(list.done(), list.text().replacen(data, &wanted, 1));
    }
    let number = List::new(field("data.model"), vec![map("    model: 5\n")]);
    changes(&number, "model: 5", &format!("model: {B}"));
}

#[test]
fn values_that_read_as_something_else_are_quoted() {
    let mut list = List::new(field("data.model"), vec![map("    model: old\n")]);
    list.items[1] = list.items[1].replace(B, "'1e3'");
    changes(&list, "model: old", "model: \"1e3\"");
}

#[test]
fn items_without_names_or_annotations_pass_through() {
    let items = vec![
        "- resources:\n  - cm.yaml\n  metadata:\n    annotations: {config.kubernetes.io/path: kustomization.yaml}\n".to_owned(),
        "- kind: List\n  items: []\n".to_owned(),
        "- {}\n".to_owned(),
        format!("- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: bot}}\n  data: {{model: {A}}}\n"),
    ];
    let list = List::new(field("data.model"), items);
    changes(&list, A, B);
}

#[test]
fn immutable_binary_and_large_maps_are_refused() {
    let immutable = map(&format!("    model: {A}\n")) + "  immutable: true\n";
    let refused = List::new(field("data.model"), vec![immutable]).refused();
    assert!(
        refused.contains("is immutable and its name has no hash"),
        "{refused}"
    );
    let binary = map("").replace("  data:\n", "  binaryData: {model: aGk=}\n");
    let refused = List::new(field("data.model"), vec![binary]).refused();
    assert!(
        refused.contains("has only binaryData, which is not text"),
        "{refused}"
    );
    let large = map(&format!("    model: {A}\n    x: {}\n", "y".repeat(1 << 20)));
    let refused = List::new(field("data.model"), vec![large]).refused();
    assert!(
        refused.contains("a ConfigMap holds at most 1048576"),
        "{refused}"
    );
}

#[test]
fn the_flat_config_says_the_same() {
    let flat = "  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: function-input}\n  data: {kind: ConfigMap, name: bot, field: data.model, minAge: 0s, create: \"false\"}\n";
    let list = List::new(flat.to_owned(), vec![map(&format!("    model: {A}\n"))]);
    // The config has no name of its own to put before a message.
    let after = list.done();
    assert_eq!(after, list.text().replacen(A, B, 1));
}

#[test]
fn wrong_configs_are_explained() {
    for (from, to, message) in [
        (
            "targets:",
            "target:",
            "unknown field \\\"target\\\"; did you mean \\\"targets\\\"?",
        ),
        (
            "v1alpha1",
            "v1",
            "is not supported; use automl.cloudai.kubeflow.org/v1alpha1",
        ),
        (
            "kind: SetModel",
            "kind: SetModels",
            "did you mean \\\"SetModel\\\"?",
        ),
        ("field: data.model", "field: data..model", "an empty step"),
        ("field: data.model", "field: [a]", "expected"),
    ] {
        let config = field("data.model").replacen(from, to, 1);
        let list = List::new(config, vec![map(&format!("    model: {A}\n"))]);
        let refused = list.refused();
        assert!(refused.contains(message), "{to}: {refused}");
    }
    let list = List::new(String::new(), vec![map(&format!("    model: {A}\n"))]);
    assert!(
        list.refused()
            .contains("there is no functionConfig and no SetModel among the items")
    );
    let list = List::new(
        "  apiVersion: v1\n  kind: ConfigMap\n  data: {}\n".to_owned(),
        vec![],
    );
    assert!(list.refused().contains("there is no functionConfig"));
}

#[test]
fn our_own_config_is_never_a_target() {
    // `kpt fn eval --fn-config` leaves the config among the items.
    let own = map(&format!(
        "    name: bot\n    kind: ConfigMap\n    field: data.name\n    model: {B}\n"
    ));
    let config = own.replace("- apiVersion", "  apiVersion");
    let list = List::new(config, vec![own]);
    assert!(list.refused().contains("no document matches the target"));
}

#[test]
fn other_forms_of_the_list() {
    let list = List::new(field("data.model"), vec![map(&format!("    model: {A}\n"))]);
    let old = list.text().replace(
        "config.kubernetes.io/v1\n",
        "config.kubernetes.io/v1alpha1\n",
    );
    let answer = run(&old, None, jiff::Timestamp::UNIX_EPOCH);
    assert!(
        answer
            .output
            .starts_with("apiVersion: config.kubernetes.io/v1alpha1\n")
    );
    let with_results = format!(
        "{}results:\n- message: before\n  severity: info\n",
        list.text()
    );
    let answer = run(&with_results, None, jiff::Timestamp::UNIX_EPOCH);
    assert!(
        answer
            .output
            .contains("results:\n- message: before\n  severity: info\n- message:")
    );
    let json = format!(
        r#"{{"apiVersion":"config.kubernetes.io/v1","kind":"ResourceList","functionConfig":{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"x"}},"data":{{"kind":"ConfigMap","name":"bot","field":"data.model"}}}},"items":[{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"bot"}},"data":{{"model":"{A}"}}}},{{"apiVersion":"automl.cloudai.kubeflow.org/v1alpha1","kind":"ModelCatalog","metadata":{{"name":"m"}},"spec":{{"models":[{{"name":"{B}","displayName":"d","createTime":"2020-02-01T00:00:00Z","state":"Trained"}}]}}}}]}}"#
    );
    let answer = run(&json, None, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(answer.error, None, "{}", answer.output);
    let value: serde_json::Value = serde_json::from_str(&answer.output).unwrap();
    assert_eq!(value["items"][0]["data"]["model"], B);
    let empty = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n";
    let answer = run(empty, None, jiff::Timestamp::UNIX_EPOCH);
    assert!(answer.output.starts_with(empty));
}

#[test]
fn the_summary_comes_first_and_every_result_has_a_severity() {
    let (old, _) = hashed(A, B);
    let item = named_map(&old, &format!("{old}.yaml"), &format!("    model: {A}\n"));
    let list = List::new(field("data.model"), vec![item]);
    let answer = list.run();
    let (_, results) = answer.output.split_once("\nresults:\n").unwrap();
    assert!(
        results.starts_with("- message: \"bot: updated the model to"),
        "{results}"
    );
    assert_eq!(
        results.matches("- message:").count(),
        results.matches("  severity:").count()
    );
}

#[test]
fn setters_that_disagree_are_set_and_warned_about() {
    let data = format!("    a: {A} # kpt-set: ${{model}}\n    b: other # kpt-set: ${{model}}\n");
    let list = List::new(set_model("    - setter: model\n"), vec![map(&data)]);
    assert_eq!(list.done().matches(B).count(), 3);
    assert!(
        list.messages().contains("held different models"),
        "{}",
        list.messages()
    );
    let twins = |directory: &str, value: &str| {
        format!(
            "- apiVersion: kpt.dev/v1\n  kind: Kptfile\n  metadata:\n    name: {directory}\n    annotations:\n      internal.config.kubernetes.io/package-path: '/{directory}'\n      internal.config.kubernetes.io/path: 'Kptfile'\n  pipeline:\n    mutators:\n    - image: apply-setters\n      configMap: {{model: {value}}}\n"
        )
    };
    let items = vec![twins("a", A), twins("b", "other"), map(&data)];
    let list = List::new(set_model("    - setter: model\n"), items);
    let refused = list.refused();
    assert!(
        refused.contains("different values in the packages /a, /b; name one with `package:`"),
        "{refused}"
    );
}

#[test]
fn markers_that_mean_nothing_are_reported() {
    let data = format!("    # kpt-set: ${{model}}\n    a: {A}\n    b: {A} # kpt-set: ${{model}}\n");
    let list = List::new(set_model("    - setter: model\n"), vec![map(&data)]);
    assert!(
        list.messages().contains("belongs to no field"),
        "{}",
        list.messages()
    );
    let data = "    a: [x, y] # kpt-set: ${model}\n";
    let refused = List::new(set_model("    - setter: model\n"), vec![map(data)]).refused();
    assert!(
        refused.contains("is on a value that is a list"),
        "{refused}"
    );
    let refused = List::new(
        set_model("    - setter: modle\n"),
        vec![map("    a: x # kpt-set: ${model}\n")],
    )
    .refused();
    assert!(
        refused.contains("no field carries a marker of setter"),
        "{refused}"
    );
}
