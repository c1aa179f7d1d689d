// The rules of the finish page, without a browser: every recorded answer of the real Core, whole courses in their order,
// and answers that were never recorded. A restore is asked for in one situation only.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const { Finish } = createRequire(import.meta.url)('../../static/finish.js');
const CASES = new URL('../fixtures/core/', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, CASES)));
const names = readdirSync(CASES).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
const SLUG = '5e1f2a90';
const SILENT = { status: 0, text: '' };
const answer = ({ response, error }) => (error || !response ? SILENT : { status: response.status, text: typeof response.body === 'string' ? response.body : JSON.stringify(response.body) });
const FRESH = answer(read('onboarding-fresh'));
const listed = (name) => answer(read(name));
const fresh = () => ({ memory: {}, tab: {} });
/** A clock is never at 0. */
const seconds = (n) => 1_800_000_000_000 + n * 1000;

/** What is decided at `now` after looking at two answers. */
const decide = (page, first, second, now, slug = SLUG) => Finish.decide(page.memory, page.tab, Finish.look(first, second, slug), now);

/** Sends what was decided, and gets this answer. */
function send(page, decision, reply, now) {
  assert.ok(decision.post, `nothing to send: ${decision.say}`);
  Finish.posting(page.memory, page.tab, now);
  if (reply) Finish.posted(page.memory, page.tab, reply, now);
}

/** Ready for the request, and sent. */
function refusedBy(name, list = 'info-one', slug = SLUG) {
  const page = fresh();
  if (list === 'info-protected') page.tab.key = 'a key';
  send(page, decide(page, FRESH, listed(list), seconds(0), slug), answer(read(name)), seconds(0));
  const after = read(name).after?.response;
  const info = JSON.parse(listed(list).text);
  const then = { status: 200, text: JSON.stringify({ ...info, ...(after?.body ?? {}) }) };
  return { page, then, decision: decide(page, FRESH, then, seconds(1), slug) };
}

test('what a fresh system answers, and what is said', () => {
  const table = [
    ['info-one', SLUG, 'restoring', true],
    ['info-two', SLUG, 'restoring', true],
    ['info-two', '77aa01ce', 'key-needed', false],
    ['info-two', 'deadbeef', 'looking', false],
    ['info-none', SLUG, 'looking', false],
    ['info-protected', '77aa01ce', 'key-needed', false],
    ['info-without-core', null, 'without-core', false],
    ['info-elsewhere', SLUG, 'looking', false],
    ['info-supervisor-list-fails', SLUG, 'looking', false],
    ['info-slow-supervisor', null, 'restoring', true],
  ];
  for (const [name, slug, say, posts] of table) {
    const info = listed(name);
    const own = slug ?? JSON.parse(info.text).backups[0].backup_id;
    const decision = decide(fresh(), FRESH, info, seconds(0), own);
    assert.deepEqual([decision.say, Boolean(decision.post)], [say, posts], name);
    if (posts) assert.equal(decision.post.backup_id, own);
  }
});

test('the request holds everything that is in the backup, and nothing else', () => {
  assert.deepEqual(decide(fresh(), FRESH, listed('info-one'), seconds(0)).post, read('restore-core-not-stopped').request?.body ?? read('restore-ok').restore.request.body);
  const older = listed('info-older-without-database');
  const own = JSON.parse(older.text).backups[0].backup_id;
  assert.equal(decide(fresh(), FRESH, older, seconds(0), own).post.restore_database, false);
  const page = { memory: {}, tab: { key: 'secret' } };
  assert.equal(decide(page, FRESH, listed('info-protected'), seconds(0), '77aa01ce').post.password, 'secret');
  assert.equal(decide({ memory: {}, tab: { key: 'secret' } }, FRESH, listed('info-one'), seconds(0)).post.password, undefined, 'an open backup needs no key');
});

test('a backup is said to be missing after two minutes, and found when it comes', () => {
  const page = fresh();
  const none = listed('info-none');
  assert.equal(decide(page, FRESH, none, seconds(0)).say, 'looking');
  assert.equal(decide(page, FRESH, none, seconds(119)).say, 'looking');
  assert.equal(decide(page, FRESH, none, seconds(121)).say, 'not-listed');
  assert.ok(decide(page, FRESH, listed('info-one'), seconds(130)).post);
});

