// Two languages, and a hue of one's own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Lived } from "./lived.mjs";

/** @type {Lived} */ let lived;
before(async () => { lived = await Lived.open(); });
after(async () => { await lived?.close(); });

test("the switch changes the page's language where one stands, and scripts follow", async () => {
  const context = await lived.as("ana", { locale: "en-GB" });
  const page = await context.newPage();
  await page.goto("/c/beamline?around=2");
  await page.getByRole("button", { name: "正體中文" }).click();
  await page.waitForURL("**/c/beamline?around=2");
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-Hant");
  // What only a script says: the day's name, and the palette's words.
  await page.locator(".day time", { hasText: "今天" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "想去哪裡？" }).waitFor();
  await page.goto("/board");
  await page.locator(".note time", { hasText: /剛剛|分鐘前/ }).first().waitFor();
  await page.getByRole("button", { name: "English" }).click();
  await page.locator(".note time", { hasText: /just now|min ago/ }).first().waitFor();
  await context.close();
});

test("without a script the switch works as well", async () => {
  const context = await lived.as("", { javaScriptEnabled: false, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto("/register?next=/board");
  await page.getByRole("button", { name: "正體中文" }).click();
  await page.waitForURL("**/register?next=/board");
  await page.getByRole("heading", { name: /自己人/ }).waitFor();
  await context.close();
});

test("a browser that asks for Chinese gets it from the first page on, and refusals with it", async () => {
  const context = await lived.as("", { locale: "zh-TW" });
  const page = await context.newPage();
  await page.goto("/register");
  await page.locator("#register-username").fill("mira");
  await page.locator("#register-password").fill("correct horse");
  await page.getByRole("button", { name: "建立帳號" }).click();
  await page.getByText("這個使用者名稱已經有人用了，請換一個。").waitFor();
  await context.close();
});

test("the hue is seen while it is chosen, and kept on every page without a script's help", async () => {
  const context = await lived.as("tomas");
  const page = await context.newPage();
  const accent = () => page.evaluate(() => getComputedStyle(document.querySelector(".brand-mark")).backgroundColor);
  await page.goto("/settings");
  const own = await accent();
  await page.locator("#hue").fill("300");
  const chosen = await accent();
  assert.notEqual(chosen, own);
  await page.locator(".hue-form button").click();
  await page.waitForURL("**/settings?done=saved");
  assert.equal(await accent(), chosen);
  const still = await lived.house.visitor({ storageState: await context.storageState(), javaScriptEnabled: false });
  const plain = await still.newPage();
  await plain.goto("/people");
  const color = await plain.locator(".brand-mark").evaluate((mark) => getComputedStyle(mark).backgroundColor);
  assert.equal(color, chosen);
  await page.getByRole("button", { name: "Back to the colour of this place" }).click();
  await page.waitForURL("**/settings?done=saved");
  assert.equal(await accent(), own);
  await still.close();
  await context.close();
});

test("the API's own page is shown without a complaint", async () => {
  const context = await lived.as("");
  const page = await context.newPage();
  await page.goto("/api/docs/");
  await page.locator(".swagger-ui .info").waitFor();
  await context.close();
  lived.house.quiet(/status of 422/);
});
