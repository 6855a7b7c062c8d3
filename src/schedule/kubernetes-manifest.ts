import { toCronFields } from "./interval.ts";
import type { KubernetesOptions, ScheduledJob } from "./job.ts";

/** The directory of the credentials file, in both containers. */
export const KUBERNETES_DIRECTORY = "/var/run/rolefresh/aws";

/** The projected service account token. */
export const KUBERNETES_TOKEN = "/var/run/rolefresh/token/token";

/** The environment of rolefresh's container. */
export const KUBERNETES_ENVIRONMENT = {
  HOME: "/tmp",
  ROLEFRESH_CONFIG: "/etc/rolefresh/rolefresh.ini",
  AWS_SHARED_CREDENTIALS_FILE: `${KUBERNETES_DIRECTORY}/credentials`,
} as const;

/** What the manifest is made from. */
export type KubernetesJob = Pick<KubernetesOptions, "workload" | "namespace"> &
  Pick<ScheduledJob, "interval" | "timeoutMs"> &
  Readonly<Record<"image" | "appImage" | "serviceAccount" | "tokenAudience", string>> & {
    /** The text of rolefresh.ini. */
    readonly config: string;
  };

/** The manifest, for `kubectl apply -f -`; its comments say what to fill in. */
export function kubernetesManifest(job: KubernetesJob): string {
  const serviceAccount = [
    "# Written by 'rolefresh schedule kubernetes'.",
    "apiVersion: v1",
    "kind: ServiceAccount",
    ...metadata(job, job.serviceAccount),
    "# rolefresh never calls the cluster's API.",
    "automountServiceAccountToken: false",
  ];
  const config = toBlock("rolefresh.ini", job.config);
  const configMap = ["apiVersion: v1", "kind: ConfigMap", ...metadata(job, "rolefresh"), "data:", ...config];
  const workload = job.workload === "sidecar" ? [deployment(job)] : cronJob(job);
  return [serviceAccount, configMap, ...workload].map((lines) => `${lines.join("\n")}\n`).join("---\n");
}

function metadata(job: KubernetesJob, name: string): readonly string[] {
  return [
    "metadata:",
    `  name: ${word(name)}`,
    ...(job.namespace === undefined ? [] : [`  namespace: ${word(job.namespace)}`]),
    "  labels:",
    "    app.kubernetes.io/name: rolefresh",
  ];
}

/** A native sidecar: kubernetes.io/docs/concepts/workloads/pods/sidecar-containers, on by default since 1.29. */
function deployment(job: KubernetesJob): readonly string[] {
  return [
    "apiVersion: apps/v1",
    "kind: Deployment",
    ...metadata(job, "legacy-app"),
    "spec:",
    "  replicas: 1",
    "  selector:",
    "    matchLabels: { app: legacy-app }",
    "  template:",
    "    metadata:",
    "      labels: { app: legacy-app }",
    "    spec:",
    ...indent(6, podSettings(job)),
    "      initContainers:",
    "        # restartPolicy: Always makes it a sidecar: it starts before the app, runs beside it and does not keep a Job",
    "        # from ending (Kubernetes 1.29 and later).",
    ...indent(8, [
      ...container(job, ["rolefresh", "watch"]),
      "  restartPolicy: Always",
      "  # The app starts once the credentials exist.",
      "  startupProbe:",
      `    exec: { command: [rolefresh, status, --quiet, --min-ttl, "1s"] }`,
      "    periodSeconds: 2",
      "    timeoutSeconds: 10",
      "    failureThreshold: 60",
    ]),
    "      containers:",
    "        - name: app",
    `          image: ${word(job.appImage)} # your legacy tool`,
    "          env:",
    `            - { name: AWS_SHARED_CREDENTIALS_FILE, value: ${KUBERNETES_DIRECTORY}/credentials }`,
    "          volumeMounts:",
    `            - { name: credentials, mountPath: ${KUBERNETES_DIRECTORY}, readOnly: true }`,
    "      volumes:",
    "        # In memory: the credentials never reach a node's disk.",
    "        - name: credentials",
    '          emptyDir: { medium: Memory, sizeLimit: "1Mi" }',
    ...indent(8, commonVolumes(job)),
  ];
}

