// ES5: tablets are old. Pages are right without it.
(function (w, d) {
	'use strict';
	// Theme before the first paint.
	try {
		if (w.parent !== w) {
			var c = w.parent.getComputedStyle(w.parent.document.documentElement).backgroundColor;
			c = /^rgba?\((\d+), ?(\d+), ?(\d+)(, ?0)?\)$/.exec(c);
			if (c && !c[4]) {
				c = 0.299 * c[1] + 0.587 * c[2] + 0.114 * c[3] > 128;
				d.documentElement.setAttribute('data-theme', c ? 'light' : 'dark');
			}
		}
	} catch (e) {}
	if (!Array.prototype.flat) {
		Array.prototype.flat = function () { return [].concat.apply([], this); };
	}
	function on(name, then) { w.addEventListener(name, then); }
	function show(id, is) {
		id = d.querySelector(id);
		if (id) { id.hidden = !is; }
	}
	function answered(status) {
		var good = status > 199 && status < 400;
		show('#offline', !good && status !== 401);
		show('#signed-out', status === 401);
		return good;
	}
	var lost, newest, stream;
	function refocus() {
		var at = d.activeElement, to = lost;
		lost = 0;
		if (to && (!at || at === d.body)) {
			to = to.querySelector('[tabindex="-1"]') || (to.closest('section') || d).querySelector('h1,h2');
			to.tabIndex = -1;
			to.focus();
		}
	}
	function swaps(box, text) {
		if (box.contains(d.activeElement)) { lost = box; }
		return box.id !== 'say' || box.textContent !== text;
	}
	// Events and answers overtake each other.
	function old(at) {
		at = parseInt(at, 16);
		if (at < newest) { return 1; }
		newest = at || newest;
	}
	on('htmx:sseBeforeMessage', function (e) {
		var p = d.createElement('p');
		p.innerHTML = e.detail.data;
		if (old(e.detail.lastEventId) || !swaps(e.target, p.textContent)) { e.preventDefault(); }
	});
	on('htmx:oobBeforeSwap', function (e) {
		var f = e.detail.fragment;
		e.detail.shouldSwap = !old(f.getAttribute('data-at')) && swaps(e.target, f.textContent);
	});
	on('htmx:sseMessage', refocus);
	on('htmx:afterRequest', function (e) {
		var x = e.detail.xhr;
		answered(x.status);
		old(x.getResponseHeader('x-looked-at'));
		refocus();
	});
	function wake() {
		var pulse = d.querySelector('#pulse>div');
		if (pulse && w.htmx && !d.hidden) { w.htmx.trigger(pulse, 'wake'); }
	}
	on('visibilitychange', wake);
	// Not kept with a page for "back".
	on('htmx:sseOpen', function (e) { stream = e.detail.source; answered(200); });
	on('pagehide', function () { stream && stream.close(); });
	on('pageshow', function (e) { e.persisted && stream && location.reload(); });
	on('online', wake);
	function reload() {
		var x = new XMLHttpRequest();
		x.onloadend = function () { if (answered(x.status)) { location.reload(); } };
		x.open('GET', '');
		if (!w.htmx && !d.querySelector('input:focus,select:focus,textarea:focus,details[open]')) { x.send(); }
	}
	on('click', function (e) {
		if (e.target.closest('[data-print]')) { print(); }
	});
	on('DOMContentLoaded', function () {
		var e = d.getElementById('errors');
		if (e) { e.focus(); }
		show('[data-print]', true);
		if (d.body.getAttribute('data-live')) { setInterval(reload, 1e4); }
	});
})(window, document);
