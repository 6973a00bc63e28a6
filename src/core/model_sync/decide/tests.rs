//! The table: what is seen, and what is done.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::core::model_sync::resource::{ModelSyncSpec, Parameter};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + second).unwrap()
}

/// Everything that can be seen, with the uninteresting already set: an answer of yes with the model
/// `m1`, no runs, time 1000.
#[derive(Clone)]
struct World {
    model_sync: ModelSync,
    runs: Result<Vec<Run>, Unlisted>,
    memory: Option<Memory>,
    answer: Option<Result<NeedsSync, String>>,
    refusal: Option<Refusal>,
    now: i64,
}

fn world() -> World {
    let model_sync = json!({
        "apiVersion": "automl.cloudai.kubeflow.org/v1alpha1",
        "kind": "ModelSync",
        "metadata": {"name": "deploy", "namespace": "prod", "uid": "u", "generation": 1},
        "spec": {
            "needsSyncUrl": "http://lambda/needsSync",
            "parameters": [{"needsSyncName": "name", "pipelineName": "model"}],
            "pipelineRunTemplate": {"spec": {"pipelineRef": {"name": "p"}}},
        },
    });
    World {
        model_sync: serde_json::from_value(model_sync).unwrap(),
        runs: Ok(Vec::new()),
        memory: None,
        answer: Some(Ok(yes("m1"))),
        refusal: None,
        now: 1000,
    }
}

fn yes(model: &str) -> NeedsSync {
    NeedsSync {
        needs_sync: true,
        parameters: BTreeMap::from([("name".to_owned(), model.to_owned())]),
        ..NeedsSync::default()
    }
}

impl World {
    fn spec(mut self, change: impl FnOnce(&mut ModelSyncSpec)) -> Self {
        change(&mut self.model_sync.spec);
        self
    }

    fn answer(mut self, answer: Option<Result<NeedsSync, String>>) -> Self {
        self.answer = answer;
        self
    }

    fn no(self) -> Self {
        self.answer(Some(Ok(NeedsSync::default())))
    }

    fn at(mut self, second: i64) -> Self {
        self.now = second;
        self
    }

    fn decide(&self) -> Decision {
        decide(&Observed {
            model_sync: &self.model_sync,
            runs: self.runs.as_deref(),
            memory: self.memory.as_ref(),
            answer: self.answer.as_ref(),
            refusal: self.refusal.as_ref(),
            now: at(self.now),
        })
    }

    /// The decision in a line.
    fn line(&self) -> String {
        let decision = self.decide();
        let step = match &decision.step {
            Step::Ask => "ask".to_owned(),
            Step::Create(run) => format!(
                "create {} {} attempt {}",
                run.number,
                run.parameters.get("model").map_or("-", String::as_str),
                run.object["metadata"]["annotations"]["automl.cloudai.kubeflow.org/attempt"]
                    .as_str()
                    .unwrap()
            ),
            Step::Wait => "wait".to_owned(),
        };
        let reason = decision.reason.map_or("-", Reason::name);
        let next = match decision.next {
            Some(next) => format!("{}s", next.as_secs()),
            None => "-".to_owned(),
        };
        match decision.step {
            Step::Wait => format!("{step} {reason} {next}"),
            _ => step,
        }
    }

    /// Does what a controller does: remembers, writes the status, creates the run.
    fn act(&mut self) -> Decision {
        let decision = self.decide();
        self.memory = decision.memory.clone();
        match &decision.step {
            Step::Create(new) => {
                let mut object = new.object.clone();
                object["metadata"]["uid"] = json!(format!("uid-{}", new.number));
                object["metadata"]["creationTimestamp"] = json!(at(self.now));
                let run = Run::owned(&object, "u").unwrap();
                self.runs.as_mut().unwrap().push(run);
            }
            Step::Wait => self.model_sync.status = Some(decision.status.clone()),
            Step::Ask => {}
        }
        decision
    }

    /// Starts a run, sees it, and lets it end.
    fn ended(mut self, outcome: &str) -> Self {
        let decision = self.act();
        assert!(matches!(decision.step, Step::Create(_)), "{decision:?}");
        self.act();
        let ended = Some(at(self.now));
        let run = self.runs.as_mut().unwrap().last_mut().unwrap();
        run.start_time = ended;
        run.state = match outcome {
            "Succeeded" => RunState::Succeeded { at: ended },
            _ => RunState::Failed {
                at: ended,
                why: "Failed: step exited with 1.".to_owned(),
            },
        };
        self
    }
}

