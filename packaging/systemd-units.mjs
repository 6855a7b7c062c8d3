// The units of the Debian package, from what `rolefresh schedule systemd` writes (built): one place knows how a unit of ours looks.
const SCHEDULE = new URL("../build/src/schedule/systemd-unit.js", import.meta.url);

/** A package knows neither the configuration nor the homes that the credentials files are in. */
const UNKNOWN = {
  environment: new Map(),
  writablePaths: [],
  optionalWritablePaths: [],
  needsTmp: true,
  runsCommands: false,
};

/** @returns the texts of the units by their path in the package */
export async function packagedUnits() {
  const { serviceUnit, timerUnit, SERVICE_NAME, TIMER_NAME } = await import(SCHEDULE);
  const common = {
    ...UNKNOWN,
    program: ["/usr/bin/rolefresh"],
    interval: { minutes: 5 },
    timeoutMs: 60_000,
    runAs: undefined,
  };
  const machine = { ...common, scope: "system", options: ["--config", "/etc/rolefresh.ini"] };
  const user = { ...common, scope: "user", options: [] };
  const units = {};
  for (const job of [machine, user]) {
    const folder = `usr/lib/systemd/${job.scope}`;
    units[`${folder}/${SERVICE_NAME}`] = claimed(loosened(serviceUnit(job)), SERVICE_NAME, job.scope);
    units[`${folder}/${TIMER_NAME}`] = claimed(timerUnit(job), TIMER_NAME, job.scope);
  }
  return units;
}

/** The first line says whose the unit is: `schedule systemd` must not take it for one of its own. */
function claimed(text, name, scope) {
  const edit = `systemctl ${scope === "user" ? "--user " : ""}edit ${name}`;
  return text.replace(/^.*\n/, `# Part of the package rolefresh; '${edit}' changes it and survives an upgrade.\n`);
}

/** Credentials files are wherever /etc/rolefresh.ini says, in homes too: those must not be read-only. */
function loosened(text) {
  return text
    .replace(
      /^ProtectSystem=strict\n(?:#.*\n)?ProtectHome=read-only\n/m,
      `# Commands of the config (on_refresh, identity_command, …) run in this sandbox too: no sudo, and no writing in /etc, /usr
# or /boot. The credentials files may be in any home; 'rolefresh schedule systemd --install' writes a unit that may write
# in their folders and nowhere else.
ProtectSystem=full
`,
    )
    .replace(/^# PrivateTmp= is off.*\n/m, "");
}
