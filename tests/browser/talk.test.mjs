// Two people talk: live, after a reload, after closing the browser, and over a server that dies in mid-sentence.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { createChannel, joinChannel, say, shows } from "./page.mjs";

let house;
before(async () => { house = await House.open(); });
after(async () => { await house.close(); });

test("two people register, talk live, reload, close the browser and come back to the same place", async () => {
  let anns = await house.profile("ann");
  const bobs = await house.visitor();
  const ann = await house.register(anns, "ann", "Ann Lee");
  const bob = await house.register(bobs, "bob");
  await createChannel(ann, "Beam time");
  await joinChannel(bob, "Beam time");

  await say(ann, "Is the beam on?");
  await shows(bob, ["Is the beam on?"]);
  await say(bob, "Since seven.\nStable.".replace("\n", " "));
  const talk = ["Is the beam on?", "Since seven. Stable."];
  await shows(ann, talk);
  const first = ann.locator(".message").first();
  assert.equal(await first.locator(".message-name").textContent(), "Ann Lee");
  const when = Date.parse(await first.locator("time").getAttribute("datetime"));
  assert.ok(Math.abs(Date.now() - when) < 60_000, "the time is now");

  await ann.reload();
  await shows(ann, talk);

  await anns.close();
  await say(bob, "Gone already?");
  anns = await house.profile("ann");
  const back = await anns.newPage();
  await back.goto("/");
  await back.waitForURL("**/c/Beam%20time");
  await shows(back, [...talk, "Gone already?"]);
  assert.match(await back.locator(".me").textContent(), /Ann Lee/);
  await anns.close();
  await bobs.close();
  house.quiet();
});

test("what is written while the server is dead arrives once when it is back", async () => {
  const cleos = await house.visitor();
  const dans = await house.visitor();
  const cleo = await house.register(cleos, "cleo");
  const dan = await house.register(dans, "dan");
  await createChannel(cleo, "Night shift");
  await joinChannel(dan, "Night shift");
  await say(cleo, "before");
  await shows(dan, ["before"]);

  await house.stop();
  await say(cleo, "typed while it was dead");
  await say(cleo, "and one more");
  await house.start();
  const all = ["before", "typed while it was dead", "and one more"];
  await shows(dan, all);
  await shows(cleo, all);
  await dan.reload();
  await shows(dan, all);
  await cleo.reload();
  await shows(cleo, all);
  await cleos.close();
  await dans.close();
  // The browser itself says that it could not reach the dead server.
  house.quiet(/ERR_CONNECTION_REFUSED|WebSocket connection|Failed to load resource/);
});

test("what is unsent survives a reload of the page", async () => {
  const evas = await house.visitor();
  const eva = await house.register(evas, "eva");
  await createChannel(eva, "Notes to self");
  await say(eva, "one");
  await shows(eva, ["one"]);
  // Only the socket is away: the page itself can still be loaded.
  await evas.routeWebSocket(/\/ws$/, (socket) => { socket.close(); });
  await eva.reload();
  await say(eva, "two");
  await evas.unrouteAll();
  const fresh = await evas.newPage();
  await eva.close();
  await fresh.goto("/c/Notes%20to%20self");
  await shows(fresh, ["one", "two"]);
  await evas.close();
});

test("older messages come by scrolling, and nothing is there twice", async () => {
  const finns = await house.visitor();
  const finn = await house.register(finns, "finn");
  await createChannel(finn, "Archive");
  const room = Number(await finn.locator("chat-timeline").getAttribute("data-room"));
  const sent = await finn.evaluate(async (id) => {
    let good = 0;
    for (let number = 1; number <= 230; number += 1) {
      const body = JSON.stringify({ nonce: `archive-message-${String(number).padStart(6, "0")}`, text: `message ${number}` });
      const answer = await fetch(`/api/v1/rooms/${id}/messages`, { method: "POST", headers: { "content-type": "application/json" }, body });
      if (answer.status === 201) good += 1;
    }
    return good;
  }, room);
  assert.equal(sent, 230);
  await finn.goto("/c/Archive");
  const scroll = finn.locator(".timeline-scroll");
  const count = () => finn.locator(".messages .message").count();
  const until = Date.now() + 30_000;
  while (await count() < 230 && Date.now() < until) {
    await scroll.evaluate((element) => { element.scrollTop = 0; });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await shows(finn, Array.from({ length: 230 }, (_, index) => `message ${index + 1}`));
  await finns.close();
});