test('every recorded refusal: what is said, and when it is sent again', () => {
  const never = null;
  const table = [
    ['restore-wrong-backup-id', 'looking', 10],
    ['restore-wrong-agent', 'trouble', 30],
    ['restore-missing-backup-id', 'refused', never],
    ['restore-missing-agent-id', 'refused', never],
    ['restore-extra-field', 'refused', never],
    ['restore-folder-unknown', 'refused', never],
    ['restore-not-json', 'refused', never],
    ['restore-empty-body', 'refused', never],
    ['restore-too-large', 'refused', never],
    ['restore-database-flag-wrong', 'refused', never],
    ['restore-database-flag-missing-on-backup-without', 'refused', never],
    ['restore-backup-without-core', 'without-core', never],
    ['restore-supervisor-must-update', 'must-update', 60],
    ['restore-no-space', 'no-space', never],
    ['restore-no-internet', 'no-internet', 30],
    ['restore-unhealthy', 'old-card-in', never],
    ['restore-supervisor-starting', 'supervisor-starting', 10],
    ['restore-supervisor-busy', 'busy', never],
    ['restore-supervisor-drops', 'trouble', 30],
    ['restore-supervisor-500', 'trouble', 30],
  ];
  for (const [name, say, again] of table) {
    const { page, then, decision } = refusedBy(name);
    assert.equal(decision.say, say, name);
    assert.ok(!decision.post, `${name}: sent again at once`);
    for (let t = 2; t < 120; t += 1) {
      const { post } = decide(page, FRESH, then, seconds(t));
      assert.equal(Boolean(post), again !== never && t >= again, `${name} after ${t} s`);
      if (post) break;
    }
  }
  for (const name of ['restore-password-missing', 'restore-password-wrong']) {
    const { page, then, decision } = refusedBy(name, 'info-protected', '77aa01ce');
    assert.deepEqual([decision.say, decision.key], ['key-wrong', true], name);
    page.tab.key = 'another';
    assert.equal(decide(page, FRESH, then, seconds(5), '77aa01ce').post.password, 'another');
  }
});

test('what time does not mend is said, and another try is the owner’s', () => {
  const { page, then } = refusedBy('restore-supervisor-must-update');
  for (let t = 60; t < 1800; t += 60) send(page, decide(page, FRESH, then, seconds(t)), answer(read('restore-supervisor-must-update')), seconds(t));
  const end = decide(page, FRESH, then, seconds(1900));
  assert.deepEqual([end.say, end.offer, end.post], ['still-refused', true, undefined]);
  assert.match(end.said, /2027\.01\.0/);
  Finish.tryAgain(page.memory);
  assert.ok(decide(page, FRESH, then, seconds(1901)).post);
});

test('the old card still in: nothing is sent before the machine was off', () => {
  const { page, then } = refusedBy('restore-unhealthy');
  decide(page, SILENT, null, seconds(30));
  assert.equal(decide(page, FRESH, listed('info-one'), seconds(90)).post?.backup_id, SLUG);
  const still = refusedBy('restore-unhealthy');
  assert.equal(decide(still.page, FRESH, then, seconds(900)).say, 'old-card-in');
});

test('a home that is set up is left alone', () => {
  const gone = { status: 404, text: '404: Not Found' };
  assert.equal(decide(fresh(), gone, null, seconds(0)).say, 'old-home');
  const page = fresh();
  decide(page, SILENT, null, seconds(0));
  assert.equal(decide(page, gone, null, seconds(600)).say, 'old-home');
  // A new home was seen, but nothing was restored: not ours either.
  const other = fresh();
  decide(other, FRESH, listed('info-none'), seconds(0));
  assert.equal(decide(other, gone, null, seconds(600)).say, 'old-home');
  const { after_first_user: steps } = read('onboarding-user-created');
  const at = (path) => answer(steps.find(({ request }) => request.method === 'GET' && request.path === path && request.port === 80));
  assert.deepEqual(decide(fresh(), at('/api/onboarding'), at('/api/onboarding/backup/info'), seconds(0)), { say: 'set-up-anew', end: true });
});

/** A recorded course as the page sees it: a look every second at what was answered last. */
function follow(record, port, ask) {
  const page = fresh();
  const said = [];
  const sent = [];
  const latest = {};
  const steps = record.watched.filter(({ request }) => request.port === port);
  const last = Math.max(...record.watched.map(({ t }) => t)) + 3;
  let post = null;
  for (let t = 0; t < last; t += 0.1) {
    for (const step of steps) {
      if (step.t <= t) latest[step.request.path] = answer(step);
    }
    if (post && record.restore.ended_at <= t) {
      Finish.posted(page.memory, page.tab, answer(record.restore), seconds(t));
      post = null;
    }
    const decision = decide(page, latest['/api/onboarding'] ?? SILENT, latest['/api/onboarding/backup/info'] ?? SILENT, seconds(t), ask);
    if (decision.say !== said.at(-1)) said.push(decision.say);
    if (decision.post) {
      sent.push(decision.post);
      Finish.posting(page.memory, page.tab, seconds(t));
      post = decision.post;
    }
    if (decision.end) break;
  }
  return { said, sent };
}

