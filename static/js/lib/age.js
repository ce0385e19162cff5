/** How old something is, in few words. */
import { t } from "./words.js";

/** @param {number} age ms @returns {string} */
export function ageInWords(age) {
  const seconds = Math.max(0, age) / 1000;
  if (seconds < 10) return t("{count} s ago", { count: seconds.toFixed(1) });
  if (seconds < 60) return t("{count} s ago", { count: Math.floor(seconds) });
  if (seconds < 3600) return t("{count} min ago", { count: Math.floor(seconds / 60) });
  if (seconds < 172_800) return t("{count} h ago", { count: Math.floor(seconds / 3600) });
  return t("{count} days ago", { count: Math.floor(seconds / 86_400) });
}
