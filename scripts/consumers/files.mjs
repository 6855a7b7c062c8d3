// The credentials files that the consumers read: what stood there before, and which profiles rolefresh writes into it.

const ROLE = "role_arn = arn:aws:iam::123412341234:role/my-gcp-role-20211031\nidentity = gcp-metadata\n";
const OLD = (name) =>
  `[${name}]\naws_access_key_id = ASIAOLDOLDOLDOLDOLD0\naws_secret_access_key = old\naws_session_token = old\n`;
const FOREIGN = `# the team's own, do not touch
[backup]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
region = eu-central-1 # Frankfurt

`;

/** `before`: the file that stands there; `profiles`: those that are read; `config`: when it is not the usual one. */
export const FILES = [
  { name: "new file", before: undefined, profiles: ["default"] },
  { name: "CRLF", before: (FOREIGN + OLD("default")).replaceAll("\n", "\r\n"), profiles: ["default"] },
  {
    name: "foreign sections",
    before: `${FOREIGN}${OLD("default")}\n# about the next\n[other]\nregion = us-east-1\ncredential_process = /bin/false\n`,
    profiles: ["default"],
  },
  {
    name: "nested blocks",
    before: `[default]\ns3 =\n  max_concurrent_requests = 20\n  addressing_style = path\nregion = eu-west-1\n${FOREIGN}`,
    profiles: ["default"],
  },
  {
    name: "odd keys before",
    before: "[default]\nAWS_ACCESS_KEY_ID: ASIAOLDOLDOLDOLDOLD0\naws_security_token=stale\nregion = eu-west-1\n",
    profiles: ["default"],
  },
  { name: "indented keys", before: OLD("default").replaceAll("\naws", "\n  aws"), profiles: ["default"] },
  { name: "no final newline", before: `${FOREIGN}[default]\nregion = eu-west-1`, profiles: ["default"] },
  { name: "dotted name", before: FOREIGN, profiles: ["team.prod"] },
  { name: "name with @/+%:", before: FOREIGN, profiles: ["ops@eu/prod-1+x%y:z_"] },
  { name: "spaced name", before: FOREIGN, profiles: ["team prod"] },
  {
    name: "many profiles",
    before: FOREIGN,
    profiles: ["default", "a.b", "chained"],
    extra: "[chained]\nrole_arn = arn:aws:iam::999999999999:role/Billing\nsource_profile = default\n",
  },
  { name: "written in place", before: FOREIGN, profiles: ["default"], options: "write_mode = in-place\n" },
];

/** The configuration with which rolefresh writes a file. */
export function configFor({ profiles, extra = "", options = "" }) {
  const own = profiles.filter((name) => !extra.includes(`[${name}]`));
  return own.map((name) => `[${name}]\n${ROLE}${options}`).join("\n") + `\n${extra}`;
}
