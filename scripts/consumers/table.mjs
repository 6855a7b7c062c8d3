// docs/CONSUMERS.md.
const SIGNS = { proved: "✓✓", read: "✓", failed: "✗" };

export function renderConsumers(rows, files) {
  const notes = [];
  const cellOf = ({ outcome, why }) => {
    if (outcome !== "skipped" && outcome !== "failed") return SIGNS[outcome];
    let at = notes.indexOf(why);
    if (at === -1) at = notes.push(why) - 1;
    return `${SIGNS[outcome] ?? "–"} (${at + 1})`;
  };
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const here = rows.filter(({ missing }) => missing === undefined);
  const away = rows.filter(({ missing }) => missing !== undefined);
  const table = [
    line(["read by", ...files.map(({ name }) => name)]),
    line(["---", ...files.map(() => ":-:")]),
    ...here.map(({ name, version, cells }) => line([`${name} ${version}`, ...cells.map(cellOf)])),
  ];
  const cells = here.flatMap((row) => row.cells);
  const read = cells.filter(({ outcome }) => outcome === "proved" || outcome === "read").length;
  return `# Who reads what rolefresh writes

Written by \`scripts/test-consumers\` from its own run; do not edit. The built program writes each of the files below with
credentials from a loopback STS, and each program reads them by its own means: access key, secret key and session token (about
1000 characters with \`/\`, \`+\` and \`=\`) must come out to the letter.

**${read} of ${cells.length} read to the letter.** ✓✓ read, and a request signed with it was accepted (\`GetCallerIdentity\`; for rclone, s3fs and s3cmd
a listing of S3, whose signature and token were checked); ✓ read; ✗ not read; – not asked.

${table.join("\n")}

${notes.map((note, at) => `(${at + 1}) ${note}\n`).join("")}${away.length === 0 ? "" : `\nNot asked in this run: ${away.map(({ name, missing }) => `${name} (${missing})`).join(", ")}.\n`}
## The files

${files.map(({ name, profiles, before }) => `- **${name}**: ${profiles.map((profile) => `\`[${profile}]\``).join(", ")} ${before === undefined ? "where no file was" : `written into a file of ${before.split("\n").length} lines`}`).join("\n")}
`;
}
