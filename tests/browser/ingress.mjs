// A stand-in for what stands between a browser and the app: Home Assistant Core and the Supervisor's ingress. It does
// what they do with prefix, headers, cookie, small answers, events and WebSockets, and shows the app in an iframe as
// Home Assistant's frontend does.
import http from 'node:http';
import { connect } from 'node:net';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { freePort } from './lib/servers.mjs';

export const TOKEN = 'k3b9cF_4Vd8nM2xQ7';
const PREFIX = `/api/hassio_ingress/${TOKEN}`;
/** What a session lives; each request renews it. */
const SESSION = 15 * 60_000;
/** Answers below this are read whole before they are handed on. */
const SMALL = 4_194_000;
/** Headers of one connection, which no proxy hands on. */
const HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
/** Headers that only the Supervisor may set; a browser's own are taken out. */
const OURS = /^x-(remote-user|ingress|hass-source|forwarded)/;

/** How the parent page is made: its ground, and where the frame lies. */
const GROUNDS = { dark: '#111111', light: '#fafafa', none: '' };

/**
 * `app`: URL of the app's own server. Switches, to be changed at any time:
 * holdEvents (a Core before 2026: a stream comes all at once, at its end), dropWebSockets, doubledSlash,
 * foreignParent (lets a page of another origin frame us, which the app itself forbids).
 */
export async function startIngress(app, switches = {}) {
  const port = await freePort();
  const ingress = {
    app: new URL(app),
    port,
    origin: `http://127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}${PREFIX}/`,
    holdEvents: false,
    dropWebSockets: false,
    doubledSlash: false,
    foreignParent: false,
    /** Every answer: { method, path, status, location, bytes }. */
    seen: [],
    sessions: new Map(),
    later: 0,
    ...switches,
  };
  ingress.now = () => Date.now() + ingress.later;
  /** Lets time pass for sessions. */
  ingress.pass = (minutes) => (ingress.later += minutes * 60_000);
  ingress.page = (ground = 'light') => `${ingress.origin}/panel?ground=${ground}`;
  const server = http.createServer((req, res) => serve(ingress, req, res));
  server.on('upgrade', (req, socket, head) => upgrade(ingress, req, socket, head));
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  // A test that broke off must not keep the others waiting.
  server.unref();
  ingress.end = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return ingress;
}

function serve(ingress, req, res) {
  const url = new URL(req.url.replace(/^\/+/, '/'), ingress.origin);
  if (url.pathname === '/panel') return panel(ingress, url, res);
  // A browser looks there by itself for the icon of a page that is no HTML, as our log; Core has one there.
  if (url.pathname === '/favicon.ico') return res.writeHead(204).end();
  if (!req.url.startsWith(`${PREFIX}/`)) return plain(ingress, req, res, 404, '404: Not Found');
  if (!signedIn(ingress, req)) return plain(ingress, req, res, 401, '401: Unauthorized');
  // The browser went away while it asked.
  return pass(ingress, req, res).catch(() => res.destroy());
}

/** Home Assistant's page: signs in, then shows the app in a frame without `sandbox`. */
function panel(ingress, url, res) {
  const session = `s${Math.random().toString(36).slice(2)}`;
  ingress.sessions.set(session, ingress.now() + SESSION);
  const ground = url.searchParams.get('ground') ?? 'light';
  const colour = GROUNDS[ground] ? `background-color:${GROUNDS[ground]};color-scheme:${ground}` : '';
  const frame = url.searchParams.get('frame') ?? `${PREFIX}/`;
  // As the frontend's script sets it.
  res.setHeader('set-cookie', `ingress_session=${session}; Path=/api/hassio_ingress/; SameSite=Strict`);
  res.setHeader('content-type', 'text/html; charset=utf-8');
  res.end(`<!doctype html><html lang="en" style="${colour}"><head><title>Home Assistant</title><link rel="icon" href="data:,"></head>
<body style="margin:0"><iframe title="sd-swap" src="${frame}" style="border:0;width:100%;height:860px"></iframe></body></html>`);
}

