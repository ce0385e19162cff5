// Ways in, each from start to end, with a second browser where it takes one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House, PASSWORD, PHONE } from "./house.mjs";
import { ready, until } from "./page.mjs";
import { shownCode } from "./totp.mjs";

let house, ann;
before(async () => {
  house = await House.open({ registration: "invite" });
  ann = await house.person("ann", "Ann Lee");
});
after(() => house?.close());

/** A page of a browser in which nobody is signed in. */
async function stranger(path, options = {}) {
  const page = await (await house.visitor(options)).newPage();
  await page.goto(path);
  return page;
}

/** Gives name and password. */
async function logIn(page, username, password = PASSWORD) {
  await page.goto("/login");
  await page.locator("#login-username").fill(username);
  await page.locator("#login-password").fill(password);
  await page.locator(".entry-form-login").getByRole("button", { name: "Log in" }).click();
}

/** Brings somebody in by an invite that Ann makes on her page. */
async function invited(username) {
  const desk = await house.visit(ann, "/admin/invites");
  await desk.getByLabel("Whom or what it is for").fill(`for ${username}`);
  await desk.getByRole("button", { name: "Make the link" }).click();
  const page = await stranger(await desk.locator("#new-link").inputValue());
  await page.getByText("Ann Lee invites you.").waitFor();
  await page.locator("#register-username").fill(username);
  await page.locator("#register-password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make my account" }).click();
  await page.waitForURL("**/dashboard");
  await house.go(desk, "/admin/invites");
  return { page, desk };
}

test("somebody comes by an invite, and the list says who came by which", async () => {
  const { page, desk } = await invited("bob");
  const invite = desk.locator(".invite", { hasText: "for bob" });
  await invite.getByText("1 of 1 came").waitFor();
  await invite.getByRole("link", { name: "bob" }).waitFor();
  house.quiet();
  await Promise.all([page.context().close(), desk.context().close()]);
});

test("somebody who has forgotten the password sets a new one by a link of the owner's, and is out everywhere else", async () => {
  const { page, desk } = await invited("cem");
  await ready(page);
  await desk.goto("/admin/people?query=cem");
  await desk.getByRole("link", { name: "cem" }).click();
  await desk.getByRole("button", { name: "Make a link for a new password" }).click();
  const link = await desk.locator("#new-link").inputValue();
  const other = await stranger(link);
  await other.locator("#reset-password").fill("a better password");
  await other.getByRole("button", { name: "Set the password" }).click();
  await other.getByText("Your new password is set.").waitFor();
  // The window that was open notices it by its socket.
  await page.waitForURL("**/login**");
  await logIn(other, "cem", "a better password");
  await other.waitForURL("**/dashboard");
  await other.goto(link);
  await other.getByText("That link doesn't hold, or not any more.").waitFor();
  house.quiet(/status of 40[14]|WebSocket/);
  await Promise.all([page.context().close(), desk.context().close(), other.context().close()]);
});

test("a second step is set up, asked for, and lost with the phone: a recovery code brings one in", async () => {
  const { page, desk } = await invited("dora");
  await page.goto("/settings");
  await page.getByRole("link", { name: "Look at it" }).click();
  await page.locator("#begin-current").fill(PASSWORD);
  await page.getByRole("button", { name: "Set it up" }).click();
  const secret = await page.locator(".scan-secret").textContent();
  const box = await page.locator(".qr").boundingBox();
  assert.ok(box.width > 150 && Math.abs(box.width - box.height) < 2, JSON.stringify(box));
  const first = shownCode(secret);
  await page.locator("#code").fill(first);
  await page.getByRole("button", { name: "Turn it on" }).click();
  await page.getByText("The second step is on.").waitFor();
  const codes = await page.locator(".codes code").allTextContents();
  assert.equal(new Set(codes).size, 10);
  const phone = await stranger("/login", { viewport: PHONE, hasTouch: true });
  await logIn(phone, "dora");
  await phone.getByRole("heading", { name: "One more step" }).waitFor();
  // Spent in setting it up.
  await phone.locator("#code").fill(first);
  await phone.getByRole("button", { name: "Log in" }).click();
  await phone.getByText("was used already").waitFor();
  // The app's next one may be typed a little early.
  await phone.locator("#code").fill(shownCode(secret, Date.now() + 30_000));
  await phone.getByRole("button", { name: "Log in" }).click();
  await phone.waitForURL("**/dashboard");
  const lost = await stranger("/login");
  await logIn(lost, "dora");
  await lost.locator("#code").fill(codes[7]);
  await lost.getByRole("button", { name: "Log in" }).click();
  await lost.waitForURL("**/dashboard");
  await lost.goto("/settings/security");
  await lost.getByText("Recovery codes that are left: 9").waitFor();
  await lost.getByText("Turn it off").first().click();
  await lost.locator("#off-current").fill(PASSWORD);
  await lost.locator("#off-code").fill(codes[0]);
  await lost.getByRole("button", { name: "Turn it off" }).click();
  await lost.getByText("The second step is off.").waitFor();
  house.quiet(/status of 422/);
  await Promise.all([page.context().close(), desk.context().close(), phone.context().close(), lost.context().close()]);
});

for (const script of [true, false]) {
  test(`a second device is signed in by a code and a number, ${script ? "with" : "without"} a script`, async () => {
    const here = await house.visitor({ javaScriptEnabled: script });
    await house.signIn(here, ann);
    const desk = await here.newPage();
    await desk.goto("/settings/security");
    await desk.getByRole("button", { name: "Sign in on another device" }).click();
    const link = await desk.locator("#handover-link").inputValue();
    const phone = await stranger(link, { viewport: PHONE, hasTouch: true, javaScriptEnabled: script });
    await phone.getByText("@ann").waitFor();
    await phone.getByRole("button", { name: "Sign in here" }).click();
    const number = (text) => /\d{4}/.exec(text ?? "")?.[0];
    const there = number(await phone.locator(".handover-number").textContent());
    // Neither page is touched: each goes on by itself.
    const seen = number(await desk.locator(".handover-number").textContent());
    assert.equal(there, seen);
    await desk.getByRole("button", { name: "The number is the same" }).click();
    await phone.waitForURL("**/dashboard");
    await desk.getByRole("heading", { name: "That code is done" }).waitFor();
    await desk.getByRole("link", { name: "Where you are signed in" }).click();
    await until(async () => await desk.locator("[aria-labelledby=sessions] .session").count() >= 2, "both devices");
    await Promise.all([here.close(), phone.context().close()]);
    house.quiet();
  });
}
