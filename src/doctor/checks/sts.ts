import type { Evidence } from "../evidence.ts";
import { finding, type Finding } from "../finding.ts";

/** Whether each STS endpoint can be reached, and how fast it responds. */
export async function stsFindings({ endpoints }: Evidence): Promise<readonly Finding[]> {
  return await Promise.all(
    endpoints.map(async ({ endpoint, probe }) => {
      const result = await probe();
      if ("failed" in result) return result.failed;
      const { url, latencyMs } = result.value;
      return finding("ok", `${endpoint.region}: ${url.host} responds in ${Math.round(latencyMs)} ms`);
    }),
  );
}
