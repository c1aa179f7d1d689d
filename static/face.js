// Ours; ES5, because wall tablets are old. The page is right without it.
(function (w, d) {
  'use strict';
  // Theme before the first paint: the window around us decides, if it can be asked.
  try {
    if (w.parent !== w) {
      var ground = w.parent.getComputedStyle(w.parent.document.documentElement).backgroundColor;
      var c = /^rgba?\((\d+), ?(\d+), ?(\d+)(, ?0)?\)$/.exec(ground);
      if (c && !c[4]) {
        var light = 0.299 * c[1] + 0.587 * c[2] + 0.114 * c[3] > 128;
        d.documentElement.setAttribute('data-theme', light ? 'light' : 'dark');
      }
    }
  } catch (e) { /* another origin: the system's theme it is */ }
  // All that htmx misses in the oldest browsers that we promise.
  if (!Array.prototype.flat) {
    Array.prototype.flat = function () {
      return Array.prototype.concat.apply([], this);
    };
  }
  function show(id, on) {
    var e = d.getElementById(id);
    if (e) { e.hidden = !on; }
  }
  d.addEventListener('htmx:sendError', function () { show('offline', true); });
  d.addEventListener('htmx:responseError', function (e) {
    var out = e.detail && e.detail.xhr && e.detail.xhr.status === 401;
    show('offline', !out);
    show('signed-out', out);
  });
  d.addEventListener('htmx:afterRequest', function (e) {
    if (e.detail && e.detail.successful) { show('offline', false); show('signed-out', false); }
  });
  d.addEventListener('DOMContentLoaded', function () {
    var summary = d.getElementById('errors');
    if (summary) { summary.focus(); }
    var print = d.getElementById('print');
    if (print && w.print) {
      print.hidden = false;
      print.addEventListener('click', function () { w.print(); });
    }
    // htmx did not start: load a live page anew now and then, unless somebody is busy on it.
    if (d.body.getAttribute('data-live')) {
      setInterval(function () {
        var e = d.activeElement;
        var busy = e && /^(input|select|textarea)$/i.test(e.tagName);
        if (!w.htmx && !busy && !d.querySelector('details[open]')) { w.location.reload(); }
      }, 10000);
    }
  });
})(window, document);
