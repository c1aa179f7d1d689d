// The two things that serve pages: the unit tests' helper that shows every state, and the demo with its make-believe cards.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './wait.mjs';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const CARGO = process.env.CARGO ?? 'cargo';

// Everything started here ends with us, also where a test broke off.
const running = new Set();
const kill = (child, signal) => {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
};
process.on('exit', () => running.forEach((child) => kill(child, 'SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

function start(program, args, env) {
  // A group of its own: cargo's child ends with it.
  const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.said += data));
  child.over = new Promise((done) => child.on('close', done)).then(() => {
    running.delete(child);
    child.ended = true;
  });
  return child;
}

async function end(child, signal = 'SIGKILL') {
  kill(child, signal);
  await child.over;
}

export function freePort() {
  return new Promise((done, failed) => {
    const server = net.createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** One request as it is, redirects not followed: { status, headers, text }. */
export function ask(url, { method = 'GET', headers = {}, form, body } = {}) {
  const sent = form ? new URLSearchParams(form).toString() : body;
  const kind = form ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
  return new Promise((done, failed) => {
    const request = http.request(url, { method, headers: { ...kind, ...headers }, timeout: 15_000, agent: false }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', failed);
      answer.on('end', () => {
        const bytes = Buffer.concat(parts);
        done({ status: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url}`)));
    request.on('error', failed);
    request.end(sent);
  });
}

async function answers(child, url) {
  await until(`${url} answers`, async () => child.ended || (await ask(url)).status < 500, { within: 240_000, every: 100 });
  if (child.ended) throw new Error(`the server ended:\n${child.said}`);
}

/** Every state of the pages, one at a time (src/web/trial.rs). */
export async function startLook() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const args = ['test', '--locked', '--quiet', '--lib', 'every_state'];
  const child = start(CARGO, args, { SD_SWAP_LOOK: `127.0.0.1:${port}` });
  // Once it has been through every state by itself.
  await answers(child, `${url}look`);
  const list = JSON.parse((await ask(`${url}look`)).text);
  return { url, list, set: (state) => set(url, state), end: () => end(child) };
}

async function set(url, state) {
  const answer = await ask(`${url}look/${state}`);
  if (answer.text !== 'set') throw new Error(`no state ${state}: ${answer.text}`);
}

/**
 * The whole product with make-believe cards. `speed`: MB/s that cards write and read. The same one can be killed and
 * started again: port and folder stay.
 */
export async function startDemo({ speed = '60,90' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'sd-swap-browser-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const args = ['demo', '--keep', dir, '--card-speed', speed];
  const up = async () => {
    demo.child = start(join(ROOT, 'target/debug/sd-swap'), args, { SD_SWAP_LISTEN: `127.0.0.1:${port}` });
    await answers(demo.child, url);
    await until('the first card is listed', async () => (await demo.disks()).length > 0, { within: 30_000 });
  };
  const demo = {
    url,
    port,
    up,
    /** As a power cut does it. */
    kill: () => end(demo.child),
    disks: async () => JSON.parse((await ask(`${url}api/devices`)).text).devices ?? [],
    job: async (id) => JSON.parse((await ask(`${url}api/jobs/${id}`)).text),
    current: async () => JSON.parse((await ask(`${url}api/jobs/current`)).text),
    card: (act, card) => ask(`${url}demo/${act}`, { method: 'POST', form: { card } }),
    /** What SIGTERM does; the folder goes, too. */
    end: async () => {
      await end(demo.child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await up();
  return demo;
}
