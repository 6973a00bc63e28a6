//! The package under `deploy/`: it renders, Kubernetes' own schemas accept it, and it gives nothing
//! more than is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::cli::modelsync;
use crate::harness::api_server::{ApiServer, model_syncs};
use crate::harness::is_there;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// What kustomize makes of a directory; none without kubectl.
fn render(directory: &Path) -> Option<(String, Vec<Value>)> {
    if !is_there("kubectl") {
        return None;
    }
    let output = Command::new("kubectl")
        .arg("kustomize")
        .arg(directory)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = text
        .split("\n---\n")
        .map(|text| serde_saphyr::from_str(text).unwrap());
    let documents = documents.collect();
    Some((text, documents))
}

fn find<'d>(documents: &'d [Value], kind: &str, name: &str) -> &'d Value {
    let found = documents
        .iter()
        .find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

#[test]
fn kubernetes_accepts_what_kustomize_renders() {
    let scratch = tempfile::tempdir().unwrap();
    for directory in ["deploy", "deploy/samples", "tekton"] {
        let Some((text, documents)) = render(&root().join(directory)) else {
            return;
        };
        assert!(!documents.is_empty());
        let is_core = |it: &Value| {
            let group = it["apiVersion"].as_str().unwrap();
            !group.starts_with("automl.cloudai") && !group.starts_with("tekton.dev")
        };
        if !is_there("kubernetes-validate") {
            return;
        }
        let core: Vec<_> = text
            .split("\n---\n")
            .zip(&documents)
            .filter(|(_, document)| is_core(document))
            .map(|(text, _)| text)
            .collect();
        let file = scratch.path().join("core.yaml");
        fs::write(&file, core.join("\n---\n")).unwrap();
        if core.is_empty() {
            continue;
        }
        let output = Command::new("kubernetes-validate")
            .arg("--strict")
            .arg(&file)
            .output()
            .unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{said}");
        assert_eq!(
            said.matches(" passed for resource ").count(),
            core.len(),
            "{said}"
        );
    }
}

#[test]
fn everything_is_there_and_in_one_namespace() {
    let Some((_, documents)) = render(&root().join("deploy")) else {
        return;
    };
    let mut kinds: Vec<_> = documents
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "ClusterRole",
            "ClusterRoleBinding",
            "ConfigMap",
            "CustomResourceDefinition",
            "Deployment",
            "Namespace",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Role",
            "RoleBinding",
            "Service",
            "ServiceAccount",
        ]
    );
    for document in &documents {
        let kind = document["kind"].as_str().unwrap();
        let is_of_cluster =
            kind.starts_with("Cluster") || matches!(kind, "Namespace" | "CustomResourceDefinition");
        let namespace = &document["metadata"]["namespace"];
        assert_eq!(namespace.is_null(), is_of_cluster, "{kind}");
        assert!(namespace.is_null() || namespace == "modelsync");
    }
    for name in ["ClusterRoleBinding", "RoleBinding"] {
        let binding = find(&documents, name, "modelsync-controller");
        assert_eq!(binding["subjects"][0]["namespace"], "modelsync");
    }
}

