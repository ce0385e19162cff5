// A house that looks lived in: people, channels, notes and messages, put there through the public API.
import { randomFillSync } from "node:crypto";
import { open } from "node:fs/promises";

import { House, PASSWORD } from "./house.mjs";
import { until } from "./page.mjs";
import { Person } from "./person.mjs";
import { beamSpot, morning } from "./picture.mjs";
import { shownCode } from "./totp.mjs";

/** People who talk in the pictures. The first one looks at most pages. */
const PEOPLE = [["ana", "Ana Lima"], ["mira", "Mira Kovač"], ["siru", "陳思如"], ["jonas", "Jonas Ott"], ["tomas", "Tomás Beltrán"], ["ilse", "Ilse de Wit"]];

const TALK = [
  ["mira", "Morning. Energy is steady at 2.98 GeV since the top-up, repetition rate at 50 Hz."],
  ["mira", "Here's the spot after alignment, two turns on the second quad."],
  ["siru", "很漂亮！could you log the set points? I used\n```python\nquad2 = 13.420  # A\nsteer = (-0.12, 0.04)\n```"],
  ["jonas", "Watching from home. The live page says 51.2 on the lead monitor, is that expected?"],
  ["ana", "> is that expected?\nYes, @jonas, until the *shutter test* ends at ten."],
  ["ana", "Set points are in the log now."],
];

const NOTES = [
  ["mira", "Parking on the 24th", "North lot closed for resurfacing. Bicycles are fine."],
  ["ilse", "Wanted: two hands on Monday", "We move the spectrometer at 09:00. Forty minutes, safety shoes, cake afterwards."],
  ["tomas", "Seminar: slow extraction", "Friday 11:00, room B2. Questions afterwards, on the channel of the same name."],
  ["ana", "", "New coffee beans are in. The old grinder is not repaired, it is only resting."],
  ["jonas", "Group photo", "From Thursday's walk. The full set is in the library. Thank you all for coming, even those who said at the start that they would only walk as far as the bakery and then turned out to be the first ones on the hill."],
  ["siru", "", "誰借走了 30 公分的內六角扳手？請放回三號櫃，謝謝。"],
  ["mira", "Beam back at 16:00", "The RF people found the loose connector. Please keep the hutch closed until the lamp is green."],
];

const CHANNELS = [["beamline", "Run 214, shifts and readings. Handover at 07:00 and 19:00."], ["general", ""], ["papers", "What we read, and what we should."], ["readings", "Every quarter of an hour, by whoever is awake."], ["schedule", "Who is where."], ["實驗記錄", "每天的量測結果"]];

