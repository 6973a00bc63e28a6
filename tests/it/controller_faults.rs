//! `modelsync controller` when things break: a fault at each of its calls, its own death at each of
//! them, two of it at once, watches that expire, and an API server that goes away. Whatever happens,
//! two runs are never active at once, and each answer gets one run.

use serde_json::{Value, json};

use crate::harness::api_server::{ApiServer, Fault, end_run, leases, model_syncs, pipeline_runs};
use crate::harness::controller::{
    Controller, NAMESPACE, assert_never_two_active, condition, create_model_sync, edit_model_sync,
    get, runs, wait_active, wait_ready,
};
use crate::harness::lambda::{Lambda, Reply};

fn yes(model: &str) -> Reply {
    Reply::Yes(model.to_owned())
}

/// Three models one after the other, of which history keeps one, and then nothing to do.
struct Story {
    server: ApiServer,
    lambda: Lambda,
}

const MODELS: [&str; 3] = ["m1", "m2", "m3"];

impl Story {
    fn begin() -> Self {
        let server = ApiServer::start();
        let lambda = Lambda::start(yes(MODELS[0]));
        let spec = json!({"successfulPipelineRunsHistoryLimit": 1});
        create_model_sync(&server.state, &lambda, "deploy", &spec);
        Self { server, lambda }
    }

    /// Plays the story to its end beside whatever reconciles it.
    fn play(&self) {
        let state = &self.server.state;
        for (index, model) in MODELS.iter().enumerate() {
            let name = wait_active(state, model);
            match MODELS.get(index + 1) {
                Some(next) => self.lambda.reply(yes(next)),
                None => self.lambda.reply(Reply::No),
            }
            state.change(|store| end_run(store, NAMESPACE, &name, true));
        }
        wait_ready(state, "deploy", "True InSync");
        state.wait("the history to be trimmed", |store| {
            (store.list(&pipeline_runs(), None, "").len() == 1).then_some(())
        });
    }

    /// One run for each answer, one at a time, and the right one kept.
    fn check(&self, what: &str) {
        let state = &self.server.state;
        assert_never_two_active(state);
        assert_eq!(state.store().created_runs.len(), MODELS.len(), "{what}");
        let kept = runs(state);
        assert_eq!(kept.len(), 1, "{what}");
        assert_eq!(kept[0]["spec"]["params"][0]["value"], "m3", "{what}");
        let model_sync = state
            .store()
            .get(&model_syncs(), NAMESPACE, "deploy")
            .unwrap();
        assert_eq!(model_sync["status"]["active"], Value::Null, "{what}");
        assert_eq!(
            model_sync["status"]["lastParameters"]["automl-model"], "m3",
            "{what}"
        );
        assert_eq!(model_sync["status"]["lastRun"]["number"], 3, "{what}");
    }
}

/// How many calls the story takes when nothing goes wrong.
fn calls_of_the_story() -> Vec<String> {
    let story = Story::begin();
    let controller = Controller::start(&story.server);
    story.play();
    story.check("without a fault");
    drop(controller);
    story.server.state.calls()
}

#[test]
fn a_fault_or_death_at_any_call_changes_nothing_in_the_end() {
    let calls = calls_of_the_story();
    for expected in [
        "GET modelsyncs",
        "GET pipelineruns",
        "POST pipelineruns",
        "POST events",
        "PATCH modelsyncs/status",
        "DELETE pipelineruns",
    ] {
        assert!(
            calls.iter().any(|call| call == expected),
            "{expected} in {calls:#?}"
        );
    }
    let faults = [
        Fault::FailBefore(500),
        Fault::FailBefore(409),
        Fault::FailAfter(500),
        Fault::CutAfter,
        Fault::HoldBefore,
        Fault::HoldAfter,
    ];
    let cases: Vec<(usize, Fault)> = (0..calls.len())
        .flat_map(|call| faults.map(|fault| (call, fault)))
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((call, fault)) = cases.get(index) else {
                        return;
                    };
                    story_with(*call, *fault);
                }
            });
        }
    });
}

