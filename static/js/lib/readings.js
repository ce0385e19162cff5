/**
 * What has come of a stream's readings, and how they are written. No DOM.
 *
 * @typedef {{seq: number, at: number, fields: Record<string, number | string>, picture?: boolean, out?: string[]}} Sample
 * @typedef {{at: number, value: number, seq: number, out: boolean}} Point
 * @typedef {{name: string, unit?: string, min?: number, max?: number}} Field
 */

/** As many as the server remembers. */
const KEPT = 3600;

/** @param {string} name @returns {string} `beam energy` for `beam_energy`; `src/live/view.rs` follows the same rule */
export function labelOf(name) {
  return name.replaceAll("_", " ").trim() || name;
}

/** How many decimals six significant digits leave, at most four where that is enough to tell. @param {number} value */
export function decimalsOf(value) {
  if (Number.isInteger(value)) return 0;
  const short = String(Number(value.toPrecision(6)));
  if (short.includes("e")) return 0;
  return Math.min(Math.abs(value) < 0.1 ? 6 : 4, (short.split(".")[1] ?? "").length);
}

/**
 * A number with as many decimals as its neighbours, so that it doesn't jump about.
 * @param {number} value
 * @param {number} decimals
 */
export function written(value, decimals) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e12 || size < 1e-6)) return value.toExponential(3);
  return value.toFixed(decimals);
}

/** The course of one reading. */
export class Course {
  /** @type {Point[]} */ points = [];
  decimals = 0;

  /** @param {Point} point */
  add(point) {
    this.points.push(point);
    if (this.points.length > KEPT) this.points.shift();
    this.decimals = Math.max(this.decimals, decimalsOf(point.value));
  }

  /** @param {number} value */
  write(value) {
    return written(value, this.decimals);
  }

  /** The last point at this moment or before it. @param {number} at @returns {Point | undefined} */
  upTo(at) {
    return this.points[indexAfter(this.points, at) - 1];
  }

  /** Those of a stretch of time, and the one before it, where the line comes from. @param {number} from @param {number} until */
  within(from, until) {
    return this.points.slice(Math.max(0, indexAfter(this.points, from) - 1), indexAfter(this.points, until));
  }
}

/** How many stand at this moment or before it. @param {{at: number}[]} points @param {number} at */
export function indexAfter(points, at) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** All that is known of a stream. */
export class Readings {
  /** @type {Sample[]} from the oldest on */ samples = [];
  /** @type {Map<string, Course>} */ courses = new Map();

  get latest() {
    return this.samples.at(-1);
  }

  /** The usual time between two of the newest samples, ms; 0 while nobody knows. */
  get usual() {
    const newest = this.samples.slice(-12);
    const steps = newest.slice(1).map(({ at }, index) => at - newest[index].at).sort((one, other) => one - other);
    return steps[steps.length >> 1] ?? 0;
  }

  /** Adds a sample unless it is known. @param {Sample} sample @returns {boolean} whether it is new */
  add(sample) {
    if (sample.seq <= (this.latest?.seq ?? -Infinity)) return false;
    this.samples.push(sample);
    if (this.samples.length > KEPT) this.samples.shift();
    for (const [name, value] of Object.entries(sample.fields)) {
      if (typeof value === "number") this.course(name).add({ at: sample.at, value, seq: sample.seq, out: sample.out?.includes(name) ?? false });
    }
    return true;
  }

  /** @param {string} name @returns {Course} */
  course(name) {
    const known = this.courses.get(name) ?? new Course();
    this.courses.set(name, known);
    return known;
  }

  /** The last sample at this moment or before it. @param {number} at */
  upTo(at) {
    return this.samples[indexAfter(this.samples, at) - 1];
  }

  /** The last sample with a picture at this moment or before it. @param {number} at */
  pictureUpTo(at) {
    for (let index = indexAfter(this.samples, at) - 1; index >= 0; index -= 1) if (this.samples[index].picture) return this.samples[index];
    return undefined;
  }
}

/**
 * Round numbers between two others, at most so many.
 * @param {number} low
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
export function ticks(low, high, most) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}