/** The claim depends on the cluster: a CronJob's pod shares no emptyDir with another pod. */
function cronJob(job: KubernetesJob): readonly (readonly string[])[] {
  const seconds = Math.ceil(job.timeoutMs / 1000) + 60;
  return [
    [
      "# Mount this claim into the app's pods, read-only, and set AWS_SHARED_CREDENTIALS_FILE there. ReadWriteMany needs a",
      "# storage class that offers it; if there is none, use --workload sidecar.",
      "apiVersion: v1",
      "kind: PersistentVolumeClaim",
      ...metadata(job, "rolefresh-credentials"),
      "spec:",
      "  accessModes: [ReadWriteMany]",
      "  resources:",
      "    requests: { storage: 1Mi }",
    ],
    [
      "apiVersion: batch/v1",
      "kind: CronJob",
      ...metadata(job, "rolefresh"),
      "spec:",
      `  schedule: "${toCronFields(job.interval)}"`,
      "  # Two at once would make one STS call together.",
      "  concurrencyPolicy: Forbid",
      "  startingDeadlineSeconds: 120",
      "  successfulJobsHistoryLimit: 1",
      "  failedJobsHistoryLimit: 3",
      "  jobTemplate:",
      "    spec:",
      "      # The next run retries.",
      "      backoffLimit: 0",
      `      activeDeadlineSeconds: ${seconds}`,
      "      ttlSecondsAfterFinished: 3600",
      "      template:",
      "        spec:",
      "          restartPolicy: Never",
      ...indent(10, podSettings(job)),
      "          containers:",
      ...indent(12, container(job, ["rolefresh", "refresh"])),
      "          volumes:",
      "            - name: credentials",
      "              persistentVolumeClaim: { claimName: rolefresh-credentials }",
      ...indent(12, commonVolumes(job)),
    ],
  ];
}

function podSettings(job: KubernetesJob): readonly string[] {
  return [
    `serviceAccountName: ${word(job.serviceAccount)}`,
    "automountServiceAccountToken: false",
    "securityContext:",
    "  runAsNonRoot: true",
    "  # The credentials file is 0600: the app must run as the same user.",
    "  runAsUser: 65532",
    "  runAsGroup: 65532",
    "  fsGroup: 65532",
    "  seccompProfile: { type: RuntimeDefault }",
  ];
}

function container(job: KubernetesJob, command: readonly string[]): readonly string[] {
  const timeout = job.timeoutMs === 60_000 ? [] : ["--timeout", `${job.timeoutMs / 1000}s`];
  return [
    "- name: rolefresh",
    `  image: ${word(job.image)}`,
    `  command: [${[...command, ...timeout].map(word).join(", ")}]`,
    "  env:",
    ...Object.entries(KUBERNETES_ENVIRONMENT).map(([name, value]) => `    - { name: ${name}, value: ${value} }`),
    "  securityContext:",
    "    allowPrivilegeEscalation: false",
    "    readOnlyRootFilesystem: true",
    "    capabilities: { drop: [ALL] }",
    "  resources:",
    "    requests: { cpu: 10m, memory: 96Mi }",
    "    limits: { memory: 256Mi }",
    "  volumeMounts:",
    `    - { name: credentials, mountPath: ${KUBERNETES_DIRECTORY} }`,
    "    - { name: config, mountPath: /etc/rolefresh, readOnly: true }",
    `    - { name: token, mountPath: ${KUBERNETES_TOKEN.slice(0, KUBERNETES_TOKEN.lastIndexOf("/"))}, readOnly: true }`,
  ];
}

function commonVolumes(job: KubernetesJob): readonly string[] {
  return [
    "- name: config",
    "  configMap: { name: rolefresh }",
    "- name: token",
    "  projected:",
    "    sources:",
    "      - serviceAccountToken:",
    `          audience: ${word(job.tokenAudience)}`,
    "          # The kubelet renews it at 80% of this; rolefresh reads the file anew each time.",
    "          expirationSeconds: 3600",
    `          path: ${KUBERNETES_TOKEN.slice(KUBERNETES_TOKEN.lastIndexOf("/") + 1)}`,
  ];
}

function indent(columns: number, lines: readonly string[]): readonly string[] {
  return lines.map((line) => " ".repeat(columns) + line);
}

/** A YAML scalar that is a string whatever it looks like (a JSON string is one in YAML 1.2). */
function word(text: string): string {
  return /^[A-Za-z][\w./-]*(:[\w.-]*[A-Za-z][\w.-]*)?$/.test(text) &&
    !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

/** A key of a ConfigMap's data with a text of several lines. */
function toBlock(key: string, text: string): readonly string[] {
  // A literal block cannot hold every text (YAML 1.2, 8.1): carriage returns, a first line that is indented.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/^[ \t\n]|[^\n]$|\n\n$|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text) || text === "") {
    return [`  ${key}: ${JSON.stringify(text)}`];
  }
  const lines = text.slice(0, -1).split("\n");
  return [`  ${key}: |`, ...lines.map((line) => (line === "" ? "" : `    ${line}`))];
}
