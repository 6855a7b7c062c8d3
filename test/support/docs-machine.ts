import { delimiter, dirname } from "node:path";

import { startSandbox } from "../sandbox/sandbox.ts";
import { DOCS_KINDS, type DocsPlace } from "./docs-kinds.ts";
import { writeCommonPrograms } from "./docs-programs.ts";
import { tempHome } from "./temp-home.ts";

/** The machine that a guide is for: a home, the sandbox, and on PATH what the guide's commands need. */
export interface DocsMachine extends DocsPlace, AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
}

/** @param guide the page's name without `.md` */
export async function openDocsMachine(guide: string): Promise<DocsMachine> {
  const kind = DOCS_KINDS[guide] ?? {};
  const kept: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(thing: T): T => {
    kept.push(thing);
    return thing;
  };
  const home = keep(await tempHome());
  const sandbox = keep(await startSandbox(kind.sandbox));
  await writeCommonPrograms(home);
  const own = (await kind.prepare?.({ home, sandbox }, keep)) ?? {};
  return {
    home,
    sandbox,
    env: {
      HOME: home.path,
      USER: "dana",
      PATH: [`${home.path}/bin`, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      ...sandbox.env,
      ...own,
    },
    async [Symbol.asyncDispose]() {
      for (const thing of kept.toReversed()) await thing[Symbol.asyncDispose]();
    },
  };
}