#[test]
fn before_anything_has_run() {
    for (line, world) in [
        ("ask", world().answer(None)),
        ("create 1 m1 attempt 1", world()),
        ("wait InSync 60s", world().no()),
        (
            "wait NeedsSyncError 60s",
            world().answer(Some(Err("e".into()))),
        ),
        (
            "wait NeedsSyncError 60s",
            world().answer(Some(Ok(NeedsSync {
                needs_sync: true,
                ..NeedsSync::default()
            }))),
        ),
        (
            "wait Suspended -",
            world().answer(None).spec(|spec| spec.suspend = true),
        ),
        (
            "wait TektonMissing 60s",
            World {
                runs: Err(Unlisted::NoSuchKind),
                ..world()
            },
        ),
        (
            "wait InvalidTemplate -",
            world().spec(|spec| spec.pipeline_run_template.spec.0.clear()),
        ),
        (
            "wait InSync 5s",
            world().no().spec(|spec| spec.interval = "5s".into()),
        ),
        // Whatever is stored, nothing is asked more than once a second.
        (
            "wait InSync 1s",
            world().no().spec(|spec| spec.interval = "0s".into()),
        ),
    ] {
        assert_eq!(world.line(), line);
    }
}

#[test]
fn a_lambda_without_parameters_starts_a_run_without_any() {
    let mut world = world().spec(|spec| spec.parameters.clear());
    world.answer = Some(Ok(yes("unasked")));
    assert_eq!(world.line(), "create 1 - attempt 1");
}

#[test]
fn nothing_is_started_or_asked_while_a_run_is_active() {
    let mut world = world();
    world.act();
    assert_eq!(world.line(), "wait RunActive 60s");
    for (line, changed) in [
        ("wait RunActive 60s", world.clone().answer(None)),
        (
            "wait RunActive 60s",
            world.clone().answer(Some(Ok(yes("m2")))),
        ),
        (
            "wait RunActive 60s",
            world.clone().spec(|spec| spec.suspend = true),
        ),
        // The spec changed: another template, another generation.
        (
            "wait RunActive 60s",
            world.clone().spec(|spec| {
                spec.pipeline_run_template.spec.0 = json!({"pipelineRef": {"name": "q"}})
                    .as_object()
                    .unwrap()
                    .clone();
            }),
        ),
    ] {
        assert_eq!(changed.line(), line);
    }
    // One that is being deleted may still run.
    world.runs.as_mut().unwrap()[0].is_being_deleted = true;
    assert_eq!(world.line(), "wait RunActive 60s");
    let status = world.decide().status;
    assert_eq!(
        status.active[0].name.as_deref(),
        Some(world.runs.unwrap()[0].key.name.as_str())
    );
    assert_eq!(status.last_parameters["model"], "m1");
}

#[test]
fn after_a_success_the_same_waits_until_the_answer_changes() {
    let world = world().ended("Succeeded");
    assert_eq!(world.line(), "wait AwaitingChange 60s");
    // Another model is another answer.
    let other = world.clone().answer(Some(Ok(yes("m2"))));
    assert_eq!(other.line(), "create 2 m2 attempt 1");
    // Still the same after repeatAfter: once more.
    assert_eq!(
        world.clone().at(1000 + 86_399).line(),
        "wait AwaitingChange 1s"
    );
    assert_eq!(
        world.clone().at(1000 + 86_400).line(),
        "create 2 m1 attempt 1"
    );
    // It was "no" in between: a new beginning.
    let mut world = world.no();
    world.act();
    assert_eq!(world.line(), "wait InSync 60s");
    assert_eq!(
        world.answer(Some(Ok(yes("m1")))).line(),
        "create 2 m1 attempt 1"
    );
}

#[test]
fn after_a_success_a_new_template_is_something_else() {
    let world = world().ended("Succeeded").spec(|spec| {
        spec.interval = "30s".into();
        spec.successful_pipeline_runs_history_limit = 5;
    });
    assert_eq!(world.line(), "wait AwaitingChange 30s");
    let world = world.spec(|spec| {
        spec.pipeline_run_template
            .metadata
            .labels
            .insert("a".into(), "b".into());
    });
    assert_eq!(world.line(), "create 2 m1 attempt 1");
}

