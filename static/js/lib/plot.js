/** Draws the course of one reading: its line, the range in which it belongs, an axis of time and one of values, a crosshair. */
import { decimalsOf, ticks, written } from "./readings.js";

/**
 * @typedef {object} View
 * @property {import("./readings.js").Course} course
 * @property {number} from ms
 * @property {number} until ms
 * @property {import("./readings.js").Field | undefined} field
 * @property {number | null} cursor ms
 * @property {boolean} stale
 */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** Room for the values on the left and the times below, CSS pixels. */
const LEFT = 8;
const BELOW = 20;
const ABOVE = 8;

/** What a moment looks like on a clock. @param {number} at */
export const clockTime = (at) => clock.format(at);

/** The moment under a place on the canvas. @param {HTMLCanvasElement} canvas @param {View} view @param {number} x CSS pixels */
export function momentAt(canvas, view, x) {
  const { left, width } = area(canvas, view);
  return view.from + Math.min(1, Math.max(0, (x - left) / width)) * (view.until - view.from);
}

/** The lowest and highest value to be shown. @param {import("./readings.js").Point[]} points @param {View["field"]} field */
function reach(points, field) {
  let [low, high] = [Infinity, -Infinity];
  for (const { value } of points) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [field?.min ?? 0, field?.max ?? 1];
  // The ends of the range are shown where the line comes near them.
  const near = (high - low || Math.abs(high) * 0.01 || 1) * 2;
  if (field?.min !== undefined && low - field.min < near) low = Math.min(low, field.min);
  if (field?.max !== undefined && field.max - high < near) high = Math.max(high, field.max);
  const air = (high - low) * 0.12 || Math.abs(high) * 0.001 || 0.5;
  return [low - air, high + air];
}

/** @param {HTMLCanvasElement} canvas @param {View} view */
function area(canvas, view) {
  const wide = Number(canvas.dataset.axis ?? 0);
  return { left: LEFT + wide, top: ABOVE, width: Math.max(1, canvas.clientWidth - LEFT - wide - 6), height: Math.max(1, canvas.clientHeight - ABOVE - BELOW), view };
}

/** @param {HTMLCanvasElement} canvas @param {View} view */
export function drawPlot(canvas, view) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  const pen = canvas.getContext("2d");
  if (!pen || width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const look = getComputedStyle(canvas);
  const colour = (/** @type {string} */ name) => look.getPropertyValue(name);
  pen.font = `${look.fontSize} ${look.fontFamily}`;
  const points = view.course.within(view.from, view.until);
  const [low, high] = reach(points, view.field);
  const marks = ticks(low, high, 3);
  const decimals = Math.max(0, ...marks.map(decimalsOf));
  const words = marks.map((mark) => written(mark, decimals));
  canvas.dataset.axis = String(Math.ceil(Math.max(...words.map((word) => pen.measureText(word).width))) + 6);
  const place = area(canvas, view);
  const x = (/** @type {number} */ at) => place.left + ((at - view.from) / (view.until - view.from)) * place.width;
  const y = (/** @type {number} */ value) => place.top + (1 - (value - low) / (high - low)) * place.height;

  drawRange(pen, place, view.field, y, colour("--plot-range"));
  pen.lineWidth = 1;
  pen.strokeStyle = colour("--plot-grid");
  pen.fillStyle = colour("--plot-words");
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  marks.forEach((mark, index) => {
    const at = Math.round(y(mark)) + 0.5;
    stroke(pen, [[place.left, at], [place.left + place.width, at]]);
    pen.fillText(words[index], place.left - 6, at);
  });
  drawTimes(pen, place, view, x);

  pen.save();
  pen.beginPath();
  pen.rect(place.left, 0, place.width, place.top + place.height + 1);
  pen.clip();
  pen.globalAlpha = view.stale ? 0.45 : 1;
  pen.lineWidth = 1.75;
  pen.lineJoin = "round";
  pen.strokeStyle = colour("--plot-line");
  for (const piece of pieces(points)) drawPiece(pen, piece, x, y, place, colour("--plot-line"));
  pen.fillStyle = colour("--plot-out");
  for (const point of points) if (point.out) dot(pen, x(point.at), y(point.value), 2);
  pen.restore();
  const last = points.at(-1);
  if (view.cursor !== null) drawCursor(pen, place, view, x, y, colour);
  else if (last && !view.stale) {
    pen.fillStyle = colour(last.out ? "--plot-out" : "--plot-line");
    dot(pen, Math.min(x(last.at), place.left + place.width), y(last.value), 3.5);
  }
}

