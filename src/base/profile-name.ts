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

/** No lone surrogates: they have no UTF-8 form. */
function isWellFormed(name: string): boolean {
  return Buffer.from(name).toString() === name;
}
