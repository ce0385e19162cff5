// Pictures made from numbers: a test needs one of a known size, the gallery needs some that look like one.
import { deflateSync } from "node:zlib";

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** The checksum that ends each chunk of a PNG. */
function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 255];
  return (sum ^ 0xffffffff) >>> 0;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

/**
 * A PNG, drawn pixel by pixel.
 * @param {number} width
 * @param {number} height
 * @param {(x: number, y: number) => number[]} colour red, green and blue up to 255
 */
export function draw(width, height, colour) {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0, at = 0; y < height; y++) {
    at += 1;
    for (let x = 0; x < width; x++) for (const part of colour(x, y)) rows[at++] = Math.max(0, Math.min(255, part));
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([start, chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

/** One colour that goes over into another; noise makes it as large as a photograph. */
export function png(width, height, hue = 0, noise = false) {
  const some = () => Math.random() * 256;
  return draw(width, height, (x, y) => (noise ? [some(), some(), 140] : [(hue + (x * 160) / width) % 256, 60 + (y * 150) / height, 140]));
}

/** What a camera sees of a beam on its screen. */
export function beamSpot(width = 900, height = 600) {
  return draw(width, height, (x, y) => {
    const [u, v] = [(x - width * 0.54) / (width * 0.11), (y - height * 0.47) / (height * 0.1)];
    const light = Math.exp(-(u * u + v * v + 0.7 * u * v) / 2) + 0.03 * Math.random();
    return [330 * light ** 0.8, 300 * light ** 1.7, 40 + 260 * light ** 3 - 60 * light];
  });
}

/** Hills in the morning. */
export function morning(width = 1200, height = 800) {
  const ridge = (x, n) => height * (0.5 + 0.13 * n) + Math.sin(x / (150 - 25 * n) + n * 2) * 46 + Math.sin(x / 47 + n) * 12;
  return draw(width, height, (x, y) => {
    for (let n = 2; n >= 0; n--) if (y > ridge(x, n)) return [96 - 34 * n, 110 - 26 * n, 128 - 26 * n];
    const [sky, sun] = [y / height, Math.hypot(x - width * 0.68, y - height * 0.38)];
    if (sun < 62) return [255, 240, 205];
    const glow = Math.exp(-sun / 260) * 60;
    return [150 + 180 * sky + glow, 170 + 70 * sky + glow, 205 - 40 * sky];
  });
}