/** @param {CanvasRenderingContext2D} pen @param {number[][]} path */
function stroke(pen, path) {
  pen.beginPath();
  path.forEach(([x, y], index) => (index === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {number} size */
function dot(pen, x, y, size) {
  pen.beginPath();
  pen.arc(x, y, size, 0, 2 * Math.PI);
  pen.fill();
}

/** A line is broken where nothing came for much longer than usual. @param {import("./readings.js").Point[]} points */
function pieces(points) {
  const steps = points.slice(1).map((point, index) => point.at - points[index].at).sort((one, other) => one - other);
  const usual = steps[steps.length >> 1] ?? 0;
  const longest = Math.max(4 * usual, 2500);
  /** @type {import("./readings.js").Point[][]} */
  const found = [];
  points.forEach((point, index) => {
    if (index === 0 || point.at - points[index - 1].at > longest) found.push([]);
    found.at(-1)?.push(point);
  });
  return found;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("./readings.js").Point[]} piece
 * @param {(at: number) => number} x
 * @param {(value: number) => number} y
 * @param {ReturnType<typeof area>} place
 * @param {string} accent
 */
function drawPiece(pen, piece, x, y, place, accent) {
  const path = piece.map(({ at, value }) => [x(at), y(value)]);
  if (path.length === 1) {
    pen.fillStyle = accent;
    dot(pen, path[0][0], path[0][1], 2);
    return;
  }
  const ground = place.top + place.height;
  pen.save();
  pen.globalAlpha *= 0.1;
  pen.fillStyle = accent;
  pen.beginPath();
  pen.moveTo(path[0][0], ground);
  for (const [left, top] of path) pen.lineTo(left, top);
  pen.lineTo(path[path.length - 1][0], ground);
  pen.fill();
  pen.restore();
  stroke(pen, path);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {ReturnType<typeof area>} place
 * @param {View["field"]} field
 * @param {(value: number) => number} y
 * @param {string} colour
 */
function drawRange(pen, place, field, y, colour) {
  if (field?.min === undefined && field?.max === undefined) return;
  const inside = (/** @type {number} */ at) => Math.min(place.top + place.height, Math.max(place.top, at));
  const top = field.max === undefined ? place.top : inside(y(field.max));
  const bottom = field.min === undefined ? place.top + place.height : inside(y(field.min));
  pen.fillStyle = colour;
  pen.fillRect(place.left, top, place.width, Math.max(0, bottom - top));
}

/** @param {CanvasRenderingContext2D} pen @param {ReturnType<typeof area>} place @param {View} view @param {(at: number) => number} x */
function drawTimes(pen, place, view, x) {
  const most = Math.max(2, Math.floor(place.width / 60));
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].map((seconds) => seconds * 1000).find((one) => (view.until - view.from) / one <= most) ?? 3_600_000;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "center";
  for (let at = Math.ceil(view.from / step) * step; at <= view.until; at += step) {
    const words = clockTime(at).slice(0, step % 60_000 === 0 ? 5 : 8);
    const half = pen.measureText(words).width / 2;
    if (x(at) - half >= place.left && x(at) + half <= place.left + place.width + 6) pen.fillText(words, x(at), place.top + place.height + BELOW - 5);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {ReturnType<typeof area>} place
 * @param {View} view
 * @param {(at: number) => number} x
 * @param {(value: number) => number} y
 * @param {(name: string) => string} colour
 */
function drawCursor(pen, place, view, x, y, colour) {
  const point = view.course.upTo(view.cursor ?? 0);
  if (!point || point.at < view.from) return;
  const [left, top] = [x(point.at), y(point.value)];
  pen.strokeStyle = colour("--plot-cross");
  pen.lineWidth = 1;
  stroke(pen, [[Math.round(left) + 0.5, place.top], [Math.round(left) + 0.5, place.top + place.height]]);
  pen.fillStyle = colour(point.out ? "--plot-out" : "--plot-line");
  dot(pen, left, top, 4);
  const words = `${view.course.write(point.value)}  ${clockTime(point.at)}`;
  const wide = pen.measureText(words).width + 12;
  const at = Math.min(Math.max(left - wide / 2, place.left), place.left + place.width - wide);
  const high = top - place.top > 32 ? top - 30 : top + 10;
  pen.fillStyle = colour("--plot-tip");
  pen.beginPath();
  pen.roundRect(at, high, wide, 20, 5);
  pen.fill();
  pen.fillStyle = colour("--plot-on-tip");
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(words, at + 6, high + 10.5);
}

/** A line without axes, for a tile. @param {HTMLCanvasElement} canvas @param {{at: number, value: number}[]} points */
export function drawSpark(canvas, points) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  const pen = canvas.getContext("2d");
  if (!pen || width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  pen.clearRect(0, 0, width, height);
  if (points.length < 2) return;
  const values = points.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [from, until] = [points[0].at, points[points.length - 1].at];
  pen.strokeStyle = getComputedStyle(canvas).color;
  pen.lineWidth = 1.5 * scale;
  pen.lineJoin = "round";
  const edge = 2 * scale;
  stroke(pen, points.map(({ at, value }) => [
    edge + ((at - from) / (until - from || 1)) * (width - 2 * edge),
    edge + (1 - (high === low ? 0.5 : (value - low) / (high - low))) * (height - 2 * edge),
  ]));
}
