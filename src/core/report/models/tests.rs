use super::*;
use crate::core::model::{Listing, ModelCatalog};
use crate::core::policy::{Policy, select};
use crate::core::report::table::Screen;

const CATALOG: &str = r"
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: ModelCatalog
metadata: {name: c}
spec:
  models:
  - name: projects/1/locations/us-central1/models/TCN1
    displayName: bot
    createTime: 2020-06-01T01:02:03Z
    state: Deployed
    labels: {team: 'a,b', stage: live}
    evaluation:
      metrics: {precision: 0.72, recall: 0.5, loss: 0.00001}
      perLabel:
        area-docs: {precision: 0.8, recall: 0.7}
        kind-bug: {precision: 0.66}
  - name: projects/1/locations/us-central1/models/TCN2
    displayName: bot
    createTime: 2020-07-01T01:02:03Z
    state: Trained
    evaluation:
      metrics: {precision: 0.74, recall: 0.45}
      perLabel:
        area-docs: {precision: 0.83, recall: 0.7}
        kind-new: {precision: 0.9}
    lineage: {dataset: projects/1/datasets/D, sourceCommit: 0123abc}
  - {name: other model, displayName: bot, createTime: 2020-08-01T01:02:03Z, state: Failed}
";

fn listing() -> Listing {
    ModelCatalog::from_yaml(CATALOG, "").unwrap().listing
}

fn survey(policy: &str) -> Survey {
    let policy: Policy = serde_saphyr::from_str(policy).unwrap();
    let current = vec!["projects/1/locations/us-central1/models/TCN1".to_owned()];
    let now = "2020-09-01T00:00:00Z".parse().unwrap();
    let selection = select(&listing(), &policy, &current, now).unwrap();
    Survey {
        listing: listing(),
        selection: Some(selection),
        current,
        gated: Survey::gated(&policy),
        warnings: Vec::new(),
    }
}

const GATES: &str = "gates: [{metric: recall, min: 0.5}, {metric: precision, min: 0.5}]";

