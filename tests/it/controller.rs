//! `modelsync controller` against a test API server: what it does when all goes well, and what users
//! see when it does not. Crashes, faults and races are in `controller_faults`.

use serde_json::{Value, json};

use crate::harness::api_server::{ApiServer, end_run, events, model_syncs, pipeline_runs};
use crate::harness::controller::{
    Controller, NAMESPACE, assert_never_two_active, condition, create_model_sync, edit_model_sync,
    get, ready, runs, wait_active, wait_event, wait_ready,
};
use crate::harness::lambda::{Lambda, Reply};

fn yes(model: &str) -> Reply {
    Reply::Yes(model.to_owned())
}

/// A server, a lambda, a controller, and one ModelSync `deploy`.
fn world(reply: Reply, spec: &Value) -> (ApiServer, Lambda, Controller) {
    let server = ApiServer::start();
    let lambda = Lambda::start(reply);
    create_model_sync(&server.state, &lambda, "deploy", spec);
    let controller = Controller::start(&server);
    (server, lambda, controller)
}

#[test]
fn the_whole_way_from_an_answer_to_a_change_in_git() {
    let (server, lambda, _controller) = world(yes("m1"), &json!({}));
    let state = &server.state;
    let name = wait_active(state, "m1");
    let model_sync = wait_ready(state, "deploy", "False RunActive");
    let status = &model_sync["status"];
    assert_eq!(status["active"][0]["name"], name.as_str());
    assert_eq!(status["lastParameters"], json!({"automl-model": "m1"}));
    assert_eq!(status["observedGeneration"], 1);
    assert!(status["lastSyncTime"].is_string());
    assert_eq!(condition(&model_sync, "Syncing")["status"], "True");

    let run = state
        .store()
        .get(&pipeline_runs(), NAMESPACE, &name)
        .unwrap();
    assert_eq!(
        run["spec"]["params"],
        json!([
            {"name": "automl-model", "value": "m1"},
            {"name": "branchName", "value": "auto-update"},
        ])
    );
    let owner = &run["metadata"]["ownerReferences"][0];
    assert_eq!(owner["uid"], model_sync["metadata"]["uid"]);
    assert_eq!(
        (&owner["controller"], &owner["blockOwnerDeletion"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        wait_event(state, "CreateRun"),
        format!("created the PipelineRun {name} with automl-model=m1")
    );

    state.change(|store| end_run(store, NAMESPACE, &name, true));
    let model_sync = wait_ready(state, "deploy", "False AwaitingChange");
    assert_eq!(model_sync["status"]["active"], Value::Null);
    // It goes on asking, and starts nothing.
    let asked = lambda.asked();
    while lambda.asked() < asked + 2 {
        std::thread::yield_now();
    }
    assert_eq!(runs(state).len(), 1);
    lambda.reply(Reply::No);
    wait_ready(state, "deploy", "True InSync");
    // The next model.
    lambda.reply(yes("m2"));
    wait_active(state, "m2");
    assert_eq!(runs(state).len(), 2);
    assert_never_two_active(state);
}

#[test]
fn the_first_versions_objects_apply_and_run_unchanged() {
    let server = ApiServer::start();
    let state = &server.state;
    let lambdas = [Lambda::start(yes("m1")), Lambda::start(Reply::Train)];
    let manifests = include_str!("../../testdata/controller/first-version.yaml");
    for (text, lambda) in manifests.split("---\n").zip(&lambdas) {
        let mut object: Value = serde_saphyr::from_str(text).unwrap();
        object["spec"]["needsSyncUrl"] = json!(lambda.url());
        let created = state.change(|store| store.create(&model_syncs(), NAMESPACE, object));
        created.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    }
    let _controller = Controller::start(&server);
    let model_sync = wait_ready(state, "deploy", "False RunActive");
    wait_ready(state, "train", "False RunActive");
    let run = |owner: &str| {
        let runs = runs(state);
        let run = runs
            .iter()
            .find(|run| run["metadata"]["ownerReferences"][0]["name"] == owner);
        run.cloned().unwrap()
    };
    // What Tekton no longer has is passed on where it can be, and told.
    assert_eq!(
        run("deploy")["spec"],
        json!({
            "params": [
                {"name": "automl-model", "value": "m1"},
                {"name": "branchName", "value": "auto-update"},
                {"name": "fork", "value": "git@git.example.com:bot/models.git"},
                {"name": "forkName", "value": "fork"},
                {"name": "repo-url", "value": "https://git.example.com/team/models.git"},
                {"name": "repo-revision", "value": "master"},
            ],
            "pipelineRef": {"name": "update-model-pr"},
            "taskRunTemplate": {"serviceAccountName": "auto-update"},
        })
    );
    let train = run("train");
    assert_eq!(train["spec"]["params"][0]["value"], "notebooks/train.ipynb");
    assert_eq!(
        train["spec"]["taskRunTemplate"]["serviceAccountName"],
        "default-editor"
    );
    let outdated = condition(&model_sync, "TemplateOutdated");
    let message = outdated["message"].as_str().unwrap();
    assert!(
        message.contains("Tekton has removed PipelineResources"),
        "{message}"
    );
    assert!(
        message.contains("taskRunTemplate.serviceAccountName"),
        "{message}"
    );
    assert_eq!(wait_event(state, "TemplateOutdated"), message);
    assert_never_two_active(state);
}

#[test]
fn a_training_without_parameters_starts_again_after_the_answer_was_no() {
    let (server, lambda, _controller) = world(Reply::Train, &json!({"parameters": []}));
    let state = &server.state;
    let first = wait_active(state, "notavlidmodel");
    wait_ready(state, "deploy", "False RunActive");
    state.change(|store| end_run(store, NAMESPACE, &first, true));
    wait_ready(state, "deploy", "False AwaitingChange");
    lambda.reply(Reply::No);
    wait_ready(state, "deploy", "True InSync");
    lambda.reply(Reply::Train);
    assert_ne!(wait_active(state, "notavlidmodel"), first);
    assert_never_two_active(state);
}

#[test]
fn a_failed_run_is_tried_again_after_a_wait_that_a_restart_keeps() {
    let spec = json!({"backOff": {"initial": "2s", "maximum": "1h"}});
    let (server, lambda, mut controller) = world(yes("m1"), &spec);
    let state = &server.state;
    let first = wait_active(state, "m1");
    wait_ready(state, "deploy", "False RunActive");
    state.change(|store| end_run(store, NAMESPACE, &first, false));
    let model_sync = wait_ready(state, "deploy", "False RunFailed");
    let message = condition(&model_sync, "Ready")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    let start =
        format!("PipelineRun {first} failed (Failed: Tasks Completed: 1); attempt 2 is due at ");
    assert!(message.starts_with(&start), "{message}");
    controller.kill();
    let _controller = Controller::start(&server);
    let second = wait_active(state, "m1");
    wait_ready(state, "deploy", "False RunActive");
    state.change(|store| end_run(store, NAMESPACE, &second, false));
    wait_ready(state, "deploy", "False RunFailed");
    // The second waits for 4 s; a new answer does not wait.
    lambda.reply(yes("m2"));
    wait_active(state, "m2");
    let attempts: Vec<Value> = runs(state)
        .iter()
        .map(|run| run["metadata"]["annotations"]["automl.cloudai.kubeflow.org/attempt"].clone())
        .collect();
    assert_eq!(attempts, ["1", "2", "1"]);
    let [first, second] = [0, 1].map(|index| {
        let run = &runs(state)[index];
        let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        (
            time(&run["metadata"]["creationTimestamp"]),
            time(&run["status"]["completionTime"]),
        )
    });
    assert!(
        second.0.duration_since(first.1).as_secs() >= 2,
        "{first:?} {second:?}"
    );
    assert_never_two_active(state);
}

#[test]
fn history_is_trimmed_oldest_start_first() {
    let spec =
        json!({"successfulPipelineRunsHistoryLimit": 2, "failedPipelineRunsHistoryLimit": 1});
    let (server, lambda, _controller) = world(yes("m0"), &spec);
    let state = &server.state;
    for index in 0..6 {
        let name = wait_active(state, &format!("m{index}"));
        lambda.reply(yes(&format!("m{}", index + 1)));
        // Two of three succeed.
        state.change(|store| end_run(store, NAMESPACE, &name, index % 3 != 2));
    }
    wait_active(state, "m6");
    // m0 to m6: m1, m2 and m5 failed or not; kept are the newest of each kind, and the active.
    let kept = state.wait("the history to be trimmed", |store| {
        let mut models: Vec<String> = store
            .list(&pipeline_runs(), None, "")
            .iter()
            .map(|run| {
                run["spec"]["params"][0]["value"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        models.sort();
        (models.len() <= 4).then_some(models)
    });
    assert_eq!(kept, ["m3", "m4", "m5", "m6"]);
    assert_never_two_active(state);
}

#[test]
fn suspended_nothing_is_asked_and_the_active_run_goes_on() {
    let (server, lambda, _controller) = world(yes("m1"), &json!({}));
    let state = &server.state;
    let name = wait_active(state, "m1");
    edit_model_sync(state, "deploy", &json!({"suspend": true}));
    lambda.reply(yes("m2"));
    wait_ready(state, "deploy", "False RunActive");
    state.change(|store| end_run(store, NAMESPACE, &name, true));
    wait_ready(state, "deploy", "Unknown Suspended");
    let asked = lambda.asked();
    edit_model_sync(
        state,
        "deploy",
        &json!({"successfulPipelineRunsHistoryLimit": 5}),
    );
    state.wait("the new generation to be seen", |store| {
        let model_sync = store.get(&model_syncs(), NAMESPACE, "deploy").ok()?;
        (model_sync["status"]["observedGeneration"] == 3).then_some(())
    });
    assert_eq!((lambda.asked(), runs(state).len()), (asked, 1));
    edit_model_sync(state, "deploy", &json!({"suspend": false}));
    wait_active(state, "m2");
    assert_never_two_active(state);
}

#[test]
fn a_spec_that_changes_while_a_run_is_active_waits_for_its_end() {
    let (server, _lambda, _controller) = world(yes("m1"), &json!({}));
    let state = &server.state;
    let name = wait_active(state, "m1");
    let template = json!({"spec": {"pipelineRef": {"name": "another"}}});
    edit_model_sync(state, "deploy", &json!({"pipelineRunTemplate": template}));
    state.wait("the new generation to be seen", |store| {
        let model_sync = store.get(&model_syncs(), NAMESPACE, "deploy").ok()?;
        let is_seen = model_sync["status"]["observedGeneration"] == 2;
        (is_seen && ready(&model_sync) == "False RunActive").then_some(())
    });
    assert_eq!(runs(state).len(), 1);
    state.change(|store| end_run(store, NAMESPACE, &name, true));
    let second = state.wait("a run of the new template", |store| {
        let runs = store.list(&pipeline_runs(), None, "");
        runs.into_iter()
            .find(|run| run["spec"]["pipelineRef"]["name"] == "another")
    });
    assert_eq!(second["spec"]["params"][0]["value"], "m1");
    assert_never_two_active(state);
}

#[test]
fn a_run_that_is_deleted_by_hand_is_started_again() {
    let (server, _lambda, _controller) = world(yes("m1"), &json!({}));
    let state = &server.state;
    let first = wait_active(state, "m1");
    wait_ready(state, "deploy", "False RunActive");
    let deleted =
        state.change(|store| store.delete(&pipeline_runs(), NAMESPACE, &first, &Value::Null));
    deleted.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    assert_ne!(wait_active(state, "m1"), first);
    assert_never_two_active(state);
}

#[test]
fn a_run_that_has_lost_its_label_still_counts() {
    let (server, lambda, mut controller) = world(yes("m1"), &json!({}));
    let state = &server.state;
    let first = wait_active(state, "m1");
    wait_ready(state, "deploy", "False RunActive");
    controller.kill();
    let label = "automl.cloudai.kubeflow.org/modelsync-uid";
    let patch = json!({"metadata": {"labels": {label: null}}});
    let kind = pipeline_runs();
    let patched = state.change(|store| store.patch(&kind, NAMESPACE, &first, false, &patch));
    patched.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    lambda.reply(yes("m2"));
    let controller = Controller::start(&server);
    let asked = lambda.asked();
    edit_model_sync(
        state,
        "deploy",
        &json!({"successfulPipelineRunsHistoryLimit": 5}),
    );
    state.wait("the new generation to be seen", |store| {
        let model_sync = store.get(&model_syncs(), NAMESPACE, "deploy").ok()?;
        (model_sync["status"]["observedGeneration"] == 2).then_some(())
    });
    assert_eq!(
        (lambda.asked(), runs(state).len()),
        (asked, 1),
        "{}",
        controller.log()
    );
}

#[test]
fn a_deleted_model_sync_takes_its_runs_with_it() {
    let (server, _lambda, controller) = world(yes("m1"), &json!({}));
    let state = &server.state;
    wait_active(state, "m1");
    wait_ready(state, "deploy", "False RunActive");
    let kind = model_syncs();
    let deleted = state.change(|store| store.delete(&kind, NAMESPACE, "deploy", &Value::Null));
    deleted.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    assert_eq!(runs(state), Vec::<Value>::new());
    assert_eq!(controller.terminate(), 0);
    assert_eq!(state.store().created_runs.len(), 1);
}

#[test]
fn what_a_lambda_can_do_wrong_is_told() {
    let raw = |code, body: &str| Reply::Raw(code, body.to_owned());
    let errors =
        r#"{"kind":"NeedsSync","needsSync":false,"errors":[{"message":"the registry is away"}]}"#;
    let cases: Vec<(Reply, &str)> = vec![
        (
            raw(500, errors),
            "the lambda answered 500 Internal Server Error: the registry is away",
        ),
        (
            raw(200, errors),
            "answered with errors: the registry is away",
        ),
        (
            raw(404, "no such page"),
            "answered 404 Not Found: no such page",
        ),
        (raw(200, "<html>hello</html>"), "the answer cannot be read"),
        (raw(200, "{}"), "missing field `needsSync`"),
        (
            raw(200, r#"{"kind":"Pod","needsSync":true}"#),
            "answered with the kind \"Pod\"",
        ),
        (
            raw(200, r#"{"needsSync":true}"#),
            "the answer has no parameter name",
        ),
        (
            Reply::Large(10 << 20),
            "the answer is larger than 1048576 bytes",
        ),
        (Reply::Silence, "no answer within"),
        (Reply::Redirect("/round"), "redirect"),
    ];
    std::thread::scope(|scope| {
        for (reply, expected) in cases {
            scope.spawn(move || {
                let (server, lambda, _controller) = world(reply, &json!({}));
                let state = &server.state;
                let model_sync = wait_ready(state, "deploy", "False NeedsSyncError");
                let ready = condition(&model_sync, "Ready");
                let message = ready["message"].as_str().unwrap();
                assert!(message.contains(expected), "{message}");
                assert_eq!(wait_event(state, "NeedsSyncError"), message);
                assert_eq!(runs(state), Vec::<Value>::new());
                // It is asked again, and then all is well.
                lambda.reply(Reply::No);
                wait_ready(state, "deploy", "True InSync");
            });
        }
    });
}

#[test]
fn a_lambda_that_has_moved_is_followed() {
    let (server, _lambda, _controller) = world(Reply::Redirect("/elsewhere"), &json!({}));
    wait_ready(&server.state, "deploy", "True InSync");
}

#[test]
fn a_lambda_that_is_away_is_told() {
    let server = ApiServer::start();
    let lambda = Lambda::start(Reply::No);
    create_model_sync(&server.state, &lambda, "deploy", &json!({}));
    drop(lambda);
    let _controller = Controller::start(&server);
    let model_sync = wait_ready(&server.state, "deploy", "False NeedsSyncError");
    let message = condition(&model_sync, "Ready")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("no connection"), "{message}");
}

#[test]
fn a_refused_run_stalls_and_a_corrected_template_goes_on() {
    let template = json!({"spec": {"pipelineRef": {"name": "refused"}}});
    let (server, _lambda, _controller) =
        world(yes("m1"), &json!({"pipelineRunTemplate": template}));
    let state = &server.state;
    let model_sync = wait_ready(state, "deploy", "False CreateRunError");
    assert_eq!(condition(&model_sync, "Stalled")["status"], "True");
    let note = wait_event(state, "CreateRunError");
    assert!(
        note.ends_with("denied the request: validation failed: no pipeline is called refused"),
        "{note}"
    );
    let template = json!({"spec": {"pipelineRef": {"name": "update-model-pr"}}});
    edit_model_sync(state, "deploy", &json!({"pipelineRunTemplate": template}));
    let model_sync = wait_ready(state, "deploy", "False RunActive");
    assert_eq!(condition(&model_sync, "Stalled")["status"], "False");
}

#[test]
fn without_tekton_it_stalls_until_it_is_there() {
    let server = ApiServer::start();
    let state = &server.state;
    state.change(|store| store.lacks_tekton = true);
    let lambda = Lambda::start(yes("m1"));
    create_model_sync(state, &lambda, "deploy", &json!({}));
    let _controller = Controller::start(&server);
    let model_sync = wait_ready(state, "deploy", "False TektonMissing");
    let message = condition(&model_sync, "Stalled")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("install Tekton Pipelines"), "{message}");
    state.change(|store| store.lacks_tekton = false);
    wait_ready(state, "deploy", "False RunActive");
}

#[test]
fn one_namespace_only_when_asked_so() {
    let server = ApiServer::start();
    let state = &server.state;
    let lambda = Lambda::start(yes("m1"));
    create_model_sync(state, &lambda, "deploy", &json!({}));
    let object = json!({"apiVersion": "automl.cloudai.kubeflow.org/v1alpha1", "kind": "ModelSync",
        "metadata": {"name": "other"}, "spec": {"needsSyncUrl": lambda.url(),
        "pipelineRunTemplate": {"spec": {"pipelineRef": {"name": "p"}}}}});
    let created = state.change(|store| store.create(&model_syncs(), "elsewhere", object));
    created.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let arguments = ["--no-leader-elect", "--namespace", NAMESPACE];
    let _controller = Controller::start_with(&server.kubeconfig(), &arguments);
    wait_ready(state, "deploy", "False RunActive");
    let other = state
        .store()
        .get(&model_syncs(), "elsewhere", "other")
        .unwrap();
    assert_eq!(other["status"], Value::Null);
}

#[test]
fn the_same_event_is_counted_and_not_repeated() {
    let (server, lambda, _controller) = world(Reply::Raw(500, "broken".to_owned()), &json!({}));
    let state = &server.state;
    let count = state.wait("the event to be counted", |store| {
        let events = store.list(&events(), None, "");
        assert!(events.len() <= 1, "{events:?}");
        events.first()?["series"]["count"].as_i64()
    });
    assert!(count >= 2 && lambda.asked() >= 2);
}

#[test]
fn probes_metrics_and_a_graceful_end() {
    let (server, _lambda, controller) = world(yes("m1"), &json!({}));
    wait_ready(&server.state, "deploy", "False RunActive");
    let address = controller.address();
    for (path, expected) in [
        ("/healthz", "ok\n"),
        ("/readyz", "ok\n"),
        ("/metrics", "modelsync_pipeline_runs_created_total 1\n"),
        (
            "/metrics",
            "modelsync_model_syncs{reason=\"RunActive\"} 1\n",
        ),
        (
            "/metrics",
            "modelsync_needs_sync_answers_total{answer=\"yes\"} 1\n",
        ),
        ("/metrics", "modelsync_leader 1\n"),
    ] {
        let (head, body) = get(&address, path);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(body.contains(expected), "{path}: {body}");
    }
    assert_eq!(controller.terminate(), 0);
}

#[test]
fn wrong_input_is_one_sentence() {
    let nowhere = std::path::Path::new("/nowhere/kubeconfig");
    let broken = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(broken.path(), "kind: [").unwrap();
    let mut controller = Controller::start_with(broken.path(), &[]);
    assert_eq!(controller.exit_code(), 1);
    controller.wait_for_line("failed to parse kubeconfig YAML");
    assert_eq!(controller.log().lines().count(), 1);
    let mut controller = Controller::start_with(nowhere, &[]);
    assert_eq!(controller.exit_code(), 1);
    assert_eq!(
        controller.wait_for_line("error: "),
        "error: cannot find a Kubernetes cluster: failed to read kubeconfig from \
         '\"/nowhere/kubeconfig\"': No such file or directory (os error 2); set KUBECONFIG to a \
         kubeconfig, or run in a pod with a service account"
    );
    assert_eq!(controller.log().lines().count(), 1);
    for (argument, value, message) in [
        ("--lambda-timeout", "0s", "give a duration above zero"),
        ("--listen", "here", "invalid value 'here' for '--listen"),
        ("--log", "modelsync=loud", "cannot read the log filter"),
    ] {
        let run = crate::cli::modelsync(&["controller", argument, value]);
        assert_ne!(run.code, 0);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}

#[test]
fn the_crd_in_deploy_is_what_the_program_prints() {
    let printed = crate::cli::modelsync(&["crd"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/crd.yaml");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &printed.stdout).unwrap();
    }
    let file = std::fs::read_to_string(path).unwrap();
    assert!(
        file == printed.stdout,
        "deploy/crd.yaml is old; UPDATE=1 rewrites it"
    );
}

/// The CRD itself, judged by Kubernetes' own API description.
#[test]
fn the_crd_is_what_kubernetes_takes() {
    if !crate::harness::is_there("kubernetes-validate") {
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/crd.yaml");
    let judged = std::process::Command::new("kubernetes-validate")
        .args(["--strict", path])
        .output()
        .unwrap();
    assert!(judged.status.success(), "{judged:?}");
}

/// The schema in the CRD, judged by a JSON Schema validator that others wrote: it takes what the first
/// version's users have, and refuses what it should.
#[test]
fn the_schema_takes_old_objects_and_refuses_wrong_ones() {
    if !crate::harness::is_there("check-jsonschema") {
        return;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/crd.yaml");
    let crd: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let directory = tempfile::tempdir().unwrap();
    let schema_path = directory.path().join("schema.json");
    std::fs::write(&schema_path, schema.to_string()).unwrap();
    let is_valid = |object: &Value| {
        let object_path = directory.path().join("object.json");
        std::fs::write(&object_path, object.to_string()).unwrap();
        let judged = std::process::Command::new("check-jsonschema")
            .arg("--schemafile")
            .args([&schema_path, &object_path])
            .output()
            .unwrap();
        judged.status.success()
    };
    let manifests = include_str!("../../testdata/controller/first-version.yaml");
    let objects: Vec<Value> = manifests
        .split("---\n")
        .map(|text| serde_saphyr::from_str(text).unwrap())
        .collect();
    assert!(objects.iter().all(is_valid));
    for (pointer, value) in [
        ("/spec/needsSyncUrl", json!("ftp://models")),
        ("/spec/needsSyncUrl", json!("http://")),
        ("/spec/parameters/0/pipelineName", json!("")),
        ("/spec/parameters/0", json!({"needsSyncName": "name"})),
        ("/spec/failedPipelineRunsHistoryLimit", json!(-1)),
        ("/spec/failedPipelineRunsHistoryLimit", json!("10")),
        ("/spec/pipelineRunTemplate", json!({})),
        ("/spec/pipelineRunTemplate/spec/pipelineRef", json!("p")),
    ] {
        let mut object = objects[0].clone();
        *object.pointer_mut(pointer).unwrap() = value;
        assert!(!is_valid(&object), "{pointer}");
    }
    for (field, value) in [
        ("interval", json!("1d")),
        ("interval", json!("soon")),
        ("interval", json!(60)),
        ("backOff", json!({"initial": "-1m"})),
        ("suspend", json!("no")),
    ] {
        let mut object = objects[0].clone();
        object["spec"][field] = value;
        assert!(!is_valid(&object), "{field}");
    }
    let mut object = objects[0].clone();
    object["spec"]["pipelineRunTemplate"]["apiVersion"] = json!("tekton.dev/v2");
    assert!(!is_valid(&object));
}
