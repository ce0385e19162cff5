/** Moments of a recording: how they are written, and how they are read. */

/**
 * `1:23`, `1:02:03`.
 * @param {number} seconds
 * @returns {string}
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * A moment as people write it into an address: `83`, `83.5`, `1m23s`, `1h2m`, `1:23`, `1:02:03`.
 * @param {string | null} text
 * @returns {number | null} seconds; nothing for what is no moment
 */
export function readMoment(text) {
  const words = (text ?? "").trim().toLowerCase();
  if (/^\d{1,6}(\.\d{1,3})?s?$/.test(words)) return Number.parseFloat(words);
  const named = /^(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?$/.exec(words);
  if (named && words !== "") return Number(named[1] ?? 0) * 3600 + Number(named[2] ?? 0) * 60 + Number(named[3] ?? 0);
  const colons = /^(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(\.\d{1,3})?$/.exec(words);
  if (colons && Number(colons[3]) < 60) return Number(colons[1] ?? 0) * 3600 + Number(colons[2]) * 60 + Number(colons[3]) + Number(colons[4] ?? 0);
  return null;
}
