// Films for tests: quick to make, cheap to play, and long enough.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * A film with a tone, in the library.
 * @param {{size?: string, rate?: number}} [how] as ffmpeg's `testsrc` takes it
 * @returns {Promise<any>} the item
 */
export async function makeFilm(house, who, name, seconds, { size = "320x180", rate = 10 } = {}) {
  const path = join(house.folder, name);
  await run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", `testsrc=size=${size}:rate=${rate}:duration=${seconds}`,
    "-f", "lavfi", "-i", `sine=frequency=330:duration=${seconds}`, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
    "-g", String(rate), "-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart", path]);
  const answer = await fetch(`${house.origin}/api/v1/media/${encodeURIComponent(name)}`,
    { method: "PUT", body: await readFile(path), headers: { cookie: who.cookie } });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
}
