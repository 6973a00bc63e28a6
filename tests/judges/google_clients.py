"""Google's own clients read a registry, and print what they saw as JSON.

usage: google_clients.py automl|vertex_ai URL PARENT

The REST transports decode answers by Google's protocol buffers and refuse fields that these do not
have, so that a registry which satisfies them speaks the wire format.
"""

import json
import sys

from google.auth.credentials import AnonymousCredentials
from google.protobuf import json_format

kind, url, parent = sys.argv[1:]
host = url.removeprefix("http://")


class Strict:
    """Makes the transports refuse what they would pass over."""

    parse = staticmethod(json_format.Parse)

    @classmethod
    def install(cls):
        json_format.Parse = lambda text, message, **options: cls.parse(text, message)


Strict.install()


def rounded(figures):
    """32-bit figures as their shortest decimal notation, which is what JSON holds."""
    return {name: round(figure, 6) for name, figure in figures.items()}


def automl():
    from google.cloud.automl_v1 import AutoMlClient
    from google.cloud.automl_v1.services.auto_ml.transports import AutoMlRestTransport
    from google.cloud.automl_v1.types import ListModelEvaluationsRequest

    transport = AutoMlRestTransport(
        host=host, url_scheme="http", credentials=AnonymousCredentials()
    )
    client = AutoMlClient(transport=transport)
    models = {}
    for model in client.list_models(parent=parent):
        overall, per_label = {}, {}
        request = ListModelEvaluationsRequest(parent=model.name, filter="")
        for evaluation in client.list_model_evaluations(request):
            metrics = evaluation.classification_evaluation_metrics
            for entry in metrics.confidence_metrics_entry:
                if entry.confidence_threshold != 0.5 or entry.position_threshold == 1:
                    continue
                figures = {
                    "precision": entry.precision,
                    "recall": entry.recall,
                    "f1Score": entry.f1_score,
                    "auPrc": metrics.au_prc,
                }
                if evaluation.annotation_spec_id:
                    per_label[evaluation.display_name] = rounded(figures)
                else:
                    overall = rounded(figures)
        models[model.name] = {
            "displayName": model.display_name,
            "state": "Deployed" if model.deployment_state.name == "DEPLOYED" else "Trained",
            "labels": dict(model.labels),
            "metrics": overall,
            "perLabel": per_label,
        }
    # The client for operations has no REST transport of its own here: its messages judge.
    from google.longrunning.operations_pb2 import ListOperationsResponse
    from urllib.request import urlopen

    page = json.load(urlopen(f"{url}/v1/{parent}/operations"))
    json_format.ParseDict(page, ListOperationsResponse())
    return models


def at_threshold(metrics):
    """The figures at the confidence threshold 0.5, with no limit to the predictions."""
    for entry in metrics["confidenceMetrics"]:
        if entry["confidenceThreshold"] == 0.5 and "maxPredictions" not in entry:
            return {"precision": entry["precision"], "recall": entry["recall"]}
    return {}


def vertex_ai():
    from google.cloud.aiplatform_v1 import ModelServiceClient, PipelineServiceClient
    from google.cloud.aiplatform_v1.services.model_service.transports import (
        ModelServiceRestTransport,
    )
    from google.cloud.aiplatform_v1.services.pipeline_service.transports import (
        PipelineServiceRestTransport,
    )

    options = dict(host=host, url_scheme="http", credentials=AnonymousCredentials())
    client = ModelServiceClient(transport=ModelServiceRestTransport(**options))
    models = {}
    for model in client.list_models(parent=parent):
        versions = list(client.list_model_versions(name=model.name))
        for version in versions:
            name = f"{model.name}@{version.version_id}"
            evaluations = sorted(
                client.list_model_evaluations(parent=name), key=lambda each: each.create_time
            )
            overall, per_label = {}, {}
            for evaluation in evaluations[-1:]:
                overall = at_threshold(evaluation.metrics)
                for part in client.list_model_evaluation_slices(parent=evaluation.name):
                    if part.slice_.dimension == "annotationSpec":
                        per_label[part.slice_.value] = at_threshold(part.metrics)
            models[model.name if len(versions) == 1 else name] = {
                "displayName": version.display_name,
                "state": "Deployed" if version.deployed_models else "Trained",
                "labels": dict(version.labels),
                "metrics": overall,
                "perLabel": per_label,
            }
    pipelines = PipelineServiceClient(transport=PipelineServiceRestTransport(**options))
    assert list(pipelines.list_training_pipelines(parent=parent))
    return models


print(json.dumps({"automl": automl, "vertex_ai": vertex_ai}[kind]()))
