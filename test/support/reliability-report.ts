import type { TortureResult } from "./torture.ts";

/** What one run of a suite found, and where: `docs/reliability.json` holds the newest of each suite. */
export interface SuiteRecord {
  /** The name of its file in `test/torture`. */
  readonly suite: string;
  readonly title: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly seconds: number;
  readonly commit: string;
  readonly seed: number;
  readonly machine: string;
  readonly versions: string;
  readonly results: readonly TortureResult[];
}

/** Puts new records in the place of older ones of the same suite; sorted by suite. */
export function mergeRecords(old: readonly SuiteRecord[], fresh: readonly SuiteRecord[]): readonly SuiteRecord[] {
  const kept = old.filter(({ suite }) => !fresh.some((record) => record.suite === suite));
  return [...kept, ...fresh].toSorted((a, b) => a.suite.localeCompare(b.suite));
}

/** `docs/RELIABILITY.md`. */
export function renderReliability(records: readonly SuiteRecord[]): string {
  const results = records.flatMap((record) => record.results);
  const tried = results.reduce((sum, result) => sum + result.tried, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  const sections = records.map(renderSuite).join("\n");
  return `# Reliability, in figures

Written by \`scripts/torture\` from its own results (kept in \`reliability.json\`); do not edit. What is promised, and what is
not, is in [SECURITY.md](../SECURITY.md). Each row is a promise and how often the run tried to break it.

**${count(tried)} attempts, ${count(failed)} promises broken.**

${sections}`;
}

function renderSuite(record: SuiteRecord): string {
  const rows = record.results.map(
    ({ name, tried, failed, note = "" }) => `| ${cell(name)} | ${count(tried)} | ${count(failed)} | ${cell(note)} |`,
  );
  return `## ${record.title}

\`scripts/torture ${record.suite}\` · ${record.date.slice(0, 16).replace("T", " ")} UTC · ${duration(record.seconds)} · seed ${record.seed} · commit ${record.commit} · ${record.machine} · ${record.versions}

| promise | tried | broken | |
|---|---:|---:|---|
${rows.join("\n")}
`;
}

/** For the terminal. */
export function renderTable(results: readonly TortureResult[]): string {
  return results
    .map(
      ({ name, tried, failed, note = "" }) =>
        `${count(tried).padStart(11)} tried ${count(failed).padStart(7)} broken  ${name}${note === "" ? "" : ` (${note})`}\n`,
    )
    .join("");
}

function count(number: number): string {
  return number.toString().replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
