// ES5. The page that finishes the move: asks, shows, sends (rules: finish.js). Complete once loaded: the system that served
// it is off.
(function (w, d) {
	'use strict';
	var box = d.getElementById('finish');
	if (!box || !w.JSON) { return; }
	// In Home Assistant's frame the page goes away with it: the printed steps stay, and a link leads to the whole window.
	if (w.top !== w) {
		d.getElementById('whole').hidden = false;
		return;
	}
	// Nothing to do but wait; else the steps by hand are shown, too.
	var CALM = /^(old-home|booting|landing|starting|looking|key-.*|must-update|no-internet|supervisor-starting|trouble|restoring|restarting|busy|done.*)$/;
	var backup = JSON.parse(box.getAttribute('data-backup') || 'null');
	var rules = w.Finish, memory = {}, tab = { open: false, key: '' }, busy, timer, done;
	var store = 'sd-swap-finish-' + (backup && backup.id), name = String(Math.random()).slice(2);

	// What other tabs know. This page was just served by the old system: whatever is kept is of an earlier move.
	function recall() {
		try { memory = JSON.parse(w.localStorage.getItem(store)) || memory; } catch (e) {}
	}
	function keep() {
		try { w.localStorage.setItem(store, JSON.stringify(memory)); } catch (e) {}
	}
	function forget() {
		try { w.localStorage.removeItem(store); } catch (e) {}
	}

	function each(selector, then) {
		Array.prototype.forEach.call(box.querySelectorAll(selector), then);
	}
	/** Shows a situation. Its words are in the page; {minutes} and the like are put in. */
	function show(what) {
		var minutes = what.minutes || 0;
		each('[data-say]', function (e) { e.hidden = e.getAttribute('data-say') !== what.say; });
		each('[data-say="' + what.say + '"] [data-words]', function (e) {
			e.words = e.words || e.textContent;
			var words = minutes > 1 ? e.words : e.getAttribute(minutes ? 'data-one' : 'data-none') || e.words;
			var doing = box.querySelector('[data-doing="' + (what.stage || '') + '"]');
			var values = {
				minutes: minutes, said: what.said || '–', list: what.list || '–', doing: doing ? doing.textContent : '', host: w.location.host,
				link: w.location.protocol + '//' + w.location.host + '/'
			};
			words = words.replace(/\{(\w+)\}/g, function (all, name) { return values.hasOwnProperty(name) ? values[name] : all; });
			if (e.textContent !== words) { e.textContent = words; }
		});
		d.getElementById('finish-key').hidden = !what.key;
		d.getElementById('finish-again').hidden = !what.offer;
		d.getElementById('finish-open').hidden = !/^done/.test(what.say);
		d.getElementById('by-hand').hidden = CALM.test(what.say);
	}

	/** GET; `then` gets {status, text}, status 0 for no answer within 30 s. */
	function get(path, then) {
		var x = new XMLHttpRequest();
		x.open('GET', path);
		x.timeout = 3e4;
		x.onloadend = function () { then({ status: x.status, text: x.responseText }); };
		x.send();
	}
	function once(then) {
		return function (answer) {
			var call = then;
			then = 0;
			if (call) { call(answer); }
		};
	}
	/** On port 8123 a new system sends us to port 80, where nothing can be read: only that it does, and that somebody is there. */
	function blind(then) {
		then = once(then);
		setTimeout(function () { then({ is: 'silent' }); }, 3e4);
		w.fetch('/api/onboarding', { redirect: 'manual', cache: 'no-store' }).then(function (answer) {
			if (answer.type !== 'opaqueredirect') {
				return answer.text().then(function (text) { seen({ status: answer.status, text: text }, then); });
			}
			return w.fetch('http://' + w.location.hostname + '/manifest.json', { cache: 'no-store' }).then(function (manifest) {
				then(manifest.ok ? { is: 'listed', state: 'idle', last: null, backup: backup, blind: true } : { is: 'starting' });
			}, function () { then({ is: 'starting' }); });
		})['catch'](function () { then({ is: 'silent' }); });
	}
	function seen(first, then) {
		var none = { status: 0, text: '' };
		if (rules.look(first, none, backup.id).is !== 'fresh') { return then(rules.look(first, none, backup.id)); }
		get('/api/onboarding/backup/info', function (second) { then(rules.look(first, second, backup.id)); });
	}

	function look() {
		if (busy || done) { return; }
		busy = true;
		clearTimeout(timer);
		var then = function (what) {
			busy = false;
			timer = setTimeout(look, 5e3);
			act(what);
		};
		if (w.location.port) { return blind(then); }
		get('/api/onboarding', function (first) { seen(first, then); });
	}
	function act(what) {
		recall();
		var next = rules.decide(memory, tab, what, Date.now());
		keep();
		show(next);
		if (next.post) { claim(next.post, what.blind); }
		if (next.end) {
			done = true;
			forget();
		}
	}
	/** Of several tabs one sends: who still stands there after a moment. */
	function claim(body, isBlind) {
		memory.by = name;
		keep();
		busy = true;
		setTimeout(function () {
			recall();
			busy = false;
			if (memory.by === name && !memory.sent) { post(body, isBlind); }
		}, 300);
	}
	function post(body, isBlind) {
		rules.posting(memory, tab, Date.now());
		keep();
		var path = '/api/onboarding/backup/restore', text = JSON.stringify(body), x;
		if (isBlind) {
			w.fetch('http://' + w.location.hostname + path, { method: 'POST', mode: 'no-cors', body: text }).then(function () {
				over({ unread: true });
			}, function () { over({ status: 0 }); });
			return;
		}
		x = new XMLHttpRequest();
		x.open('POST', path);
		x.setRequestHeader('Content-Type', 'application/json');
		x.onloadend = function () { over({ status: x.status, text: x.responseText }); };
		x.send(text);
	}
	function over(answer) {
		recall();
		rules.posted(memory, tab, answer, Date.now());
		keep();
		look();
	}

	function wake() {
		if (!d.hidden) { look(); }
	}
	if (!backup) { return; }
	// From https nothing on http can be asked, and from any other port nothing can be seen.
	if (w.location.protocol === 'https:' || !/^(|8123)$/.test(w.location.port) || w.location.port && !(w.fetch && backup.apps)) {
		return show({ say: 'elsewhere' });
	}
	forget();
	d.addEventListener('visibilitychange', wake);
	w.addEventListener('online', wake);
	// Leaving makes the new system forget that it was asked, or nobody asks it.
	w.addEventListener('beforeunload', function (e) {
		if ((memory.off || memory.sent) && !done) {
			e.preventDefault();
			e.returnValue = '';
		}
	});
	d.getElementById('finish-again').addEventListener('click', function () {
		recall();
		rules.tryAgain(memory);
		keep();
		look();
	});
	d.getElementById('finish-key').addEventListener('submit', function (e) {
		e.preventDefault();
		tab.key = d.getElementById('key').value;
		look();
	});
	look();
})(window, document);
