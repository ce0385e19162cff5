/** What the tones are made of. */

/** @typedef {"sent" | "received" | "mention" | "joined"} Tone */

/** Frequency in Hz, start and length in seconds. @type {Record<Tone, [number, number, number][]>} */
const TONES = {
  sent: [[660, 0, 0.06], [880, 0.05, 0.09]],
  received: [[784, 0, 0.1], [587, 0.09, 0.16]],
  mention: [[784, 0, 0.09], [988, 0.09, 0.09], [1175, 0.18, 0.2]],
  joined: [[440, 0, 0.09], [554, 0.08, 0.14]],
};

/**
 * @param {AudioContext} audio that runs
 * @param {Tone} tone
 * @param {number} volume 0 to 1
 */
export function sing(audio, tone, volume) {
  const loud = audio.createGain();
  // Ears hear powers: half of the slider is to sound half as loud.
  loud.gain.value = volume ** 2 * 0.3;
  loud.connect(audio.destination);
  for (const [frequency, after, length] of TONES[tone]) {
    const from = audio.currentTime + after;
    const voice = audio.createOscillator();
    const swell = audio.createGain();
    voice.frequency.value = frequency;
    swell.gain.setValueAtTime(0, from);
    // Beginning or ending at once would click.
    swell.gain.linearRampToValueAtTime(1, from + 0.012);
    swell.gain.exponentialRampToValueAtTime(0.001, from + length);
    voice.connect(swell).connect(loud);
    voice.start(from);
    voice.stop(from + length);
  }
}
