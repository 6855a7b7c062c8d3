import { parse, parseAllDocuments } from "yaml";

/** Commands that stand in other people's files: a pipeline's jobs, a container's entry point. */

/** What a pipeline does before rolefresh can run, and cannot do here. */
const SETTING_UP = /^(npm|apk|apt-get) /;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/**
 * The `run` of a GitHub workflow's steps and the `script` of a GitLab job, each without what sets the job up.
 *
 * @throws Error for what is no YAML
 */
export function commandsOfPipeline(text: string): readonly string[] {
  for (const { errors } of parseAllDocuments(text)) if (errors[0]) throw errors[0];
  if (/^---$/m.test(text)) return [];
  const pipeline: unknown = parse(text);
  if (!isRecord(pipeline)) return [];
  const jobs = isRecord(pipeline["jobs"]) ? pipeline["jobs"] : pipeline;
  const commands: string[] = [];
  for (const job of Object.values(jobs)) {
    if (!isRecord(job)) continue;
    for (const step of listOf(job["steps"]))
      if (isRecord(step) && typeof step["run"] === "string") commands.push(step["run"]);
    const script = listOf(job["script"]).filter((line) => typeof line === "string");
    if (script.length > 0) commands.push(script.join("\n"));
  }
  return commands
    .map((command) =>
      command
        .split("\n")
        .filter((line) => !SETTING_UP.test(line))
        .join("\n"),
    )
    .filter((command) => command.trim() !== "");
}

/** The entry point of a Dockerfile in its exec form. */
export function commandsOfContainer(text: string): readonly string[] {
  return [...text.matchAll(/^ENTRYPOINT (\[.*\])$/gm)].map(([, list = ""]) => {
    const words: unknown = JSON.parse(list);
    return listOf(words)
      .map((word) => `'${String(word)}'`)
      .join(" ");
  });
}
