/** The options that every command has. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly logFormat: "text" | "json";
  /** Where the metrics for Prometheus go; as typed. */
  readonly metricsFile: string | undefined;
  /** For every profile, whatever the config says. */
  readonly lenient: boolean;
  /** For the whole run. */
  readonly timeoutMs: number;
  readonly concurrency: number;
}