#[test]
fn lists_say_which_model_is_chosen_and_why_no_other() {
    insta::assert_snapshot!(list_table(&survey(GATES), Screen::default()), @"
       NAME         DISPLAY NAME  CREATED               STATE     RECALL  PRECISION  CHOSEN
       other model  bot           2020-08-01T01:02:03Z  Failed                       no: state is Failed; wanted Trained or Deployed
       TCN2         bot           2020-07-01T01:02:03Z  Trained     0.45       0.74  no: recall 0.45 is below the minimum 0.5
    *  TCN1         bot           2020-06-01T01:02:03Z  Deployed     0.5       0.72  yes
    ");
    let bare = Survey {
        selection: None,
        current: Vec::new(),
        ..survey("{}")
    };
    insta::assert_snapshot!(list_table(&bare, Screen::default()), @"
    NAME         DISPLAY NAME  CREATED               STATE     PRECISION  RECALL
    other model  bot           2020-08-01T01:02:03Z  Failed
    TCN2         bot           2020-07-01T01:02:03Z  Trained        0.74    0.45
    TCN1         bot           2020-06-01T01:02:03Z  Deployed       0.72     0.5
    ");
}

#[test]
fn lists_for_programs_have_full_names() {
    insta::assert_snapshot!(list_csv(&survey("{}")).replace("\r\n", "\n"), @r#"
    name,displayName,version,createTime,state,uri,current,chosen,reason,metrics.loss,metrics.precision,metrics.recall,labels.stage,labels.team
    other model,bot,,2020-08-01T01:02:03Z,Failed,,false,false,state is Failed; wanted Trained or Deployed,,,,,
    projects/1/locations/us-central1/models/TCN2,bot,,2020-07-01T01:02:03Z,Trained,,false,true,,,0.74,0.45,,
    projects/1/locations/us-central1/models/TCN1,bot,,2020-06-01T01:02:03Z,Deployed,,true,false,older than the chosen model,0.00001,0.72,0.5,live,"a,b"
    "#);
    let json = list_json(&survey(GATES));
    assert_eq!(
        json["chosen"],
        "projects/1/locations/us-central1/models/TCN1"
    );
    assert_eq!(json["models"][0]["name"], "other model");
    assert_eq!(
        json["models"][0]["reason"],
        "state is Failed; wanted Trained or Deployed"
    );
    assert_eq!(json["models"][2]["current"], true);
    assert_eq!(
        json["models"][2]["evaluation"]["metrics"]["precision"],
        0.72
    );
}

#[test]
fn details_show_all_that_is_known() {
    let survey = survey(GATES);
    insta::assert_snapshot!(detail_text(&survey, &survey.listing.models[0], Screen::default()), @"
    name:          projects/1/locations/us-central1/models/TCN1
    display name:  bot
    created:       2020-06-01T01:02:03Z
    state:         Deployed
    labels:        stage=live, team=a,b
    now in Git:    yes
    chosen:        yes

    LABEL      PRECISION  RECALL  LOSS
    (overall)       0.72     0.5  1e-5
    area-docs        0.8     0.7     -
    kind-bug        0.66       -     -
    ");
    insta::assert_snapshot!(detail_text(&survey, &survey.listing.models[1], Screen::default()), @"
    name:           projects/1/locations/us-central1/models/TCN2
    display name:   bot
    created:        2020-07-01T01:02:03Z
    state:          Trained
    data set:       projects/1/datasets/D
    source commit:  0123abc
    now in Git:     no
    chosen:         no: recall 0.45 is below the minimum 0.5

    LABEL      PRECISION  RECALL
    (overall)       0.74    0.45
    area-docs       0.83     0.7
    kind-new         0.9       -
    ");
    insta::assert_snapshot!(detail_text(&survey, &survey.listing.models[2], Screen::default()), @"
    name:          other model
    display name:  bot
    created:       2020-08-01T01:02:03Z
    state:         Failed
    now in Git:    no
    chosen:        no: state is Failed; wanted Trained or Deployed
    ");
}

#[test]
fn two_evaluations_stand_side_by_side() {
    let listing = listing();
    let [first, second, none] = listing.models.as_slice() else {
        panic!("three models");
    };
    let comparison = compare(&[first, second]);
    insta::assert_snapshot!(comparison.table(Screen::default()), @"
    A  projects/1/locations/us-central1/models/TCN1
    B  projects/1/locations/us-central1/models/TCN2

    LABEL      PRECISION A     B    B-A  RECALL A     B    B-A  LOSS A  B  B-A
    (overall)         0.72  0.74  +0.02       0.5  0.45  -0.05    1e-5  -
    area-docs          0.8  0.83  +0.03       0.7   0.7      0       -  -
    kind-bug          0.66     -                -     -              -  -
    kind-new             -   0.9                -     -              -  -
    ");
    insta::assert_snapshot!(comparison.csv().replace("\r\n", "\n"), @"
    label,metric,projects/1/locations/us-central1/models/TCN1,projects/1/locations/us-central1/models/TCN2,delta
    ,precision,0.72,0.74,0.02
    ,recall,0.5,0.45,-0.05
    ,loss,0.00001,,
    area-docs,precision,0.8,0.83,0.03
    area-docs,recall,0.7,0.7,0
    kind-bug,precision,0.66,,
    kind-new,precision,,0.9,
    ");
    let json = comparison.json();
    assert_eq!(json["figures"][0]["delta"], 0.02);
    assert_eq!(json["figures"][0]["label"], serde_json::Value::Null);
    assert!(compare(&[none]).is_empty());
    insta::assert_snapshot!(compare(&[second]).table(Screen::default()), @"
    LABEL      PRECISION  RECALL
    (overall)       0.74    0.45
    area-docs       0.83     0.7
    kind-new         0.9       -
    ");
    let coloured = comparison.table(Screen {
        width: None,
        has_colour: true,
    });
    assert!(coloured.contains("\u{1b}[32m+0.02\u{1b}[0m"), "{coloured}");
    assert!(coloured.contains("\u{1b}[31m-0.05\u{1b}[0m"), "{coloured}");
}
