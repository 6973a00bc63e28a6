// Prints a ResourceList of COUNT items as kpt sends them: Deployments, and ConfigMaps that hold
// documents; the last one has the model id.
const count = Number(process.argv[2] ?? 5000);
const annotations = (index) => `    annotations:
      config.kubernetes.io/index: '0'
      config.kubernetes.io/path: 'apps/app-${index}.yaml'
      internal.config.kubernetes.io/index: '0'
      internal.config.kubernetes.io/path: 'apps/app-${index}.yaml'
      internal.config.kubernetes.io/seqindent: 'compact'
      internal.config.kubernetes.io/annotations-migration-resource-id: '${index}'
      internal.config.kubernetes.io/id: '${index}'
`;
const deployment = (index) => `- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: app-${index} # the name
${annotations(index)}  spec:
    replicas: 2
    selector:
      matchLabels: {app: app-${index}}
    template:
      spec:
        containers:
        - name: main
          image: "registry.example.com/app:${index}"
          args: ["--port", '8080']
`;
const configMap = (index, name, model) => `- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: ${name}
${annotations(index)}  data:
    config.yaml: |
      # The models to load
      orgs:
      - name: kubeflow
        automl_model: ${model} # newest
        threshold: 0.${index}
`;
const parts = ["apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"];
for (let index = 0; index < count - 1; index += 1) {
  parts.push(index % 3 ? deployment(index) : configMap(index, `config-${index}`, `other-${index}`));
}
parts.push(configMap(count - 1, "model-config", "m1"));
parts.push(`functionConfig:
  apiVersion: automl.cloudai.kubeflow.org/v1alpha1
  kind: SetModel
  metadata:
    name: bench
  spec:
    policy:
      pin: m2
    targets:
    - resource: {kind: ConfigMap, name: model-config}
      field: data.[config.yaml].orgs.[name=kubeflow].automl_model
`);
process.stdout.write(parts.join(""));
