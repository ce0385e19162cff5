/** Commands that begin with a slash. `//` says a slash. */
import { live } from "./live.js";
import { said, t } from "./words.js";

/**
 * What became of a command: a text to be sent, a word to the person, or what is wrong.
 * @typedef {{say?: string, note?: string, wrong?: string}} Outcome
 * @typedef {{name: string, usage: () => string, help: () => string, run: (rest: string, room: number) => Promise<Outcome> | Outcome}} Command
 */

const STATES = ["online", "away", "dnd"];

/** @type {Command[]} */
export const COMMANDS = [
  { name: "me", usage: () => ` ${t("waves")}`, help: () => t("Says what you do, with your name before it"), run: me },
  { name: "topic", usage: () => ` ${t("new topic")}`, help: () => t("Changes what this room is about"), run: topic },
  { name: "invite", usage: () => ` @${t("name")}`, help: () => t("Asks somebody into this room"), run: invite },
  { name: "msg", usage: () => ` @${t("name")} ${t("words")}`, help: () => t("Writes to one person alone"), run: msg },
  { name: "status", usage: () => ` away ${t("words")}`, help: () => t("Shows others how you are: online, away or dnd, and a few words"), run: status },
  { name: "shrug", usage: () => ` ${t("words")}`, help: () => "¯\\_(ツ)_/¯", run: shrug },
];

/**
 * Runs what somebody wrote, which begins with a slash.
 * @param {string} text
 * @param {number} room
 * @returns {Promise<Outcome>}
 */
export async function run(text, room) {
  if (text.startsWith("//")) return { say: text.slice(1) };
  const [, name, rest] = /^\/(\S*)\s*([^]*)$/.exec(text) ?? ["", "", ""];
  const command = COMMANDS.find((one) => one.name === name.toLowerCase());
  if (!command) return { wrong: t("There is no command /{name}. To send it as it is, begin with two slashes.", { name }) };
  try {
    return await command.run(rest.trim(), room);
  } catch (error) {
    const refused = /** @type {{code?: string, message?: string}} */ (error);
    if (refused.code === "offline") return { wrong: t("You are offline. Commands work again when you are back.") };
    return { wrong: said(refused.message ?? "") || t("That did not work") };
  }
}

/** Stored as words like any others: every client can show them. @param {string} rest @returns {Outcome} */
function me(rest) {
  if (!rest) return { wrong: t("Say what you do: /me waves") };
  const name = live.name.replace(/[\\`*_[\]~]/g, "\\$&");
  return { say: rest.includes("*") || rest.includes("\n") ? `*${name}* ${rest}` : `*${name} ${rest}*` };
}

/** @param {string} rest @returns {Outcome} */
function shrug(rest) {
  return { say: rest ? `${rest} ¯\\_(ツ)_/¯` : "¯\\_(ツ)_/¯" };
}

/** @param {string} rest @param {number} room @returns {Promise<Outcome>} */
async function topic(rest, room) {
  await live.socket.request("topic", { room, topic: rest });
  return { note: rest ? t("The topic is set.") : t("The topic is gone.") };
}

/** @param {string} rest @param {number} room @returns {Promise<Outcome>} */
async function invite(rest, room) {
  const { name, rest: more } = person(rest);
  if (!name || more) return { wrong: t("Name one person: /invite @name") };
  await live.socket.request("invite", { room, user: name });
  return { note: t("{name} is in this room now.", { name }) };
}

/** @param {string} rest @returns {Promise<Outcome>} */
async function msg(rest) {
  const { name, rest: words } = person(rest);
  if (!name || !words) return { wrong: t("Name one person and say something: /msg @name hello") };
  const { room } = await live.socket.request("open", { user: name });
  live.write(room.id, words);
  return { note: t("Sent to {name} alone.", { name }) };
}

/** @param {string} rest @returns {Promise<Outcome>} */
async function status(rest) {
  const [, first, more] = /^(\S*)\s*([^]*)$/.exec(rest) ?? ["", "", ""];
  const state = STATES.includes(first.toLowerCase()) ? first.toLowerCase() : "online";
  const text = state === first.toLowerCase() ? more : rest;
  await live.socket.request("status", { state, text });
  return { note: rest ? t("Others see your status now.") : t("Your status is cleared.") };
}

/** @param {string} rest @returns {{name: string, rest: string}} */
function person(rest) {
  const [, name, more] = /^@?(\S*)\s*([^]*)$/.exec(rest) ?? ["", "", ""];
  return { name, rest: more };
}
