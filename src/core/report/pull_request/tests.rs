use super::*;
use crate::core::report::commit_message::commit_message;
use crate::core::report::proposal::{
    FigureFacts, LabelFacts, ModelFacts, MoveFacts, PlaceFacts, RejectedFacts,
};

const PROJECT: &str = "projects/123/locations/us-central1/models";

fn model(id: &str, month: u8) -> ModelFacts {
    ModelFacts {
        name: format!("{PROJECT}/{id}"),
        short_name: id.to_owned(),
        display_name: "kubeflow_issues".to_owned(),
        version: String::new(),
        create_time: format!("2020-{month:02}-01T00:00:00Z"),
        state: "Deployed".to_owned(),
        uri: String::new(),
        dataset: "gs://data/set".to_owned(),
        notebook_run: "https://example.com/runs/1".to_owned(),
        source_commit: String::new(),
    }
}

fn figure(metric: &str, old: Option<f64>, new: Option<f64>) -> FigureFacts {
    FigureFacts {
        metric: metric.to_owned(),
        old,
        new,
        delta: old.zip(new).map(|(old, new)| new - old),
    }
}

fn facts() -> Facts {
    Facts {
        package: String::new(),
        config: "label-bot".to_owned(),
        base: "main".to_owned(),
        model: model("TCN2", 7),
        previous: vec![model("TCN1", 6)],
        source: "ModelCatalog models".to_owned(),
        summary: "chose TCN2, newest eligible of 3 models".to_owned(),
        warnings: Vec::new(),
        changes: vec![PlaceFacts {
            file: "configmap-a.yaml".to_owned(),
            field: "data.[model_config.yaml].orgs.[name=kubeflow].automl_model".to_owned(),
            old: "TCN1".to_owned(),
            new: "TCN2".to_owned(),
        }],
        moves: vec![MoveFacts {
            from: "configmap-a.yaml".to_owned(),
            to: "configmap-b.yaml".to_owned(),
        }],
        metrics: vec![
            figure("precision", Some(0.7), Some(0.75)),
            figure("recall", None, Some(0.5)),
        ],
        labels: vec![LabelFacts {
            label: "area-docs".to_owned(),
            figures: vec![figure("precision", Some(0.8), Some(0.7))],
        }],
        rejected: vec![RejectedFacts {
            name: "evil | `name` <img> @all".to_owned(),
            create_time: "2020-08-01T00:00:00Z".to_owned(),
            reason: "precision is 0.1; the minimum is 0.6".to_owned(),
        }],
        more_rejected: 0,
    }
}

#[test]
fn says_all_that_a_reviewer_wants_to_know() {
    let text = pull_request(&facts(), None, None).unwrap();
    assert_eq!(text.title, "label-bot: update the model to TCN2");
    insta::assert_snapshot!(text.body);
}

#[test]
fn the_commit_says_it_in_short() {
    let message = commit_message(&facts(), None, Some("A <a@b>")).unwrap();
    insta::assert_snapshot!(message);
}

#[test]
fn the_digest_forgets_what_time_changes() {
    let text = pull_request(&facts(), None, None).unwrap();
    let mut later = facts();
    later.rejected[0].reason = "created 2h ago; the minimum age is 1d".to_owned();
    later.summary = "chose TCN2, newest eligible of 4 models".to_owned();
    let later = pull_request(&later, None, None).unwrap();
    assert_ne!(later.body, text.body);
    assert_eq!(later.mark, text.mark);
    let mut other = facts();
    other.model = model("TCN3", 8);
    assert_ne!(pull_request(&other, None, None).unwrap().mark, text.mark);
}

#[test]
fn users_say_it_in_their_words() {
    let title = Template::own("title.txt", "chore: {{ model.shortName }}\n");
    let body = Template::own("body.md", "{{ previous[0].name }} → {{ model.name }}");
    let text = pull_request(&facts(), Some(&title), Some(&body)).unwrap();
    assert_eq!(text.title, "chore: TCN2");
    assert!(text.body.contains("TCN1 → projects/123"));
    let empty = Template::own("title.txt", "{% if false %}x{% endif %}");
    let error = pull_request(&facts(), Some(&empty), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use the template title.txt:1: it gives an empty title"
    );
}
