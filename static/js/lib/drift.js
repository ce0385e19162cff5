/** How a player that is early or late comes to where it should be, without anybody noticing where that can be done. */

/** Nobody notices less than this. Milliseconds, as all here. */
const SLIGHT = 40;
/** Corrected until it is nearer than this. */
const NEAR = 20;
/** More isn't made good by playing faster. */
const FAR = 1000;
/** Shares of the rate by which it plays faster or slower: no ear minds. */
const LEAST = 0.05;
const MOST = 0.1;

/**
 * @param {number} drift how far the player is ahead, negative when it is behind
 * @param {number} rate that everybody plays at
 * @param {boolean} isCorrecting it is being corrected already
 * @returns {{jump: boolean, rate: number}} whether it must jump, and the rate to play at
 */
export function correction(drift, rate, isCorrecting) {
  const off = Math.abs(drift);
  if (off > FAR) return { jump: true, rate };
  if (off < NEAR || (off < SLIGHT && !isCorrecting)) return { jump: false, rate };
  const share = Math.min(MOST, Math.max(LEAST, off / 2000));
  return { jump: false, rate: rate * (1 - Math.sign(drift) * share) };
}

/**
 * Where everybody is.
 * @param {{playing: boolean, position: number, rate: number, at: number}} state
 * @param {number} now the server's clock
 * @returns {number} ms from the beginning
 */
export function positionAt({ playing, position, rate, at }, now) {
  return playing ? position + Math.max(0, now - at) * rate : position;
}