/// The story with a fault at one of its calls; when that holds the controller up, it is killed
/// there, and another takes over.
fn story_with(call: usize, fault: Fault) {
    let story = Story::begin();
    let state = &story.server.state;
    state.plan(call, fault);
    let mut controller = Controller::start(&story.server);
    let is_death = matches!(fault, Fault::HoldBefore | Fault::HoldAfter);
    let mut successor = None;
    std::thread::scope(|scope| {
        let player = scope.spawn(|| story.play());
        if is_death {
            state.wait("the fault, or the end", |_| {
                (state.has_happened() || player.is_finished()).then_some(())
            });
            controller.kill();
            successor = Some(Controller::start(&story.server));
        }
    });
    let place = state.calls().get(call).cloned().unwrap_or_default();
    story.check(&format!("{fault:?} at call {call}, {place}"));
}

#[test]
fn two_controllers_without_a_lease_start_each_run_once() {
    let server = ApiServer::start();
    let state = &server.state;
    let lambda = Lambda::start(yes("m0"));
    create_model_sync(state, &lambda, "deploy", &json!({}));
    let _controllers = [Controller::start(&server), Controller::start(&server)];
    let mut third = Controller::start(&server);
    for index in 0..12 {
        let name = wait_active(state, &format!("m{index}"));
        if index == 6 {
            third.kill();
        }
        lambda.reply(yes(&format!("m{}", index + 1)));
        state.change(|store| end_run(store, NAMESPACE, &name, index % 4 != 3));
    }
    wait_active(state, "m12");
    assert_never_two_active(state);
    let store = state.store();
    assert_eq!(store.created_runs.len(), 13);
}

#[test]
fn two_controllers_that_get_different_answers_start_one_run() {
    let server = ApiServer::start();
    let state = &server.state;
    // Each question is answered with another model.
    let lambda = Lambda::start(Reply::Counted);
    create_model_sync(state, &lambda, "deploy", &json!({}));
    let _controllers = [
        Controller::start(&server),
        Controller::start(&server),
        Controller::start(&server),
    ];
    for number in 1..=8 {
        let number = number.to_string();
        let name = state.wait("the next run", |store| {
            let runs = store.list(&pipeline_runs(), None, "");
            let run = runs.iter().find(|run| {
                let annotations = &run["metadata"]["annotations"];
                annotations["automl.cloudai.kubeflow.org/run-number"] == number.as_str()
            })?;
            run["metadata"]["name"].as_str().map(str::to_owned)
        });
        state.change(|store| end_run(store, NAMESPACE, &name, true));
    }
    assert_never_two_active(state);
}

/// A controller that sleeps right before it creates a run, and wakes up when another has created that
/// run, seen it end, and begun the next.
#[test]
fn a_create_that_comes_too_late_starts_nothing() {
    let server = ApiServer::start();
    let state = &server.state;
    let lambda = Lambda::start(yes("m1"));
    create_model_sync(state, &lambda, "deploy", &json!({}));
    state.plan_next("POST pipelineruns", Fault::Delay);
    let late = Controller::start(&server);
    state.wait("the create", |_| state.has_happened().then_some(()));
    let _other = Controller::start(&server);
    let first = wait_active(state, "m1");
    wait_ready(state, "deploy", "False RunActive");
    lambda.reply(yes("m2"));
    state.change(|store| end_run(store, NAMESPACE, &first, true));
    wait_active(state, "m2");
    state.release();
    late.wait_for_line("the PipelineRun is there already");
    assert_never_two_active(state);
    assert_eq!(state.store().created_runs.len(), 2);
}

#[test]
fn a_status_that_somebody_else_has_changed_is_written_again() {
    let story = Story::begin();
    let state = &story.server.state;
    let _controller = Controller::start(&story.server);
    std::thread::scope(|scope| {
        let player = scope.spawn(|| story.play());
        let mut round = 0;
        while !player.is_finished() {
            round += 1;
            let patch = json!({"metadata": {"annotations": {"round": round.to_string()}}});
            let kind = model_syncs();
            let patched =
                state.change(|store| store.patch(&kind, NAMESPACE, "deploy", false, &patch));
            patched.unwrap_or_else(|refusal| panic!("{refusal:?}"));
            std::thread::yield_now();
            if round > 300 {
                break;
            }
        }
    });
    story.check("with a rival");
}

