/**
 * Prometheus' text exposition format, as far as the node exporter's textfile collector needs it
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

/** One value of a metric, told from the others by its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * One metric with all its samples. Names and units follow Prometheus' "Metric and label naming": seconds, `_total` for
 * counters.
 */
export interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * The metrics in Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), each with its
 * HELP and TYPE.
 */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(
        ({ labels, value }) => `${name}${renderLabels(labels)} ${value === Infinity ? "+Inf" : value}\n`,
      );
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Reads back the samples of a file that `renderMetrics` wrote; lines of any other shape are left out. */
export function parseSamples(text: string): ReadonlyMap<string, readonly Sample[]> {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf)$/.exec(line);
    const [, name, labels = "", value] = match ?? [];
    if (name === undefined || value === undefined) continue;
    const known = samples.get(name) ?? [];
    known.push({ labels: parseLabels(labels), value: value === "+Inf" ? Infinity : Number(value) });
    samples.set(name, known);
  }
  return samples;
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name] = value.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
  }
  return labels;
}
