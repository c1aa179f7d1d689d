// A home that is moved, on one address: the old system (the pages of the look server behind it), nothing, and the new one,
// which answers what was recorded from the real Core. Ports 80 and 8123 of a name that only the browser knows.
import { readFileSync } from 'node:fs';
import http from 'node:http';

export const HOST = 'homeassistant.local';
const SLUG = /5e1f2a90/g;
const CASES = new URL('../../fixtures/core/', import.meta.url);
export const recorded = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, CASES)));

const cut = (res) => res.destroy();

/** `pages`: the look server's URL; `slug`: the backup that it speaks of; `port`: where the old home listens; `speed`: how much
 * faster than recorded. */
export async function startMove({ pages, slug, port, speed = 10 }) {
  const move = { port, mode: 'old', posts: [], replies: [], course: null, now: () => Date.now() };
  const servers = {};
  for (const which of [80, 8123]) {
    const server = http.createServer((req, res) => answer(move, which, req, res));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    server.unref();
    servers[which] = server;
  }
  const here = (which) => `127.0.0.1:${servers[which].address().port}`;
  Object.assign(move, {
    rules: `MAP ${HOST}:80 ${here(80)}, MAP ${HOST}:8123 ${here(8123)}`,
    url: `http://${HOST}${port === 80 ? '' : ':8123'}/`,
    own: (text) => text.replace(SLUG, slug),
    pages,
    speed,
    end: () => Object.values(servers).forEach((server) => {
      server.close();
      server.closeAllConnections();
    }),
  });
  return move;
}

function answer(move, port, req, res) {
  const { mode } = move;
  if (mode === 'old' || mode === 'back') return port === move.port ? home(move, req, res) : cut(res);
  if (mode === 'off') return cut(res);
  if (mode === 'landing') return port === 80 ? res.writeHead(401).end('401: Unauthorized') : cut(res);
  return core(move, port, req, res);
}

/** A home that is set up. */
function home(move, req, res) {
  if (req.url.startsWith('/api/')) return res.writeHead(404, { 'content-type': 'text/plain' }).end('404: Not Found');
  if (move.mode === 'back') return res.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Home</title>Your home');
  const asked = http.request(new URL(req.url, move.pages), { method: req.method, headers: req.headers }, (from) => {
    res.writeHead(from.statusCode, from.headers);
    from.pipe(res);
  });
  asked.on('error', () => cut(res));
  return req.pipe(asked);
}

/** A fresh Core; from the request on it does what was recorded. */
function core(move, port, req, res) {
  const t = move.course ? ((Date.now() - move.course.begun) * move.speed) / 1000 : 0;
  const known = move.course ? move.course.record.watched : [];
  const now = (path) => known.filter(({ request, t: at }) => request.port === port && request.path === path && at <= t).at(-1) ?? before(port, path);
  if (req.method !== 'POST' || port !== 80) return play(move, res, now(req.url));
  // A browser by itself sends a request again whose connection was cut; Core does not listen then.
  return now('/api/onboarding').error ? cut(res) : restore(move, req, res);
}

/** What a fresh Core answers before anything is asked of it. */
function before(port, path) {
  if (port === 8123) return recorded('redirect-get');
  const name = { '/api/onboarding': 'onboarding-fresh', '/api/onboarding/backup/info': 'info-one', '/manifest.json': 'manifest-other-port' }[path];
  return name ? recorded(name) : { error: 'unknown' };
}

function play(move, res, { response, error }) {
  if (error || !response) return cut(res);
  const body = typeof response.body === 'string' ? response.body : JSON.stringify(response.body ?? '');
  const { 'content-length': length, ...headers } = response.headers;
  return res.writeHead(response.status, headers).end(move.own(body));
}

function restore(move, req, res) {
  let text = '';
  req.on('data', (part) => (text += part));
  req.on('end', () => {
    move.posts.push({ text, kind: req.headers['content-type'], origin: req.headers.origin });
    const next = move.replies.shift();
    if (typeof next === 'string') return play(move, res, recorded(next));
    move.course = { record: next, begun: Date.now() - (next.restore.t * 1000) / move.speed };
    const left = ((next.restore.ended_at - next.restore.t) * 1000) / move.speed;
    const gone = setTimeout(() => (next.restore.response ? play(move, res, next.restore) : cut(res)), left);
    return req.on('close', () => res.writableEnded && clearTimeout(gone));
  });
}

/** Makes a page's clock run faster, and keeps what the page said. */
export function hurry(speed) {
  window.saidSoFar = [];
  const note = () => {
    const now = [...document.querySelectorAll('[data-say]:not([hidden])')].map((e) => e.getAttribute('data-say')).join(' ');
    if (now && now !== window.saidSoFar.at(-1)) window.saidSoFar.push(now);
  };
  new MutationObserver(note).observe(document, { subtree: true, attributes: true, attributeFilter: ['hidden'] });
  const [wait, begun, now] = [window.setTimeout, Date.now(), Date.now];
  window.setTimeout = (then, ms, ...more) => wait(then, ms / speed, ...more);
  Date.now = () => begun + (now() - begun) * speed;
}
