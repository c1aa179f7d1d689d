// ES5: tablets are old. What the new system answers, what it means, what to do: docs/finish.md. The same rules as in
// src/domain/finish, for a page whose server is gone. No network and no clock in here.
(function (root) {
	'use strict';
	var SECOND = 1000, MINUTE = 60 * SECOND;
	// Where the restore may be asked for again by itself: after how long, and for how long; 0: as long as it takes.
	var AGAIN = {
		'must-update': [MINUTE, 30 * MINUTE], 'no-internet': [30 * SECOND, 0], 'supervisor-starting': [10 * SECOND, 30 * MINUTE],
		looking: [10 * SECOND, 2 * MINUTE], trouble: [30 * SECOND, 5 * MINUTE], unread: [30 * SECOND, 30 * MINUTE]
	};
	// Refusals in Core's and the Supervisor's words; the first that fits.
	var REFUSALS = [
		[/must update supervisor/i, 'must-update'], [/not enough free space/i, 'no-space'],
		[/no (host|supervisor) internet connection/i, 'no-internet'], [/duplicate_os_installation/i, 'old-card-in'],
		[/system is not healthy/i, 'unhealthy'], [/system is not (running|ready)/i, 'supervisor-starting'],
		[/another job is running|backup manager busy/i, 'busy'], [/not found in agent/i, 'looking'],
		[/no home assistant core data/i, 'without-core'], [/restore failed:/i, 'failed-before']
	];

	/** What two answers, `{status, text}` with status 0 for none, show: `/api/onboarding`, and `…/backup/info` if no step
	 * of the first is done. `slug`: the backup that is waited for. */
	function look(first, second, slug) {
		var steps = parsed(first), n, info;
		if (!first.status) { return { is: 'silent' }; }
		if (first.status === 404) { return { is: 'set-up' }; }
		if (first.status === 401 || first.status === 403) { return { is: 'landing' }; }
		if (first.status === 503) { return { is: 'starting' }; }
		if (first.status !== 200 || !areSteps(steps)) { return { is: 'stranger' }; }
		for (n = 0; n < steps.length; n += 1) {
			if (steps[n].done) { return { is: 'begun' }; }
		}
		if (second && second.status === 401) { return { is: 'begun' }; }
		info = second && second.status === 200 && parsed(second);
		if (!info || typeof info.state !== 'string' || !(info.backups instanceof Array)) { return { is: 'fresh' }; }
		return { is: 'listed', state: info.state, last: last(info.last_action_event), stage: stage(info.last_action_event), backup: found(info.backups, slug), list: titles(info.backups) };
	}
	function parsed(answer) {
		try { return JSON.parse(answer.text); } catch (e) { return null; }
	}
	function areSteps(steps) {
		if (!(steps instanceof Array) || !steps.length) { return false; }
		for (var n = 0; n < steps.length; n += 1) {
			if (!steps[n] || typeof steps[n].done !== 'boolean') { return false; }
		}
		return true;
	}
	function last(event) { return event && event.manager_state === 'restore_backup' ? event.state : null; }
	function stage(event) { return event && typeof event.stage === 'string' ? event.stage : ''; }
	/** An entry in another form than is known is none: a part of a backup is never restored for the whole. */
	function found(backups, slug) {
		for (var n = 0; n < backups.length; n += 1) {
			var b = backups[n], agent = b && b.backup_id === slug && b.agents && b.agents['hassio.local'];
			if (agent && typeof agent.protected === 'boolean' && typeof b.database_included === 'boolean' && b.addons instanceof Array && b.folders instanceof Array) {
				return {
					id: slug, key: agent.protected, core: b.homeassistant_included === true, database: b.database_included,
					apps: slugs(b.addons), folders: known(b.folders)
				};
			}
		}
		return null;
	}
	function titles(backups) {
		return backups.map(function (b) { return b && b.name; }).join(', ').slice(0, 300);
	}
	function slugs(apps) {
		return apps.map(function (app) { return app.slug; });
	}
	// Any other name refuses the whole request.
	function known(folders) {
		return folders.filter(function (folder) { return /^(share|addons\/local|ssl|media)$/.test(folder); });
	}

	/** The body of the request: everything that is in the backup. */
	function order(backup, key) {
		var body = {
			backup_id: backup.id, agent_id: 'hassio.local', restore_database: backup.database,
			restore_addons: backup.apps, restore_folders: backup.folders
		};
		if (backup.key) { body.password = key; }
		return body;
	}

	/** What is seen, and what was seen before → `say` (the situation's name) and what to do: `post` (a body), `key` (ask for
	 * it), `offer` (another try), `end`.
	 * `memory` is shared by the tabs of an origin: since when nothing answers (`silent`), or the backup is missing (`missing`); `off`:
	 * the old system went; `fresh`: a new one was seen; `sent`: when; `ran`: a restore was seen; `away`: nothing answered
	 * since it was sent; `refused`: {is, said, first, at}; `busy`: since when.
	 * `tab` is this page's own: `open` (the request has not ended), `key`. */
	function decide(memory, tab, seen, now) {
		if (seen.is !== 'listed') { memory.missing = 0; }
		if (seen.is === 'silent') { return silent(memory, now); }
		if (memory.silent && now - memory.silent > 20 * SECOND) { memory.off = true; }
		memory.silent = 0;
		if (seen.is === 'set-up') { return setUp(memory); }
		if (seen.is === 'begun') { return { say: 'set-up-anew', end: true }; }
		if (seen.is === 'fresh' || seen.is === 'listed') { memory.fresh = true; }
		if (seen.is === 'listed' && seen.state === 'restore_backup') { return runs(memory, seen); }
		if (seen.is === 'listed' && seen.state === 'idle') { return idle(memory, tab, seen, now); }
		if (memory.sent || memory.ran) { return { say: 'restarting' }; }
		return { say: seen.is === 'landing' || seen.is === 'stranger' ? seen.is : 'starting' };
	}

	function silent(memory, now) {
		memory.silent = memory.silent || now;
		var minutes = Math.floor((now - memory.silent) / MINUTE);
		if (memory.refused) { memory.refused.away = true; }
		if (memory.sent || memory.ran) {
			memory.away = true;
			memory.busy = 0;
			return { say: minutes < 360 ? 'restarting' : 'hanging', minutes: minutes };
		}
		return { say: minutes < 25 ? 'booting' : 'not-found', minutes: minutes };
	}

	/** A home that is set up: the restored one, if a fresh system was seen and a restore ran; else one that was there. */
	function setUp(memory) {
		return memory.fresh && (memory.sent || memory.ran) ? { say: 'done', end: true } : { say: 'old-home' };
	}

	function runs(memory, seen) {
		memory.ran = true;
		return { say: 'restoring', stage: seen.stage };
	}

	function idle(memory, tab, seen, now) {
		// Who asked for it went away; the Supervisor goes on.
		if (seen.last === 'in_progress') { return runs(memory, seen); }
		if (seen.last === 'completed') { return { say: 'done-not-set-up', end: true }; }
		// Its answer is under way.
		if (tab.open) { return { say: 'restoring' }; }
		if (memory.busy) { return now - memory.busy < 30 * MINUTE ? { say: 'busy' } : { say: 'busy', offer: true }; }
		if (memory.sent || memory.ran) { return lost(memory, seen, now); }
		return held(memory, seen, now) || ready(memory, tab, seen, now);
	}

	/** Fresh and idle, though a restore should run. */
	function lost(memory, seen, now) {
		if (seen.last === 'failed') { return { say: memory.away ? 'failed-after' : 'interrupted', offer: true }; }
		memory.lost = memory.lost || now;
		return now - memory.lost < 2 * MINUTE ? { say: 'restarting' } : { say: 'interrupted', offer: true };
	}

	/** What the last refusal asks for before another request; nothing: no more. */
	function held(memory, seen, now) {
		var refused = memory.refused, again = refused && AGAIN[refused.is];
		if (!refused || refused.is === 'key-wrong') { return null; }
		if (again) {
			if (again[1] && now - refused.first > again[1]) { return { say: 'still-refused', said: refused.said, offer: true }; }
			return now < refused.at ? { say: refused.is, said: refused.said } : null;
		}
		if (/^(old-card-in|unhealthy)$/.test(refused.is)) {
			// A Core that was started anew knows nothing of the request.
			if (refused.away && !seen.last) {
				memory.refused = null;
				return null;
			}
			return { say: refused.is, said: refused.said };
		}
		return { say: refused.is, said: refused.said, offer: !/^(no-space|without-core)$/.test(refused.is) };
	}

	/** Nothing of ours is under way: the backup has to be there, whole and readable. */
	function ready(memory, tab, seen, now) {
		var backup = seen.backup;
		if (!backup) {
			memory.missing = memory.missing || now;
			return { say: now - memory.missing < 2 * MINUTE ? 'looking' : 'not-listed', list: seen.list };
		}
		memory.missing = 0;
		if (!backup.core) { return { say: 'without-core' }; }
		if (backup.key && !tab.key) {
			return { say: memory.refused && memory.refused.is === 'key-wrong' ? 'key-wrong' : 'key-needed', key: true };
		}
		return { say: 'restoring', post: order(backup, tab.key) };
	}

	/** The request is about to leave. */
	function posting(memory, tab, now) {
		memory.sent = now;
		memory.ran = memory.away = memory.lost = memory.busy = 0;
		tab.open = true;
	}

	/** The request has ended: with an answer `{status, text}`, or cut (status 0), as it is when all goes well. From another
	 * port it cannot be read (`unread`): an end within a minute is a refusal. */
	function posted(memory, tab, answer, now) {
		var at = memory.sent;
		tab.open = false;
		if (answer.unread && now - at < MINUTE) { return refuse(memory, 'unread', '', now); }
		if (!answer.status || answer.status === 200 || answer.unread) {
			memory.refused = null;
			return;
		}
		var body = parsed(answer) || {}, said = String(body.message || body.code || answer.status).slice(0, 300);
		if (body.code === 'incorrect_password') {
			tab.key = '';
			return refuse(memory, 'key-wrong', said, now);
		}
		refuse(memory, answer.status >= 500 ? 'trouble' : kind(body, answer.status), said, now);
	}
	function kind(body, status) {
		if (status === 401 || status === 404) { return 'trouble'; }
		for (var n = 0; body.code === 'restore_failed' && n < REFUSALS.length; n += 1) {
			if (REFUSALS[n][0].test(body.message)) { return REFUSALS[n][1]; }
		}
		return 'refused';
	}
	function refuse(memory, is, said, now) {
		var before = memory.refused;
		memory.sent = memory.ran = 0;
		// Somebody's restore, perhaps our own that was lost sight of: no second one.
		if (is === 'busy') {
			memory.busy = now;
			memory.ran = 1;
			memory.refused = null;
			return;
		}
		memory.refused = {
			is: is, said: said, first: before && before.is === is ? before.first : now, at: AGAIN[is] ? now + AGAIN[is][0] : 0
		};
	}

	/** The owner asks for another try. */
	function tryAgain(memory) {
		memory.sent = memory.ran = memory.away = memory.lost = memory.busy = 0;
		memory.refused = null;
	}

	root.Finish = { look: look, decide: decide, posting: posting, posted: posted, tryAgain: tryAgain };
})(typeof module === 'object' ? module.exports : window);
