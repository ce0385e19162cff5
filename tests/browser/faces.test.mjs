// The picture that somebody chooses: seen by the others while they look, on every page, and the initials when it is gone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findingsInBoth } from "./axe.mjs";
import { House } from "./house.mjs";
import { say, shows, until } from "./page.mjs";

let house, ann, bob, lab;
before(async () => {
  house = await House.open();
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  lab = await ann.channel("lab");
  await bob.join(lab);
});
after(() => house?.close());

/** A picture of one colour, drawn by the browser. */
async function picture(page, color) {
  const url = await page.evaluate((fill) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 400, height: 300 });
    const pen = canvas.getContext("2d");
    pen.fillStyle = fill;
    pen.fillRect(0, 0, 400, 300);
    return canvas.toDataURL("image/png");
  }, color);
  return { name: "me.png", mimeType: "image/png", buffer: Buffer.from(url.split(",")[1], "base64") };
}

/** What stands on a face. */
const shown = (locator) => locator.evaluate((face) => getComputedStyle(face).backgroundImage);

test("a picture is chosen in the settings, shown wherever the face is, live for those who look, and taken back", { timeout: 120_000 }, async () => {
  await bob.say(lab, "hello");
  const hers = await house.visit(ann, "/c/lab?details=members");
  await shows(hers, ["hello"]);
  const theirs = hers.locator(".message .face").first();
  const member = hers.locator(".member", { hasText: "Bob" }).locator(".face");
  await member.waitFor();
  assert.equal(await shown(theirs), "none");

  const his = await house.visit(bob, "/settings");
  assert.equal(await his.getByRole("button", { name: "Back to my initials" }).count(), 0);
  await his.getByLabel("A picture in the place of your initials").setInputFiles(await picture(his, "teal"));
  await his.getByRole("button", { name: "Use this picture" }).click();
  await his.getByText("Saved.").waitFor();
  for (const place of [".own-face .face", ".me .face", ".rail-me .face"]) assert.match(await shown(his.locator(place)), /\/people\/2\/picture\?v=/, place);
  assert.deepEqual(await findingsInBoth(his), []);

  // She looks at him in the list of members, so she learns of it at once; what a script makes has it too.
  await until(async () => /picture/.test(await shown(member)), "his picture among the members");
  assert.match(await shown(theirs), /\/people\/2\/picture\?v=/);
  await house.go(his, "/c/lab");
  await say(his, "it is me");
  await shows(hers, ["hello", "it is me"]);
  await hers.locator(".member", { hasText: "Bob" }).getByRole("link").press("Enter");
  await hers.locator("person-card .face").waitFor();
  assert.match(await shown(hers.locator("person-card .face")), /picture/);
  await hers.keyboard.press("Escape");
  await house.go(hers, "/people");
  assert.match(await shown(hers.locator(".person", { hasText: "@bob" }).locator(".face")), /picture/);
  assert.equal(await shown(hers.locator(".person", { hasText: "@ann" }).locator(".face")), "none");

  await house.go(his, "/settings");
  await his.getByLabel("A picture in the place of your initials").setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("words") });
  await his.getByRole("button", { name: "Use this picture" }).click();
  await his.getByText("Only JPEG, PNG, GIF and WebP are taken as pictures.").waitFor();
  await his.getByRole("button", { name: "Back to my initials" }).click();
  await his.getByText("Saved.").waitFor();
  assert.equal(await shown(his.locator(".own-face .face")), "none");
  await until(async () => (await shown(hers.locator(".person", { hasText: "@bob" }).locator(".face"))) === "none", "the initials again");
  house.quiet(/status of 422/);
  await his.context().close();
  await hers.context().close();
});
