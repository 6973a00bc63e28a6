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
        more_changes: 0,
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
        more_metrics: 0,
        more_labels: 0,
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
        "cannot use the template title.txt: it gives an empty title"
    );
}

/// Facts of so many labels with so many metrics each. The figures of the last labels change most.
fn many(labels: usize, metrics: usize) -> Facts {
    let label = |place: usize| LabelFacts {
        label: format!("area/some-label-{place:04}"),
        figures: (0..metrics)
            .map(|metric| {
                let delta = place as f64 / 10_000.0;
                figure(&format!("metric-{metric}"), Some(0.5), Some(0.5 - delta))
            })
            .collect(),
    };
    Facts {
        labels: (0..labels).map(label).collect(),
        ..facts()
    }
}

/// Sections that a reviewer needs, whatever else there is.
fn assert_complete(body: &str) {
    assert!(body.chars().count() <= 65_536);
    for section in ["### What changes", "### How to roll back", "<sub>Listed by"] {
        assert!(body.contains(section), "{section}: {body}");
    }
    assert!(!body.contains("There is more"), "{body}");
    let count = |text: &str| body.matches(text).count();
    assert_eq!(count("<details>"), count("</details>"));
    assert!(body.ends_with("<!-- modelsync end -->\n"));
}

#[test]
fn our_own_templates_leave_room_in_their_limits() {
    let other = facts().rejected.remove(0);
    let facts = Facts {
        rejected: vec![other; 200],
        ..many(500, 4)
    };
    for text in [TITLE, BODY] {
        let template = Template::own("t", text);
        let most = crate::core::report::template::MOST_WORK;
        assert!(template.render_within(most / 20, &facts).is_ok());
    }
}

#[test]
fn leaves_out_the_labels_that_changed_least() {
    let facts = many(500, 2);
    let text = pull_request(&facts, None, None).unwrap();
    assert_complete(&text.body);
    assert!(text.body.contains("By label (500)"));
    assert!(text.body.contains("some-label-0499"), "changed most");
    assert!(!text.body.contains("some-label-0000"), "did not change");
    let shown = text.body.matches("| `area/some-label").count() / 2;
    assert!(shown > 300, "{shown}");
    let words = format!("and {} more labels that changed less.", 500 - shown);
    assert!(text.body.contains(&words), "{shown}");
    let order = |label: &str| text.body.find(label).unwrap();
    assert!(order("some-label-0498") < order("some-label-0499"));
    // All that fits is there.
    let text = pull_request(&many(100, 2), None, None).unwrap();
    assert_complete(&text.body);
    assert!(text.body.contains("some-label-0000") && !text.body.contains("more labels"));
}

#[test]
fn leaves_out_what_else_is_too_long() {
    let mut facts = many(500, 2);
    facts.rejected = (0..30)
        .map(|number| RejectedFacts {
            name: format!("{number}-{}", "n".repeat(2000)),
            ..facts.rejected[0].clone()
        })
        .collect();
    facts.more_rejected = 70;
    let text = pull_request(&facts, None, None).unwrap();
    assert_complete(&text.body);
    assert!(text.body.contains("and 500 more labels"));
    assert!(text.body.contains("Why not another model (100)"));
    let shown = text.body.matches("n |").count();
    assert!(text.body.contains("| `0-n"), "the newest");
    assert!(!text.body.contains("| `29-n"), "{shown}");
    facts.metrics = many(1, 3000).labels.remove(0).figures;
    let place = facts.changes[0].clone();
    facts.changes = vec![place; 2000];
    assert_complete(&pull_request(&facts, None, None).unwrap().body);
}

#[test]
fn what_is_left_out_does_not_change_the_digest() {
    let facts = many(500, 2);
    let text = pull_request(&facts, None, None).unwrap();
    let mut later = facts.clone();
    later.rejected[0].reason = "created 2h ago; ".repeat(100);
    let later = pull_request(&later, None, None).unwrap();
    assert_ne!(later.body, text.body);
    assert_eq!(later.mark, text.mark);
    // A label that is left out is part of it all the same.
    let mut other = facts;
    other.labels[0].figures[0].new = Some(0.500_1);
    assert_ne!(pull_request(&other, None, None).unwrap().mark, text.mark);
}

#[test]
fn a_template_that_does_not_say_how_many_are_left_out_is_cut() {
    let row = "{% for label in labels %}\n{{ label.label }} {{ label.label }} {{ label.label }} \
               {{ label.label }} {{ label.label }} {{ label.label }} {{ label.label }}\n{% endfor %}\n";
    let end = "the end";
    let cut = Template {
        origin: "body.md".to_owned(),
        text: format!("{row}{end}").into(),
    };
    let text = pull_request(&many(500, 1), None, Some(&cut)).unwrap();
    assert!(text.body.contains("some-label-0000") && !text.body.contains(end));
    assert!(
        text.body
            .contains("*There is more, which does not fit here.*")
    );
    let shortened = Template {
        origin: "body.md".to_owned(),
        text: format!("{row}{end}, without {{{{ moreLabels }}}}").into(),
    };
    let text = pull_request(&many(500, 1), None, Some(&shortened)).unwrap();
    assert!(text.body.contains("the end, without "), "{}", text.body);
    // One line that is too long: its beginning.
    let line = Template {
        origin: "body.md".to_owned(),
        text: format!("start {}", "é".repeat(70_000)).into(),
    };
    let text = pull_request(&facts(), None, Some(&line)).unwrap();
    assert!(text.body.chars().count() <= 65_536);
    assert!(text.body.contains("\nstart éééé"), "{:.200}", text.body);
}

#[test]
fn control_characters_go_nowhere() {
    let mut facts = facts();
    facts.config = "a\0b\u{1b}[31mc\nd".to_owned();
    facts.summary = "why\u{7}".to_owned();
    let text = pull_request(&facts, None, None).unwrap();
    assert_eq!(text.title, "a b [31mc d: update the model to TCN2");
    let message = commit_message(&facts, None, None).unwrap();
    for text in [text.body, message] {
        let is_bad = |character: &char| character.is_control() && *character != '\n';
        assert_eq!(text.chars().find(is_bad), None, "{text:?}");
    }
}
