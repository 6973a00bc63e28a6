"""The Model Registry's generated client reads a registry, and prints what it saw as JSON.

usage: model_registry_client.py URL

Its models come from the registry's published OpenAPI and validate what they decode.
"""

import json
import sys
from urllib.parse import urlencode
from urllib.request import urlopen

from mr_openapi.models.artifact_list import ArtifactList
from mr_openapi.models.inference_service_list import InferenceServiceList
from mr_openapi.models.model_version_list import ModelVersionList
from mr_openapi.models.registered_model_list import RegisteredModelList

base = sys.argv[1] + "/api/model_registry/v1alpha3/"


def pages(path, kind):
    token = ""
    while True:
        query = urlencode({"pageSize": "100", "nextPageToken": token})
        page = kind.from_json(urlopen(f"{base}{path}?{query}").read().decode())
        assert page.size == len(page.items)
        yield from page.items
        token = page.next_page_token
        if not token:
            return


services = list(pages("inference_services", InferenceServiceList))
seen = {}
for model in pages("registered_models", RegisteredModelList):
    if model.state == "ARCHIVED":
        continue
    for version in pages(f"registered_models/{model.id}/versions", ModelVersionList):
        if version.state == "ARCHIVED":
            continue
        # One service names no version, and its model has only one.
        is_served = any(
            service.desired_state == "DEPLOYED"
            and service.registered_model_id == model.id
            and service.model_version_id in (None, version.id)
            for service in services
        )
        state = "Deployed" if is_served else "Trained"
        labels, metrics, per_label = {}, {}, {}
        for name, value in (version.custom_properties or {}).items():
            value = value.actual_instance
            if value.metadata_type == "MetadataStringValue":
                labels[name] = value.string_value
            elif value.metadata_type == "MetadataBoolValue":
                labels[name] = str(value.bool_value).lower()
            elif value.metadata_type == "MetadataDoubleValue" and name.startswith("label/"):
                _, label, metric = name.split("/")
                per_label[label] = {metric: value.double_value}
            elif value.metadata_type == "MetadataDoubleValue":
                metrics[name] = value.double_value
        for artifact in pages(f"model_versions/{version.id}/artifacts", ArtifactList):
            artifact = artifact.actual_instance
            if artifact.artifact_type == "metric":
                metrics[artifact.name] = artifact.value
            elif artifact.artifact_type == "model-artifact" and artifact.state == "PENDING":
                state = "Training"
        seen[f"model-registry://{model.name}/{version.name}"] = {
            "displayName": model.name,
            "state": state,
            "labels": labels,
            "metrics": metrics,
            "perLabel": per_label,
        }
print(json.dumps(seen))
