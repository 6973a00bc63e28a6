// The same edit with the kpt-functions SDK.
import kpt from "kpt-functions";
import { dump, load } from "js-yaml";

async function setModel(configs) {
  for (const item of configs.getAll()) {
    if (item.kind === "ConfigMap" && item.metadata.name === "model-config") {
      const config = load(item.data["config.yaml"]);
      for (const org of config.orgs) {
        if (org.name === "kubeflow") org.automl_model = "m2";
      }
      item.data["config.yaml"] = dump(config);
    }
  }
}
setModel.usage = "Writes a model id";
process.argv.splice(2, process.argv.length, "--input", process.env.INPUT, "--output", "/dev/stdout");
kpt.run(setModel);
