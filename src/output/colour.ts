import type { Environment, Output } from "../base/world.ts";

/** SGR codes of the colours that say how grave something is (ECMA-48, 8.3.117). */
const CODES = { green: 32, yellow: 33, red: 31 } as const;

/** A colour that the program uses. */
export type Colour = keyof typeof CODES;

/** Whether colour is wanted: a terminal that can, and no `NO_COLOR` that holds anything (https://no-color.org). */
export function isColourWanted(out: Pick<Output, "isTTY">, env: Environment): boolean {
  return out.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

/** Puts text into a colour by an SGR escape (ECMA-48). Whether colour is wanted at all is the caller's to know. */
export function paint(text: string, colour: Colour): string {
  return `\u001b[${CODES[colour]}m${text}\u001b[39m`;
}