/** One line of a long night: two people in turns, four readings each. */
function reading(number) {
  const minutes = 19 * 60 + number * 15;
  const two = (value) => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}  lead ${(51 + Math.sin(number) / 2).toFixed(1)}, dark ${(0.04 + (number % 5) / 100).toFixed(2)}`;
}

/** What can be wrong in a house: too many come at once, somebody wrote over one of the two databases, or a recording is broken. @typedef {"hurried" | "messages" | "accounts" | "cut"} Trouble */

/** Puts a recording into the library that nobody can prepare, and waits until that is known. */
async function addBroken(house, who) {
  const answer = await fetch(`${house.origin}/api/v1/media/Cut%20short.wav`, { method: "PUT", body: "RIFF....WAVE", headers: { cookie: who.cookie } });
  if (!answer.ok) throw new Error(await answer.text());
  const { id } = await answer.json();
  await until(async () => (await who.call("GET", `/media/${id}`)).state === "failed", "it to fail", 60_000);
}

/** Writes nonsense over a database while the server has it open; only the name of the format stays. */
async function corrupt(house, database) {
  for (const name of [`${database}.db`, `${database}.db-wal`]) {
    const file = await open(`${house.folder}/data/${name}`, "r+");
    const { size } = await file.stat();
    await file.write(randomFillSync(Buffer.alloc(size - 100)), 0, size - 100, 100);
    await file.close();
  }
}

/** A house with people, channels, notes and messages; `as(name)` is a signed-in context. */
export class Lived {
  /** @type {Record<string, import("./person.mjs").Person>} */ people = {};
  /** @type {Map<Trouble, Promise<Lived>>} */ #beside = new Map();

  static async open(settings = {}) {
    const lived = new Lived();
    lived.house = await House.open(settings);
    try {
      await lived.#fill();
    } catch (error) {
      // A browser that nobody closes keeps its test from ending.
      await lived.house.close();
      throw error;
    }
    return lived;
  }

  async #fill() {
    const { house, people } = this;
    for (const [username, name] of PEOPLE.slice(0, -1)) people[username] = await house.person(username, name);
    await this.#invited(...PEOPLE[PEOPLE.length - 1]);
    await this.#doubly("tomas");
    people.guest = await house.guest("Sam");
    // Two log-ins more: the home page says how often and when.
    for (let time = 0; time < 2; time += 1) await people.ana.form("/login", { username: "ana", password: PASSWORD });
    for (const [name, topic] of CHANNELS) {
      await people.mira.form("/channels", { name, topic });
      for (const who of name === "papers" ? [] : ["ana", "siru", "jonas"]) await people[who].form(`/c/${encodeURIComponent(name)}/join`, {});
    }
    for (const [who, title, text] of NOTES) await people[who].form("/board", { title, text });
    for (const [who, text] of TALK) await people[who].form("/c/beamline", { text });
    for (const text of ["Who has the late shift?", "I can take it.", "Thank you."]) await people.mira.form("/c/schedule", { text });
    for (let number = 0; number < 64; number += 1) await people[number % 8 < 4 ? "mira" : "siru"].form("/c/readings", { text: reading(number) });
    await people.ana.form("/c/readings", { text: "Thank you both. Sleep well." });
    await this.#talk();
    await this.#recordings();
    await this.#shelf();
    await this.#streams();
  }

  /** Somebody who came by an invite that has a use left. */
  async #invited(username, name) {
    const { ana } = this.people;
    const end = Date.now() + 6 * 24 * 3600 * 1000;
    const { link } = await ana.call("POST", "/invites", { label: "Those who move the spectrometer", uses: 2, expires_at: end });
    const invite = new URL(link).searchParams.get("invite");
    this.people[username] = await Person.by("/register", this.house.origin, { username, password: PASSWORD, display_name: name, invite });
  }

  /** Somebody whose log-in takes a second step. */
  async #doubly(username) {
    const who = this.people[username];
    await who.form("/settings/security", { do: "begin", current: PASSWORD });
    const [, secret] = /scan-secret"[^>]*>([^<]+)</.exec(await who.look("/settings/security/second")) ?? [];
    const body = new URLSearchParams({ code: shownCode(secret) });
    const answer = await fetch(`${this.house.origin}/settings/security/second`, { method: "POST", body, headers: { cookie: who.cookie } });
    if (answer.status !== 200) throw new Error(await answer.text());
  }

  /** Two streams, one of which is live; nothing has come into the third. */
  async #streams() {
    const { ana, mira } = this.people;
    const fields = [{ name: "beam_energy", unit: "GeV", min: 149.5, max: 150.5 }, { name: "repetition_rate", unit: "Hz", min: 9.5, max: 10.5 }];
    await ana.call("POST", "/live", { name: "beamline-3", title: "Beamline 3, screen 2", public: true, fields });
    this.house.publish("--name", "beamline-3", "--rate", "4");
    const { push, key } = await mira.call("POST", "/live", { name: "cryostat", title: "低溫槽", fields: [{ name: "temperature", unit: "K", max: 4.4 }], alarms: ["temperature > 4.42", "level < 68"] });
    const lines = Array.from({ length: 40 }, (_, n) => JSON.stringify({ temperature: 4.2 + n / 150, level: 71 - n / 10, valve: "open" })).join("\n");
    await fetch(`${this.house.origin}${push}?key=${key}`, { method: "POST", body: lines, headers: { "content-type": "application/x-ndjson" } });
    await mira.call("POST", "/live", { name: "hall-camera", title: "Hall camera" });
  }

  /** What is said about the film of the library. */
  async #recordings() {
    const { ana, mira, siru } = this.people;
    const film = (await ana.call("GET", "/media")).items.find(({ kind }) => kind === "video");
    const [, room] = /<chat-talk[^>]* data-room="(\d+)"/.exec(await ana.look(`/media/${film.id}`)) ?? [];
    const talk = { id: Number(room) };
    for (const who of [ana, mira, siru]) await who.join(talk);
    await siru.say(talk, "The fog lifts at 0:03. Shall we begin there?");
    await ana.say(talk, "Yes, and let it stand from 0:05 to the end.");
    await mira.say(talk, "很美。 0:01 那裡再暗一點就好。");
  }

  /** A film with chapters, captions and a list that it is in; somebody has begun it. */
  async #shelf() {
    const { ana } = this.people;
    const { items } = await ana.call("GET", "/media");
    const film = items.find(({ kind }) => kind === "video");
    await ana.call("PATCH", `/media/${film.id}`, {
      description: "From the roof, the morning after the open day.", tags: ["morning", "roof"], licence: "CC BY 4.0",
      chapters: "0:00 Before dawn\n0:06 First light\n0:14 Over the water",
    });
    for (const [language, text] of [["en", "The first light of the day"], ["zh-Hant", "今天的第一道光"]]) {
      const answer = await fetch(`${this.house.origin}/api/v1/media/${film.id}/captions/${language}`,
        { method: "PUT", headers: { cookie: ana.cookie }, body: `WEBVTT\n\n00:00.000 --> 00:20.000\n${text}\n` });
      if (!answer.ok) throw new Error(await answer.text());
    }
    await ana.call("PUT", `/media/${film.id}/position`, { position: 9000, length: 20_000 });
    const list = await ana.call("POST", "/media/lists", { name: "Slow mornings", public: true });
    for (const { id } of items) await ana.call("PUT", `/media/lists/${list.id}/items/${id}`);
  }

  /** A group with a thread, pictures, reactions and a pin, and two private conversations. */
  async #talk() {
    const { ana, mira, siru, jonas, tomas } = this.people;
    const group = (this.group = await mira.call("POST", "/rooms", { kind: "group", name: "Open day", topic: "14 December, 10:00 to 17:00", members: ["ana", "siru", "jonas"] }));
    await mira.call("POST", "/rooms", { kind: "group", name: "Carpool east", members: ["ana", "tomas"] });
    const at = `/rooms/${group.id}/messages`;
    const plan = await mira.say(group, "Who brings what?\n\n1. **Hall:** tables, the long extension leads\n2. **Tours:** every full hour, at most twelve people\n3. **Cake:** see #general");
    await jonas.say(group, "I take the tours at 11 and 15.", { reply_to: plan.seq });
    await siru.say(group, "蛋糕我來準備。 One with nuts, one without.", { reply_to: plan.seq });
    await ana.say(group, "And I the one at 13.", { reply_to: plan.seq });
    const pictures = [await siru.upload(group, "morning.png", morning()), await siru.upload(group, "beam spot.png", beamSpot())];
    const shown = await siru.say(group, "Which one goes on the poster?", { attachments: pictures.map(({ id }) => id) });
    for (const [who, emoji] of [[ana, "👍"], [mira, "👍"], [jonas, "🌄"]]) await who.call("PUT", `${at}/${shown.seq}/reactions/${encodeURIComponent(emoji)}`);
    await mira.call("PUT", `${at}/${plan.seq}/pin`);
    const list = await mira.upload(group, "Helpers.csv", Buffer.from("name,hours\nAna,3\nJonas,4\n"));
    await mira.say(group, "@ana, your name is on it too:", { attachments: [list.id] });
    await ana.say(group, "🎉");
    await ana.call("PUT", `${at}/${plan.seq}/bookmark`);
    for (const [who, words] of [[jonas, ["Do you have the key to the hutch?", "Mine stopped working last night."]], [tomas, ["Lunch at 12:15?"]]]) {
      const { id } = await who.call("POST", "/direct", { username: "ana" });
      for (const text of words) await who.say({ id }, text);
      if (who === jonas) await ana.say({ id }, "In the drawer below the `B2` rack. Take the *second* one.");
    }
  }

  /** A browser in which `who` is signed in; nobody for "". */
  async as(who, options = {}) {
    const context = await this.house.visitor(options);
    if (who) await this.house.signIn(context, this.people[who]);
    return context;
  }

  /** The house where a scene takes place: this one, or one beside it in which something is wrong. @returns {Promise<Lived>} */
  for({ trouble }) {
    if (!trouble) return Promise.resolve(this);
    if (!this.#beside.has(trouble)) this.#beside.set(trouble, this.#open(trouble));
    return /** @type {Promise<Lived>} */ (this.#beside.get(trouble));
  }

  async #open(trouble) {
    const lived = new Lived();
    lived.house = await this.house.beside({ "rate-limits": "on", jobs: trouble === "cut" ? 1 : 0 });
    lived.people.ana = await lived.house.person("ana", "Ana Lima");
    if (trouble === "cut") await addBroken(lived.house, lived.people.ana);
    else if (trouble !== "hurried") await corrupt(lived.house, trouble);
    return lived;
  }

  async close() {
    for (const lived of this.#beside.values()) await (await lived).close();
    await this.house.close();
  }
}