test('recorded courses, from the first answer to the last', () => {
  const table = [
    ['restore-ok', 80, ['restoring', 'restarting', 'done']],
    ['restore-ok-minimal', 80, ['restoring', 'restarting', 'done']],
    ['restore-ok-home-not-set-up', 80, ['restoring', 'restarting', 'restoring', 'done-not-set-up']],
    ['restore-fails-after-core-stopped', 80, ['restoring', 'restarting', 'restoring', 'failed-after']],
  ];
  for (const [name, port, wanted] of table) {
    const { said, sent } = follow(read(name), port, SLUG);
    assert.deepEqual(said, wanted, name);
    assert.equal(sent.length, 1, `${name}: one request`);
  }
  assert.deepEqual(follow(read('starting-fresh'), 80, 'none').said, ['booting', 'starting', 'looking']);
  assert.deepEqual(follow(read('starting-restored'), 80, SLUG).said, ['booting', 'old-home']);
});

test('every recorded course: one request at most, and only while the system is fresh, idle and lists the backup', () => {
  let courses = 0;
  for (const record of names.map(read).filter(({ watched, restore }) => watched && restore)) {
    const { sent } = follow(record, 80, record.restore.request.body?.backup_id ?? SLUG);
    assert.ok(sent.length <= 1, record.case);
    courses += 1;
  }
  assert.ok(courses >= 6, `${courses} courses`);
});

/** Numbers that come again with their seed. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('whatever is answered in whatever order: a request leaves only where it may', () => {
  const recorded = names.flatMap((name) => {
    const found = [];
    const walk = (value) => {
      if (value && typeof value === 'object') {
        if (value.request && (value.response || value.error)) found.push(value);
        Object.values(value).forEach(walk);
      }
    };
    walk(read(name));
    return found;
  });
  const of = (path) => recorded.filter(({ request }) => request.path === path && request.method === 'GET').map(answer);
  const [steps, lists] = [of('/api/onboarding'), of('/api/onboarding/backup/info')];
  const replies = recorded.filter(({ request }) => request.method === 'POST' && request.path.endsWith('/restore')).map(answer);
  assert.ok(steps.length > 20 && lists.length > 20 && replies.length > 20, 'the recorded answers are found');
  let posts = 0;
  for (let seed = 1; seed <= 3000; seed += 1) {
    const pick = random(seed);
    const mutated = ({ status, text }) => {
      const kind = pick(12);
      if (kind === 0) return SILENT;
      if (kind === 1) return { status: [200, 301, 400, 401, 403, 404, 500, 503][pick(8)], text };
      if (kind === 2) return { status, text: text.slice(0, pick(text.length + 1)) };
      if (kind === 3) return { status, text: text.replace(SLUG, 'deadbeef') };
      if (kind === 4) return { status, text: text.replace('"done": false', '"done": true').replace('"done":false', '"done":true') };
      if (kind === 5) return { status, text: text.replace('hassio.local', 'elsewhere') };
      if (kind === 6) return { status, text: ['null', '[]', '{}', '[null]', '""', '{"backups":[null],"state":"idle"}', '[{"done":0}]'][pick(7)] };
      return { status, text };
    };
    const page = fresh();
    let now = seconds(0);
    for (let n = 0; n < 60; n += 1) {
      now += 1000 * (pick(4) ? 5 : pick(4000));
      const first = mutated(pick(2) ? FRESH : steps[pick(steps.length)]);
      const second = mutated(pick(2) ? listed('info-one') : lists[pick(lists.length)]);
      const wasOpen = page.tab.open;
      const { refused } = page.memory;
      const decision = decide(page, first, second, now);
      assert.equal(typeof decision.say, 'string', `seed ${seed}`);
      if (decision.post) {
        posts += 1;
        const about = `seed ${seed}, step ${n}`;
        assert.ok(first.status === 200 && JSON.parse(first.text).every(({ done }) => done === false), `${about}: set up`);
        const list = JSON.parse(second.text);
        assert.equal(list.state, 'idle', about);
        assert.ok(list.backups.some((b) => b?.backup_id === SLUG && b.agents['hassio.local']), `${about}: not listed`);
        assert.notEqual(list.last_action_event?.state, 'in_progress', about);
        assert.ok(!wasOpen && !page.memory.sent, `${about}: one is under way`);
        if (refused) assert.match(refused.is, /^(must-update|no-internet|supervisor-starting|looking|trouble|key-wrong|old-card-in|unhealthy)$/, about);
        Finish.posting(page.memory, page.tab, now);
      } else if (page.tab.open && pick(3) === 0) {
        Finish.posted(page.memory, page.tab, pick(3) ? replies[pick(replies.length)] : SILENT, now);
      } else if (decision.offer && pick(5) === 0) {
        Finish.tryAgain(page.memory);
      }
    }
  }
  assert.ok(posts > 1000, `${posts} requests`);
});