/// A change of what the controller may do is a change of this list.
#[test]
fn the_controller_may_do_what_it_does_and_the_lambda_nothing() {
    let Some((_, documents)) = render(&root().join("deploy")) else {
        return;
    };
    let rules = |kind: &str| {
        let role = find(&documents, kind, "modelsync-controller");
        let rules = role["rules"].as_array().unwrap().iter();
        let list = |value: &Value| {
            let values = value.as_array().into_iter().flatten();
            values
                .map(|it| it.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join(",")
        };
        rules
            .map(|rule| {
                format!(
                    "{}/{} {}: {}",
                    list(&rule["apiGroups"]),
                    list(&rule["resources"]),
                    list(&rule["resourceNames"]),
                    list(&rule["verbs"])
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules("ClusterRole"),
        [
            "automl.cloudai.kubeflow.org/modelsyncs : get,list,watch",
            "automl.cloudai.kubeflow.org/modelsyncs/status : patch",
            "automl.cloudai.kubeflow.org/modelsyncs/finalizers : update",
            "tekton.dev/pipelineruns : get,list,watch,create,delete",
            "events.k8s.io/events : create,patch",
        ]
    );
    assert_eq!(
        rules("Role"),
        [
            "coordination.k8s.io/leases modelsync-controller: get,update",
            "coordination.k8s.io/leases : create"
        ]
    );
    // The Lease that it may hold is the one that it asks for.
    let controller = find(&documents, "Deployment", "modelsync-controller");
    let environment = &controller["spec"]["template"]["spec"]["containers"][0]["env"];
    let mut variables = environment.as_array().into_iter().flatten();
    let lease = variables.find(|variable| variable["name"] == "MODELSYNC_LEASE_NAME");
    assert_eq!(
        lease.map(|lease| &lease["value"]),
        Some(&"modelsync-controller".into())
    );
    for document in &documents {
        for subject in document["subjects"].as_array().into_iter().flatten() {
            assert_eq!(subject["name"], "modelsync-controller");
        }
    }
    let lambda = find(&documents, "Deployment", "modelsync-lambda");
    assert_eq!(
        lambda["spec"]["template"]["spec"]["automountServiceAccountToken"],
        false
    );
}

/// The profile `restricted` of the Pod Security Standards, as far as these pods can break it:
/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>.
#[test]
fn pods_are_restricted() {
    let Some((text, documents)) = render(&root().join("deploy")) else {
        return;
    };
    assert!(text.contains("pod-security.kubernetes.io/enforce: restricted"));
    let mut seen = 0;
    for deployment in documents.iter().filter(|it| it["kind"] == "Deployment") {
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"],
            "RuntimeDefault"
        );
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            assert!(pod[field].is_null(), "{field}");
        }
        for volume in pod["volumes"].as_array().into_iter().flatten() {
            assert!(volume.get("emptyDir").is_some(), "{volume}");
        }
        for container in pod["containers"].as_array().unwrap() {
            let mut wanted = json!({
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": true,
            });
            if container["name"] == "git-sync" {
                // <https://github.com/kubernetes/git-sync/blob/v4.4.0/Dockerfile.in>
                wanted["runAsUser"] = json!(65533);
                wanted["runAsGroup"] = json!(65533);
            }
            assert_eq!(container["securityContext"], wanted);
            assert!(!container["resources"]["limits"]["memory"].is_null());
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}

/// Ssh refuses a user that the image's `/etc/passwd` does not know, so all run as the image's own.
#[test]
fn everything_runs_as_the_user_of_the_image() {
    let dockerfile = fs::read_to_string(root().join("Dockerfile")).unwrap();
    let users: Vec<_> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("USER "))
        .collect();
    // The last stage is the one that the manifests use.
    let (user, group) = users.last().unwrap().split_once(':').unwrap();
    let (user, group): (u64, u64) = (user.parse().unwrap(), group.parse().unwrap());
    let read = |path: &str| -> Value {
        serde_saphyr::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap()
    };
    for name in ["controller", "lambda"] {
        let deployment = read(&format!("deploy/{name}/deployment.yaml"));
        let context = &deployment["spec"]["template"]["spec"]["securityContext"];
        assert_eq!(context["runAsUser"], user, "{name}");
        assert_eq!(context["runAsGroup"], group, "{name}");
    }
    for name in ["update-model-pr", "run-notebook"] {
        let task = read(&format!("tekton/tasks/{name}.yaml"));
        let context = &task["spec"]["stepTemplate"]["securityContext"];
        assert_eq!(context["runAsUser"], user, "{name}");
        for step in task["spec"]["steps"].as_array().unwrap() {
            assert!(
                step["securityContext"].is_null(),
                "{name}: {}",
                step["name"]
            );
        }
    }
}

#[test]
fn the_service_leads_to_the_lambda_and_probes_to_the_port() {
    let Some((text, documents)) = render(&root().join("deploy")) else {
        return;
    };
    let service = find(&documents, "Service", "modelsync-lambda");
    let deployment = find(&documents, "Deployment", "modelsync-lambda");
    let template = &deployment["spec"]["template"];
    for (label, value) in service["spec"]["selector"].as_object().unwrap() {
        assert_eq!(&template["metadata"]["labels"][label], value);
    }
    assert_eq!(service["spec"]["ports"][0]["port"], 80);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], "http");
    for name in ["modelsync-lambda", "modelsync-controller"] {
        let containers =
            &find(&documents, "Deployment", name)["spec"]["template"]["spec"]["containers"];
        let container = &containers[0];
        assert_eq!(
            container["ports"][0],
            json!({"name": "http", "containerPort": 8080})
        );
        for probe in ["livenessProbe", "readinessProbe"] {
            assert_eq!(
                container[probe]["httpGet"]["port"], "http",
                "{name} {probe}"
            );
        }
        // The name `modelsync` stands for the image, which one line of the kustomization says.
        assert_eq!(container["image"], "registry.example/modelsync:0.1.0");
    }
    assert_eq!(
        find(&documents, "Deployment", "modelsync-controller")["spec"]["replicas"],
        2
    );

    // What the settings are called is what the program reads.
    let help = modelsync(&["serve", "--help"]).stdout;
    let map = documents
        .iter()
        .find(|it| it["kind"] == "ConfigMap")
        .unwrap();
    for variable in map["data"].as_object().unwrap().keys() {
        let is_known = variable.starts_with("GITSYNC_") || help.contains(&format!("{variable}="));
        assert!(is_known, "{variable}");
    }
    for argument in ["serve", "controller"] {
        assert!(text.contains(&format!("- {argument}\n")));
        assert_eq!(modelsync(&[argument, "--help"]).code, 0);
    }
}

#[test]
fn metrics_are_collected_where_the_operator_is() {
    let scratch = tempfile::tempdir().unwrap();
    let up: PathBuf = scratch
        .path()
        .canonicalize()
        .unwrap()
        .components()
        .skip(1)
        .map(|_| "..")
        .collect();
    let deploy = up.join(root().join("deploy").strip_prefix("/").unwrap());
    let kustomization = format!(
        "resources: [{0}]\ncomponents: [{0}/monitoring]\nnamespace: other\n",
        deploy.display()
    );
    fs::write(scratch.path().join("kustomization.yaml"), kustomization).unwrap();
    let Some((_, documents)) = render(scratch.path()) else {
        return;
    };
    let monitor = find(&documents, "PodMonitor", "modelsync");
    let wanted = monitor["spec"]["selector"]["matchLabels"]
        .as_object()
        .unwrap();
    let mut ports = Vec::new();
    for deployment in documents.iter().filter(|it| it["kind"] == "Deployment") {
        let template = &deployment["spec"]["template"];
        for (label, value) in wanted {
            assert_eq!(&template["metadata"]["labels"][label], value);
        }
        for container in template["spec"]["containers"].as_array().unwrap() {
            ports.push(container["ports"][0]["name"].clone());
        }
    }
    for endpoint in monitor["spec"]["podMetricsEndpoints"].as_array().unwrap() {
        assert!(ports.contains(&endpoint["port"]), "{endpoint}");
    }
    // Another namespace is followed everywhere.
    assert_eq!(
        find(&documents, "ClusterRoleBinding", "modelsync-controller")["subjects"][0]["namespace"],
        "other"
    );
}

/// The samples are what the CustomResourceDefinition and the Pipelines of `tekton/` take.
#[test]
fn samples_fit_the_resource_and_the_pipelines() {
    let server = ApiServer::start();
    for name in ["deploy", "train"] {
        let path = root().join(format!("deploy/samples/model-sync-{name}.yaml"));
        let sample: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let kept = server
            .state
            .change(|store| store.create(&model_syncs(), "modelsync", sample.clone()));
        let kept = kept.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        for (field, value) in sample["spec"].as_object().unwrap() {
            assert_eq!(&kept["spec"][field], value, "{name}: {field}");
        }
        let run = &sample["spec"]["pipelineRunTemplate"]["spec"];
        let pipeline = run["pipelineRef"]["name"].as_str().unwrap();
        let pipeline = root().join(format!("tekton/pipelines/{pipeline}.yaml"));
        let pipeline: Value =
            serde_saphyr::from_str(&fs::read_to_string(pipeline).unwrap()).unwrap();
        let has = |list: &str, name: &Value| {
            let declared = pipeline["spec"][list].as_array().unwrap();
            declared.iter().any(|it| it["name"] == *name)
        };
        for list in ["params", "workspaces"] {
            for given in run[list].as_array().into_iter().flatten() {
                assert!(
                    has(list, &given["name"]),
                    "{name}: {list} {}",
                    given["name"]
                );
            }
        }
        for mapped in sample["spec"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(has("params", &mapped["pipelineName"]), "{name}: {mapped}");
        }
    }
}
