// A PNG with a palette: our pages have few colours, so the picture stays as it is and becomes a quarter as large.
import zlib from 'node:zlib';
import { PNG } from 'pngjs';

/** Sixteen colours take half a byte each. */
const MOST = 16;

const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

const apart = (one, other) => {
  const [a, b] = [channels(one), channels(other)];
  return a.reduce((sum, value, n) => sum + (value - b[n]) ** 2, 0);
};

/** Every colour of `image` and how often it is there. */
function colours(image) {
  const count = new Map();
  for (let at = 0; at < image.data.length; at += 4) {
    const colour = image.data.readUIntBE(at, 3);
    count.set(colour, (count.get(colour) ?? 0) + 1);
  }
  return count;
}

/** The commonest colour, then each time the one that is missed most: often there, and far from those chosen. */
function choose(count) {
  const rest = [...count].map(([colour, often]) => ({ colour, often, far: Infinity }));
  const chosen = [];
  while (chosen.length < Math.min(MOST, rest.length)) {
    const next = rest.reduce((best, one) => (one.often * one.far > best.often * best.far || (best.far === one.far && one.often > best.often) ? one : best));
    chosen.push(next.colour);
    for (const one of rest) one.far = Math.min(one.far, apart(one.colour, next.colour));
  }
  return chosen;
}

const nearest = (colour, among) => among.reduce((best, other, n) => (apart(colour, other) < apart(colour, among[best]) ? n : best), 0);

/** The picture as an indexed PNG of four bits a dot; blended edges of letters become their nearest neighbours. */
export function packed(image) {
  const count = colours(image);
  const kept = choose(count);
  const index = new Map([...count.keys()].map((colour) => [colour, nearest(colour, kept)]));
  const line = Math.ceil(image.width / 2) + 1;
  const lines = Buffer.alloc(line * image.height);
  for (let y = 0; y < image.height; y += 1) {
    for (let x = 0; x < image.width; x += 1) {
      const value = index.get(image.data.readUIntBE((y * image.width + x) * 4, 3));
      lines[y * line + 1 + (x >> 1)] |= x & 1 ? value : value << 4;
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(image.width, 0);
  head.writeUInt32BE(image.height, 4);
  head.set([4, 3, 0, 0, 0], 8);
  const table = Buffer.from(kept.flatMap(channels));
  const file = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head), chunk('PLTE', table), chunk('IDAT', zlib.deflateSync(lines, { level: 9 })), chunk('IEND', Buffer.alloc(0)),
  ]);
  // Read again by somebody else's reader: a picture that nobody can open is worth nothing.
  const again = PNG.sync.read(file);
  if (again.width !== image.width || again.height !== image.height) throw new Error('the picture came out wrong');
  return file;
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(checksum(body), body.length + 4);
  return out;
}

/** Node before 20.15 has none of its own. */
function checksum(bytes) {
  if (zlib.crc32) return zlib.crc32(bytes);
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let n = 0; n < 8; n += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
