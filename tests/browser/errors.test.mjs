// When something doesn't work: the right status, plain words, a way on, and a number to quote when it is our fault.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Lived } from "./lived.mjs";
import { SCENES } from "./scenes.mjs";

/** @type {Lived} */ let lived;
before(async () => { lived = await Lived.open(); });
after(async () => { await lived?.close(); });

/** Words that belong into a log. */
const JARGON = /sqlite|malformed|database disk|diesel|error|exception|panic|null|undefined|internal|HTTP/i;
const AGAIN = ["error-429", "error-500", "error-503"];

for (const scene of SCENES.filter(({ name }) => name.startsWith("error-"))) {
  test(`${scene.name} says what happened, what was kept and how to go on`, async () => {
    const status = Number(scene.name.slice(6, 9));
    const context = await (await lived.for(scene)).as(scene.who ?? "ana");
    const page = await context.newPage();
    const answers = [];
    page.on("response", (response) => { if (response.request().isNavigationRequest()) answers.push(response.status()); });
    await page.goto(scene.path);
    await scene.then?.(page, context);
    assert.equal(answers.at(-1), status);
    const trouble = page.locator("main .trouble");
    assert.equal(await trouble.locator(".trouble-status").textContent(), String(status));
    assert.doesNotMatch(await trouble.textContent(), JARGON);
    assert.ok((await trouble.locator("h2").textContent()).length > 3);
    assert.match(await trouble.locator("h2 + p").textContent(), /^[A-Z].*\.$/);
    assert.equal(await trouble.locator("code").count(), status >= 500 ? 1 : 0, "a number to quote");
    const way = trouble.locator("a.button").first();
    assert.match(await way.textContent(), AGAIN.includes(scene.name) ? /Try again/ : /Back to the start/);
    assert.equal((await page.request.get(await way.getAttribute("href"))).status(), status >= 500 ? status : 200);
    await context.close();
  });
}

test("a server whose messages are broken answers every page with a page and every call with a problem", async () => {
  const { house, people } = await lived.for({ trouble: "messages" });
  const page = await house.browser.newPage();
  await house.signIn(page.context(), people.ana);
  for (const path of ["/dashboard", "/board", "/channels", "/c/beamline", "/media"]) {
    const answer = await page.goto(house.origin + path);
    assert.equal(answer.status(), 500, path);
    assert.equal(await page.locator("main .trouble").count(), 1, path);
  }
  const problem = await page.request.get(`${house.origin}/api/v1/rooms`);
  assert.equal(problem.status(), 500);
  assert.equal((await problem.json()).code, "damaged");
  await page.close();
});