#[test]
fn watches_that_expire_are_begun_anew() {
    let story = Story::begin();
    let state = &story.server.state;
    let _controller = Controller::start(&story.server);
    wait_active(state, "m1");
    state.expire_watches();
    std::thread::scope(|scope| {
        let player = scope.spawn(|| story.play());
        state.wait("the second run", |store| {
            (store.created_runs.len() > 1 || player.is_finished()).then_some(())
        });
        state.expire_watches();
    });
    story.check("with watches that expire");
    // A ModelSync that is made after that is seen, too.
    story.lambda.reply(yes("m9"));
    create_model_sync(state, &story.lambda, "late", &json!({}));
    wait_ready(state, "late", "False RunActive");
}

#[test]
fn an_api_server_that_goes_away_and_comes_back_is_used_again() {
    let mut story = Story::begin();
    let state = story.server.state.clone();
    let controller = Controller::start(&story.server);
    let name = wait_active(&state, "m1");
    wait_ready(&state, "deploy", "False RunActive");
    story.server.stop();
    controller.wait_for_line("\"WARN\"");
    // Meanwhile the run ends, and the answer changes.
    state.change(|store| end_run(store, NAMESPACE, &name, true));
    story.lambda.reply(yes("m2"));
    story.server.start_again();
    let name = wait_active(&state, "m2");
    state.change(|store| end_run(store, NAMESPACE, &name, true));
    story.lambda.reply(yes("m3"));
    let name = wait_active(&state, "m3");
    state.change(|store| end_run(store, NAMESPACE, &name, true));
    story.lambda.reply(Reply::No);
    wait_ready(&state, "deploy", "True InSync");
    assert_never_two_active(&state);
    assert_eq!(state.store().created_runs.len(), 3);
}

/// A webhook that is down, and a permission that was taken away: the status from before must not
/// stand, and the lambda is not asked again for each attempt.
#[test]
fn what_cannot_be_listed_or_created_takes_the_place_of_the_old_status() {
    for (call, code, reason, syncing, doing) in [
        (
            "POST pipelineruns",
            500,
            "CreateRunError",
            "False",
            "cannot create the PipelineRun prod/deploy-",
        ),
        (
            "GET pipelineruns",
            403,
            "ListRunsError",
            "Unknown",
            "cannot list the PipelineRuns of tekton.dev/v1 in prod: ",
        ),
    ] {
        let server = ApiServer::start();
        let state = &server.state;
        let lambda = Lambda::start(Reply::No);
        create_model_sync(state, &lambda, "deploy", &json!({}));
        let _controller = Controller::start(&server);
        wait_ready(state, "deploy", "True InSync");
        state.refuse(Some((call, code)));
        lambda.reply(yes("m1"));
        let model_sync = wait_ready(state, "deploy", &format!("False {reason}"));
        let ready = condition(&model_sync, "Ready");
        let message = ready["message"].as_str().unwrap();
        assert!(message.starts_with(doing), "{message}");
        assert_eq!(condition(&model_sync, "Stalled")["status"], "False");
        assert_eq!(condition(&model_sync, "Syncing")["status"], syncing);
        state.refuse(None);
        wait_ready(state, "deploy", "False RunActive");
        assert_never_two_active(state);
    }
}

#[test]
fn a_permission_that_is_missing_is_named() {
    let server = ApiServer::start();
    let state = &server.state;
    let lambda = Lambda::start(yes("m1"));
    create_model_sync(state, &lambda, "deploy", &json!({}));
    state.refuse(Some(("POST pipelineruns", 403)));
    let _controller = Controller::start(&server);
    let model_sync = wait_ready(state, "deploy", "False CreateRunError");
    let conditions = model_sync["status"]["conditions"].to_string();
    assert!(
        conditions.contains("cannot create the PipelineRun prod/deploy-"),
        "{conditions}"
    );
    state.refuse(None);
    edit_model_sync(state, "deploy", &json!({"interval": "2s"}));
    wait_ready(state, "deploy", "False RunActive");
}