#[test]
fn after_failures_the_wait_doubles_and_survives_a_restart() {
    let mut world = world();
    for (attempt, wait) in [(1, 60), (2, 120), (3, 240), (4, 480)] {
        assert_eq!(
            world.line(),
            format!("create {attempt} m1 attempt {attempt}")
        );
        world = world.ended("Failed");
        // A restart: what the process remembered is gone.
        world.memory = None;
        assert_eq!(world.line(), "wait RunFailed 60s");
        let now = world.now;
        assert_eq!(world.clone().at(now + wait - 1).line(), "wait RunFailed 1s");
        world.now += wait;
    }
    assert_eq!(world.line(), "create 5 m1 attempt 5");
}

#[test]
fn the_wait_has_a_limit_and_can_be_set() {
    let mut world = world().spec(|spec| {
        spec.back_off.initial = "2s".into();
        spec.back_off.maximum = "3s".into();
    });
    for wait in [2, 3, 3] {
        world = world.ended("Failed");
        let now = world.now;
        assert!(
            !world
                .clone()
                .at(now + wait - 1)
                .line()
                .starts_with("create")
        );
        world.now += wait;
        assert!(world.line().starts_with("create"));
    }
}

#[test]
fn a_new_answer_or_template_ends_the_wait_after_a_failure() {
    let world = world().ended("Failed");
    assert_eq!(
        world.clone().answer(Some(Ok(yes("m2")))).line(),
        "create 2 m2 attempt 1"
    );
    let mut settled = world.clone().no();
    settled.act();
    assert_eq!(
        settled.answer(Some(Ok(yes("m1")))).line(),
        "create 2 m1 attempt 1"
    );
    let fixed = world.spec(|spec| {
        spec.parameters.push(Parameter {
            needs_sync_name: Some("name".into()),
            pipeline_name: "extra".into(),
        });
    });
    assert_eq!(fixed.line(), "create 2 m1 attempt 1");
}

#[test]
fn the_reason_of_a_failure_is_told() {
    let decision = world().ended("Failed").decide();
    let name = &decision.status.last_run.as_ref().unwrap().name;
    assert_eq!(
        decision.status.conditions[0].message,
        format!(
            "PipelineRun {name} failed (Failed: step exited with 1); attempt 2 is due at {}",
            at(1060)
        )
    );
}

#[test]
fn a_run_that_is_deleted_by_hand_is_started_again_under_another_number() {
    // While it is active.
    let mut active = world();
    active.act();
    active.act();
    active.runs = Ok(Vec::new());
    assert_eq!(active.line(), "create 2 m1 attempt 1");
    // After it failed: that is how a person has it tried again at once.
    let mut failed = world().ended("Failed");
    failed.act();
    failed.runs = Ok(Vec::new());
    assert_eq!(failed.line(), "create 2 m1 attempt 1");
    // A success is remembered: pruners delete runs, too.
    let mut succeeded = world().ended("Succeeded");
    succeeded.act();
    succeeded.runs = Ok(Vec::new());
    assert_eq!(succeeded.line(), "wait AwaitingChange 60s");
    let status = succeeded.decide().status;
    assert_eq!(status.last_parameters["model"], "m1");
    assert!(status.last_sync_time.is_some());
}

#[test]
fn is_not_asked_again_before_it_is_due() {
    let mut world = world().no();
    world.act();
    let world = world.answer(None);
    assert_eq!(world.clone().at(1010).line(), "wait - 50s");
    assert_eq!(world.clone().at(1060).line(), "ask");
    let mut changed = world.clone();
    changed.model_sync.metadata.generation = Some(2);
    assert_eq!(changed.line(), "ask");
    let mut restarted = world;
    restarted.memory = None;
    assert_eq!(restarted.line(), "ask");
}

#[test]
fn the_end_of_a_run_is_asked_about_at_once() {
    let mut world = world().no();
    world.act();
    world = world
        .answer(Some(Ok(yes("m1"))))
        .ended("Succeeded")
        .answer(None);
    assert_eq!(world.line(), "ask");
}

#[test]
fn a_lambda_that_fails_is_asked_less_and_less() {
    let mut world = world().answer(Some(Err("e".into())));
    for wait in [60, 120, 240, 480, 600, 600] {
        assert_eq!(world.line(), format!("wait NeedsSyncError {wait}s"));
        world.act();
        let waiting = world.clone().answer(None);
        let now = world.now;
        assert_eq!(waiting.clone().at(now + wait - 1).line(), "wait - 1s");
        assert_eq!(waiting.at(now + wait).line(), "ask");
        world.now += wait;
    }
    let mut world = world.no();
    world.act();
    assert_eq!(world.memory.unwrap().failures, 0);
}

