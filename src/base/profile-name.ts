/**
 * Why a name cannot be a profile of the credentials file, or undefined when it can (GRAMMAR.md 9: what all readers
 * agree on; `DEFAULT` leaks into every section in Python, `__proto__` disappears in JavaScript).
 */
export function profileNameProblem(name: string): string | undefined {
  if (name === "") return "a profile needs a name";
  if (name !== name.trim()) return "a profile name may not begin or end with a blank";
  if (name.includes("]")) return "a profile name may not hold ']'";
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) return "a profile name may not hold control characters";
  if (name === "DEFAULT") return "'DEFAULT' cannot be a profile: Python's readers copy its keys into every section";
  if (/\s[;#]/.test(name))
    return "a profile name may not hold a blank with '#' or ';' behind it: some readers begin a comment there";
  if (!isWellFormed(name)) return "a profile name must be valid Unicode";
  // `parseIni` of smithy and JS v2's `ini.parse` keep sections in a plain object: `[constructor]` would be its inherited one.
  if (name === "profile __proto__" || name in {})
    return `'${name}' cannot be a profile: JavaScript's readers cannot hold it`;
  if (name.length > 512) return "a profile name may not be longer than 512 characters";
  return undefined;
}

/**
 * Why a name cannot be that of a profile that rolefresh is to write, or undefined when it can. Stricter than what a file
 * may hold already: the SDKs for Rust, Java v2 and C++ and the CRT begin a comment at `#` and `;` in a header and then
 * reject or lose the whole file, .NET takes a header with `=` for a key; `profile x` is how `~/.aws/config` names `x`.
 */
export function configuredNameProblem(name: string): string | undefined {
  const prefixed = /^profile\s+(.+)$/.exec(name)?.[1]?.replace(/^(["'])(.*)\1$/, "$2");
  if (prefixed !== undefined) return `write [${prefixed}]; the 'profile ' prefix belongs to ~/.aws/config`;
  const sign = /[#;=]/.exec(name)?.[0];
  if (sign !== undefined)
    return `a profile name may not contain '${sign}': some SDKs cannot read the credentials file with it`;
  return profileNameProblem(name);
}

/** No lone surrogates: they have no UTF-8 form. */
function isWellFormed(name: string): boolean {
  return Buffer.from(name).toString() === name;
}
