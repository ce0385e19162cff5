/** The Unicode set by its names, brought when somebody first asks for it, and which of it they use. */

/** @typedef {{char: string, name: string, codes: string[]}} Emoji */
/** @typedef {{group: string, emoji: Emoji[]}} Group */

const USED = "hubbub-emoji";
const MOST_USED = 24;

/** @type {Promise<Group[]> | null} */
let asked = null;

/** @returns {Promise<Group[]>} nothing as long as the server can't be asked */
export function loadEmoji() {
  asked ??= load().catch(() => {
    asked = null;
    return [];
  });
  return asked;
}

/** @returns {Promise<Group[]>} */
async function load() {
  const answer = await fetch(new URL("./emoji.json", import.meta.url));
  if (!answer.ok) throw new Error(`emoji.json: ${answer.status}`);
  const groups = /** @type {[string, [string, string, string[]][]][]} */ (await answer.json());
  return groups.map(([group, emoji]) => ({ group, emoji: emoji.map(([char, name, codes]) => ({ char, name, codes })) }));
}

/**
 * Those that fit a few letters, the best first; of two that fit alike, the one that was used.
 * @param {Group[]} groups
 * @param {string} query
 * @param {number} most
 * @returns {Emoji[]}
 */
export function searchEmoji(groups, query, most) {
  const wanted = query.toLowerCase().replace(/[\s_-]+/g, " ").trim();
  if (!wanted) return [];
  const known = used();
  return groups.flatMap(({ emoji }) => emoji)
    .map((emoji) => ({ emoji, rank: rankOf(emoji, wanted) + (known.includes(emoji.char) ? 0.5 : 0) }))
    .filter(({ rank }) => rank >= 1)
    .sort((a, b) => b.rank - a.rank)
    .slice(0, most)
    .map(({ emoji }) => emoji);
}

/** @param {Emoji} emoji @param {string} wanted */
function rankOf({ char, name, codes }, wanted) {
  if (char === wanted) return 6;
  const words = codes.map((code) => code.replace(/_/g, " "));
  if (words.includes(wanted)) return 5;
  if (words.some((code) => code.startsWith(wanted))) return 4;
  if (name.startsWith(wanted)) return 3.4;
  if (` ${name}`.includes(` ${wanted}`) || words.some((code) => ` ${code}`.includes(` ${wanted}`))) return 3;
  return wanted.length > 2 && (name.includes(wanted) || words.some((code) => code.includes(wanted))) ? 1 : 0;
}

/** @returns {string[]} the newest first */
export function used() {
  try {
    const kept = JSON.parse(localStorage.getItem(USED) ?? "[]");
    return Array.isArray(kept) ? kept.filter((char) => typeof char === "string").slice(0, MOST_USED) : [];
  } catch {
    return [];
  }
}

/** @param {string} char */
export function use(char) {
  try {
    localStorage.setItem(USED, JSON.stringify([char, ...used().filter((other) => other !== char)].slice(0, MOST_USED)));
  } catch {
    // Full or forbidden: the next time it is just not among the first.
  }
}