#[test]
fn an_interval_above_the_longest_wait_is_kept_after_failures() {
    let world = world()
        .answer(Some(Err("e".into())))
        .spec(|spec| spec.interval = "2h".into());
    assert_eq!(world.line(), "wait NeedsSyncError 7200s");
}

#[test]
fn a_refusal_is_told_and_tried_again_later() {
    for (is_for_good, stalled, first) in [(true, "True", 60), (false, "False", 5)] {
        let mut world = world();
        world.refusal = Some(Refusal {
            message: "cannot".into(),
            is_for_good,
        });
        assert_eq!(world.line(), format!("wait CreateRunError {first}s"));
        let conditions = world.act().status.conditions;
        assert_eq!(conditions[2].status, stalled);
        assert_eq!(world.line(), format!("wait CreateRunError {}s", 2 * first));
        world.refusal = None;
        world.answer = None;
        assert_eq!(world.line(), format!("wait - {first}s"));
    }
}

#[test]
fn where_runs_cannot_be_listed_nothing_is_known_of_them() {
    let mut world = world().ended("Succeeded").no();
    world.act();
    let before = world.model_sync.status.clone().unwrap();
    let runs = std::mem::replace(&mut world.runs, Err(Unlisted::Failed("no".into())));
    world = world.answer(None);
    assert_eq!(world.line(), "wait ListRunsError 5s");
    let after = world.act().status;
    assert_eq!(
        (after.active, after.last_run),
        (before.active, before.last_run)
    );
    let statuses: Vec<&str> = after
        .conditions
        .iter()
        .map(|condition| condition.status.as_str())
        .collect();
    assert_eq!(statuses, ["False", "Unknown", "False"]);
    assert_eq!(world.line(), "wait ListRunsError 10s");
    // Once they can be listed, the old status does not stand until the next question is due.
    world.runs = runs;
    assert_eq!(world.line(), "ask");
}

#[test]
fn where_tekton_was_missing_it_is_asked_as_soon_as_it_is_there() {
    let mut world = world().answer(None);
    world.runs = Err(Unlisted::NoSuchKind);
    for _ in 0..3 {
        assert_eq!(world.line(), "wait TektonMissing 60s");
        world.act();
    }
    world.runs = Ok(Vec::new());
    assert_eq!(world.line(), "ask");
}

#[test]
fn history_is_kept_to_its_limits_whatever_else_is_done() {
    let mut world = world().spec(|spec| {
        spec.failed_pipeline_runs_history_limit = 2;
        spec.back_off.initial = "1s".into();
        spec.back_off.maximum = "1s".into();
    });
    for _ in 0..4 {
        world = world.ended("Failed");
        world.now += 1;
    }
    let deleted = |world: &World| world.decide().delete.len();
    assert_eq!(deleted(&world), 2);
    world.act();
    assert_eq!(world.line(), "wait RunActive 60s");
    assert_eq!(deleted(&world), 2);
    let suspended = world.spec(|spec| spec.suspend = true);
    assert_eq!(deleted(&suspended), 2);
}

#[test]
fn what_is_being_deleted_starts_nothing() {
    let mut world = world();
    world.model_sync.metadata.deletion_timestamp = Some(Time(at(0)));
    assert_eq!(world.line(), "wait - -");
}

#[test]
fn the_status_settles() {
    for world in [
        world().no(),
        world().ended("Succeeded"),
        world().ended("Failed"),
    ] {
        let mut world = world;
        world.act();
        let before = world.model_sync.status.clone();
        world.now += 7;
        assert_eq!(Some(world.decide().status), before);
    }
}

#[test]
fn a_status_of_the_first_version_is_taken_over() {
    let mut world = world();
    let status: Value = json!({"active": [{"kind": "PipelineRun", "name": "deploy-1a2b3",
        "namespace": "prod", "uid": "x", "apiVersion": "tekton.dev/v1beta1",
        "resourceVersion": "12"}]});
    world.model_sync.status = Some(serde_json::from_value(status).unwrap());
    assert_eq!(world.line(), "create 1 m1 attempt 1");
}

#[test]
fn an_outdated_template_is_told_in_a_condition() {
    let mut world = world();
    world
        .model_sync
        .spec
        .pipeline_run_template
        .spec
        .0
        .insert("resources".into(), json!([]));
    let conditions = world.no().decide().status.conditions;
    let outdated = conditions.last().unwrap();
    assert_eq!(
        (outdated.type_.as_str(), outdated.reason.as_str()),
        ("TemplateOutdated", "RemovedFields")
    );
    assert!(
        outdated.message.contains("PipelineResources"),
        "{}",
        outdated.message
    );
}
