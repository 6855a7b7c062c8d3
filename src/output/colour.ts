import type { Environment, Output } from "../base/world.ts";

/** SGR codes (ECMA-48, 8.3.117). */
const CODES = { green: 32, yellow: 33, red: 31 } as const;

/** The colours of levels and states. */
export type Colour = keyof typeof CODES;

/** A capable terminal, and `NO_COLOR` unset or empty (https://no-color.org). */
export function isColourWanted(out: Pick<Output, "isTTY">, env: Environment): boolean {
  return out.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

/** The text in a colour; ask `isColourWanted` first. */
export function paint(text: string, colour: Colour): string {
  return `\u001b[${CODES[colour]}m${text}\u001b[39m`;
}