#[test]
fn one_leads_and_the_next_takes_over_when_it_ends() {
    let server = ApiServer::start();
    let state = &server.state;
    let lambda = Lambda::start(yes("m1"));
    let start =
        |identity: &str| Controller::start_with(&server.kubeconfig(), &["--identity", identity]);
    let one = start("one");
    one.wait_for_line("\"leading\"");
    let two = start("two");
    two.wait_for_line("\"waiting to lead\"");
    let lease = || {
        let store = state.store();
        let lease = store.get(&leases(), "modelsync-system", "modelsync-controller");
        lease.unwrap_or_else(|refusal| panic!("{refusal:?}"))
    };
    assert_eq!(lease()["spec"]["holderIdentity"], "one");
    create_model_sync(state, &lambda, "deploy", &json!({}));
    wait_ready(state, "deploy", "False RunActive");
    assert!(!two.log().contains("created a PipelineRun"));
    // Asked to end, it gives back the lead, and the next need not wait for the Lease to end.
    assert_eq!(one.terminate(), 0);
    two.wait_for_line("\"leading\"");
    assert_eq!(lease()["spec"]["holderIdentity"], "two");
    assert_eq!(lease()["spec"]["leaseTransitions"], 1);
    assert_never_two_active(state);
}

#[test]
fn who_loses_the_lead_ends() {
    let server = ApiServer::start();
    let state = &server.state;
    let mut controller = Controller::start_with(&server.kubeconfig(), &["--identity", "one"]);
    controller.wait_for_line("\"leading\"");
    let spec = json!({"spec": {"holderIdentity": "usurper", "leaseDurationSeconds": 15}});
    let (kind, name) = (leases(), "modelsync-controller");
    let patched = state.change(|store| store.patch(&kind, "modelsync-system", name, false, &spec));
    patched.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    assert_eq!(controller.exit_code(), 1);
    controller.wait_for_line("error: the lead was lost: usurper holds the Lease; start again");
}

#[test]
fn it_ends_when_asked_to_also_without_an_api_server() {
    let mut server = ApiServer::start();
    server.stop();
    for arguments in [&["--no-leader-elect"][..], &["--identity", "one"][..]] {
        let controller = Controller::start_with(&server.kubeconfig(), arguments);
        controller.wait_for_line("\"WARN\"");
        assert_eq!(controller.terminate(), 0);
    }
}

/// Asked once an hour: what is lost now is lost for an hour.
#[test]
fn an_answer_is_not_lost_when_the_status_cannot_be_written() {
    for code in [409, 500] {
        let server = ApiServer::start();
        let state = &server.state;
        let lambda = Lambda::start(Reply::No);
        create_model_sync(state, &lambda, "deploy", &json!({"interval": "1h"}));
        state.plan_next("PATCH modelsyncs/status", Fault::FailBefore(code));
        let _controller = Controller::start(&server);
        wait_ready(state, "deploy", "True InSync");
        assert!(state.has_happened());
    }
}

#[test]
fn a_run_that_has_lost_its_annotations_is_named() {
    let server = ApiServer::start();
    let state = &server.state;
    let lambda = Lambda::start(yes("m1"));
    create_model_sync(state, &lambda, "deploy", &json!({}));
    let mut controller = Controller::start(&server);
    let name = wait_active(state, "m1");
    wait_ready(state, "deploy", "False RunActive");
    controller.kill();
    let stripped = json!({"metadata": {"annotations": null}});
    let forgotten = json!({"status": null});
    state.change(|store| {
        end_run(store, NAMESPACE, &name, true);
        for (kind, name, is_status, patch) in [
            (pipeline_runs(), name.as_str(), false, &stripped),
            (model_syncs(), "deploy", true, &forgotten),
        ] {
            let patched = store.patch(&kind, NAMESPACE, name, is_status, patch);
            patched.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        }
    });
    let _controller = Controller::start(&server);
    let model_sync = wait_ready(state, "deploy", "False CreateRunError");
    assert_eq!(
        condition(&model_sync, "Stalled")["message"],
        format!(
            "the PipelineRun {name} is there, but has lost the annotations that say which run it \
             is; delete it"
        )
    );
}

#[test]
fn it_is_not_ready_where_it_may_not_lead() {
    let server = ApiServer::start();
    server.state.refuse(Some(("GET leases", 403)));
    let controller = Controller::start_with(&server.kubeconfig(), &["--identity", "one"]);
    controller.wait_for_line("cannot lead yet");
    let address = controller.address();
    let (head, body) = get(&address, "/readyz");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert_eq!(
        body,
        "cannot lead: cannot read the Lease modelsync-system/modelsync-controller: a fault was \
         asked for\n"
    );
    server.state.refuse(None);
    controller.wait_for_line("\"leading\"");
    assert_eq!(get(&address, "/readyz").1, "ok\n");
}
