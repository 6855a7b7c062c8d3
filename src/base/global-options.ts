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

/** The global options without a value, and their letters. */
export const GLOBAL_SWITCHES = { json: undefined, quiet: "q", verbose: "v", lenient: undefined } as const;
