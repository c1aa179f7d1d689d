// A PNG with a palette: our pages have few colours, so the picture stays as it is and becomes a third as large.
import zlib from 'node:zlib';
import { PNG } from 'pngjs';

/** Colours of `image`, the commonest first; blended edges of letters are many, the rest are few. */
function palette(image) {
  const count = new Map();
  for (let at = 0; at < image.data.length; at += 4) {
    const colour = image.data.readUIntBE(at, 3);
    count.set(colour, (count.get(colour) ?? 0) + 1);
  }
  return [...count].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
}

const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

function nearest(colour, among) {
  const [r, g, b] = channels(colour);
  let best = 0;
  let least = Infinity;
  among.forEach((other, n) => {
    const [x, y, z] = channels(other);
    const apart = (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2;
    if (apart < least) [best, least] = [n, apart];
  });
  return best;
}

/** The picture as an indexed PNG; colours past 256 become their nearest neighbour. */
export function packed(image) {
  const all = palette(image);
  const kept = all.slice(0, 256);
  const index = new Map(all.map((colour, n) => [colour, n < 256 ? n : nearest(colour, kept)]));
  const lines = Buffer.alloc((image.width + 1) * image.height);
  for (let y = 0; y < image.height; y += 1) {
    for (let x = 0; x < image.width; x += 1) {
      lines[y * (image.width + 1) + 1 + x] = index.get(image.data.readUIntBE((y * image.width + x) * 4, 3));
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(image.width, 0);
  head.writeUInt32BE(image.height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(kept.flatMap(channels));
  const file = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head), chunk('PLTE', colours), chunk('IDAT', zlib.deflateSync(lines, { level: 9 })), chunk('IEND', Buffer.alloc(0)),
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
