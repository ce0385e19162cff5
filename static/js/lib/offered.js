/** What can be meant by the few letters behind an `@`, a `#`, a `:` or a `/`. */
import { loadEmoji, searchEmoji, use } from "./emoji.js";
import { fit } from "./find.js";
import { live } from "./live.js";
import { COMMANDS } from "./slash.js";
import { t } from "./words.js";

/**
 * @typedef {{name: string, hint: string, insert: string, sign?: string, user?: number, taken?: () => void}} Offer
 * @typedef {{id: number, username: string, display_name: string, guest?: boolean}} User
 */

const MOST = 8;
/** Who is in a room changes rarely enough to be asked this often, in milliseconds. */
const FRESH = 60_000;

/** @type {Map<string, {at: number, answer: Promise<any>}>} */
const answers = new Map();

/** @param {string} path @returns {Promise<any>} an empty answer when there is none */
function read(path) {
  const known = answers.get(path);
  if (known && Date.now() - known.at < FRESH) return known.answer;
  const answer = fetch(path).then((reply) => (reply.ok ? reply.json() : Promise.reject(new Error(path)))).catch(() => {
    answers.delete(path);
    return {};
  });
  answers.set(path, { at: Date.now(), answer });
  return answer;
}

/**
 * @param {import("./token.js").Token} token
 * @param {number} room
 * @param {(offers: Offer[]) => void} show called once or, when the server knows more, twice
 */
export async function offersFor({ kind, query }, room, show) {
  if (kind === "command") show(commands(query));
  else if (kind === "emoji") show(await emoji(query));
  else if (kind === "channel") await channels(query, show);
  else await people(query, room, show);
}

/** @param {string} query @returns {Offer[]} */
function commands(query) {
  const wanted = query.toLowerCase();
  return COMMANDS.filter(({ name }) => name.startsWith(wanted))
    .map(({ name, usage, help }) => ({ name: `/${name}${usage()}`, hint: help(), insert: `/${name} `, sign: "/" }));
}

/** @param {string} query @returns {Promise<Offer[]>} */
async function emoji(query) {
  return searchEmoji(await loadEmoji(), query, MOST).map(({ char, name, codes }) => ({
    name: `:${codes[0] ?? name}:`, hint: name, insert: `${char} `, sign: char, taken: () => use(char),
  }));
}

/** @param {string} query @param {(offers: Offer[]) => void} show */
async function channels(query, show) {
  const known = live.rooms.all().filter(({ kind }) => kind === "channel");
  show(channelOffers(known, query));
  const { rooms = [] } = await read("/api/v1/rooms?limit=100");
  const others = rooms.filter((/** @type {any} */ room) => room.kind === "channel" && !known.some(({ id }) => id === room.id));
  if (others.length > 0) show(channelOffers([...known, ...others], query));
}

/** @param {{name: string, topic?: string}[]} rooms @param {string} query @returns {Offer[]} */
function channelOffers(rooms, query) {
  return best(rooms, query, ({ name }) => [name]).map(({ name, topic }) => ({ name, hint: topic ?? "", insert: `#${name} `, sign: "#" }));
}

/** @param {string} query @param {number} room @param {(offers: Offer[]) => void} show */
async function people(query, room, show) {
  const [members, others] = await Promise.all([
    read(`/api/v1/rooms/${room}/members?limit=100`),
    query ? read(`/api/v1/users?query=${encodeURIComponent(query)}&limit=${MOST}`) : Promise.resolve(/** @type {any} */ ({})),
  ]);
  /** @type {User[]} */
  const here = (members.users ?? members.members ?? []).filter((/** @type {User} */ user) => user.id !== live.user);
  const writes = newestWriters();
  here.sort((a, b) => rank(writes, a.id) - rank(writes, b.id));
  const found = best(here, query, ({ username, display_name }) => [username, display_name]);
  const known = new Set(here.map(({ id }) => id));
  const rest = (others.users ?? []).filter((/** @type {User} */ user) => !known.has(user.id) && user.id !== live.user);
  const offers = [...found, ...rest].slice(0, MOST).map(personOffer);
  show([...offers, ...everybody(query, room)]);
}

/** @param {User} user @returns {Offer} */
function personOffer(user) {
  return { name: user.display_name, hint: user.guest ? t("guest") : user.username, insert: `@${user.username} `, user: user.id };
}

/** @param {string} query @param {number} room @returns {Offer[]} */
function everybody(query, room) {
  const members = live.rooms.get(room)?.members ?? 0;
  const hint = members > 1 ? t("everybody in this room, {count} people", { count: members }) : t("everybody in this room");
  return ["all", "here"].filter((name) => name.startsWith(query.toLowerCase())).map((name) => ({ name: `@${name}`, hint, insert: `@${name} `, sign: "@" }));
}

/** @returns {number[]} who wrote what is on the page, the newest first */
function newestWriters() {
  const users = [...document.querySelectorAll(".message[data-user]")].map((article) => Number(/** @type {HTMLElement} */ (article).dataset.user));
  return [...new Set(users.reverse())];
}

/** @param {number[]} order @param {number} user */
function rank(order, user) {
  const at = order.indexOf(user);
  return at < 0 ? order.length : at;
}

/**
 * Those that fit best, in their order among equals.
 * @template T
 * @param {T[]} all
 * @param {string} query
 * @param {(one: T) => string[]} names
 * @returns {T[]}
 */
function best(all, query, names) {
  return all.map((one) => ({ one, rank: Math.max(...names(one).map((name) => Math.ceil(fit(query, name)))) }))
    .filter(({ rank: fits }) => fits > 0)
    .sort((a, b) => b.rank - a.rank)
    .slice(0, MOST)
    .map(({ one }) => one);
}