function plain(ingress, req, res, status, text) {
  ingress.seen.push({ method: req.method, path: req.url, status, bytes: text.length });
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

function signedIn(ingress, req) {
  const session = /(?:^|;\s*)ingress_session=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
  const until = ingress.sessions.get(session) ?? 0;
  if (until < ingress.now()) return false;
  ingress.sessions.set(session, ingress.now() + SESSION);
  return true;
}

/** Our part of the path: `/jobs/7`, or `//jobs/7` where an entry path is set. */
function inside(ingress, req) {
  return (ingress.doubledSlash ? '/' : '') + req.url.slice(PREFIX.length);
}

function headersIn(ingress, req) {
  const kept = Object.entries(req.headers).filter(([name]) => !HOP.has(name) && !OURS.test(name) && name !== 'content-length');
  return {
    ...Object.fromEntries(kept),
    'x-ingress-path': PREFIX,
    'x-hass-source': 'core.ingress',
    'x-forwarded-for': '192.168.1.50',
    'x-forwarded-host': req.headers.host,
    'x-forwarded-proto': 'http',
    'x-remote-user-id': '0123456789abcdef',
    'x-remote-user-name': 'owner',
    'x-remote-user-display-name': 'Owner',
    // The Supervisor asks for these two and unpacks them.
    'accept-encoding': 'gzip, br',
    host: ingress.app.host,
  };
}

/** Reads the request whole, asks the app, and hands on what it says. Redirects go to the browser as they are. */
async function pass(ingress, req, res) {
  const sent = [];
  for await (const part of req) sent.push(part);
  const body = Buffer.concat(sent);
  const options = { method: req.method, path: inside(ingress, req), headers: { ...headersIn(ingress, req), 'content-length': body.length } };
  const asked = http.request({ host: ingress.app.hostname, port: ingress.app.port, agent: false, ...options }, (answer) => {
    handOn(ingress, req, res, answer).catch(() => res.destroy());
  });
  // The app is gone: what the Supervisor says then.
  asked.on('error', () => (res.headersSent ? res.destroy() : plain(ingress, req, res, 502, '502: Bad Gateway')));
  res.on('close', () => asked.destroy());
  asked.end(body);
}

function headersOut(ingress, answer) {
  const kept = Object.entries(answer.headers).filter(([name]) => !HOP.has(name) && !/^content-(length|encoding)$/.test(name));
  const headers = Object.fromEntries(kept);
  if (ingress.foreignParent && headers['content-security-policy']) {
    headers['content-security-policy'] = headers['content-security-policy'].replace(/;?\s*frame-ancestors [^;]*/, '');
  }
  return headers;
}

/** What the app compressed is handed on as it was before. */
function unpacked(answer) {
  const unpack = { gzip: createGunzip, br: createBrotliDecompress }[answer.headers['content-encoding']];
  return unpack ? answer.pipe(unpack()) : answer;
}

async function handOn(ingress, req, res, answer) {
  const { statusCode: status } = answer;
  const body = unpacked(answer);
  body.on('error', () => res.destroy());
  const note = { method: req.method, path: req.url, status, location: answer.headers.location, kind: answer.headers['content-type'], bytes: 0 };
  ingress.seen.push(note);
  answer.on('error', () => res.destroy());
  const events = /^text\/event-stream/.test(note.kind ?? '');
  const length = Number(answer.headers['content-length'] ?? Infinity);
  if (length < SMALL || (events && ingress.holdEvents)) {
    const parts = [];
    for await (const part of body) parts.push(part);
    const whole = Buffer.concat(parts);
    note.bytes = whole.length;
    if (!res.destroyed) res.writeHead(status, { ...headersOut(ingress, answer), 'content-length': whole.length }).end(whole);
    return;
  }
  res.writeHead(status, { ...headersOut(ingress, answer), 'x-accel-buffering': 'no' });
  body.on('data', (part) => (note.bytes += part.length));
  body.pipe(res);
}

/** WebSockets go through as they are, or not at all. */
function upgrade(ingress, req, socket, head) {
  socket.on('error', () => socket.destroy());
  if (ingress.dropWebSockets || !req.url.startsWith(`${PREFIX}/`) || !signedIn(ingress, req)) return socket.destroy();
  const there = connect(Number(ingress.app.port), ingress.app.hostname, () => {
    const headers = { ...headersIn(ingress, req), connection: 'Upgrade', upgrade: 'websocket' };
    // Compression of messages is not handed on.
    delete headers['sec-websocket-extensions'];
    there.write(`GET ${inside(ingress, req)} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    there.write(head);
    there.pipe(socket).pipe(there);
  });
  there.on('error', () => socket.destroy());
  socket.on('close', () => there.destroy());
  return undefined;
}
