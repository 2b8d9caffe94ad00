/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page of what is not over yet: listens to the server's events, and shows the page
   as it is now when something happened, with what the reader has open left open.
   A page in the background lets go: a browser has few connections to a server. */
document.addEventListener('DOMContentLoaded', function () {
  'use strict';
  var WAIT_MS = 500, source = null, due = null, busy = false, again = false, over = false;
  function mark() { return document.getElementById('live'); }
  function name(fold) { return fold.id || fold.firstElementChild.textContent; }
  /* Where an element stands, so that the one that takes its place is found: most that
     can have the focus have no name of their own, but stand in something that has. */
  function place(element) {
    var box = element && element.closest('[id]'), nth;
    if (!box) return null;
    if (box === element) return function () { return document.getElementById(box.id); };
    nth = Array.from(box.querySelectorAll(element.tagName)).indexOf(element);
    return function () {
      var now = document.getElementById(box.id);
      return now && now.querySelectorAll(element.tagName)[nth];
    };
  }
  function show(text) {
    var next = new DOMParser().parseFromString(text, 'text/html');
    var now = document.getElementById('main'), main = next.getElementById('main');
    var focus = place(document.activeElement), folds = {};
    if (!main) return;
    now.querySelectorAll('details').forEach(function (d) { folds[name(d)] = d.open; });
    main.querySelectorAll('details').forEach(function (d) {
      if (name(d) in folds) d.open = folds[name(d)];
    });
    main.querySelectorAll('script').forEach(function (s) { s.remove(); });
    document.title = next.title;
    now.replaceChildren.apply(now, Array.from(document.importNode(main, true).childNodes));
    if (focus && focus()) focus().focus({ preventScroll: true });
    said();
  }
  function said() {
    if (mark()) mark().textContent = 'This page follows what happens.';
    else { over = true; close(); }
  }
  function load() {
    due = null;
    if (busy) { again = true; return; }
    busy = true;
    fetch(location.pathname + location.search, { cache: 'no-cache' }).then(function (r) {
      return r.ok ? r.text().then(show) : null;
    }).catch(function () { /* the next event tries again */ }).then(function () {
      busy = false;
      if (again) { again = false; soon(); }
    });
  }
  function soon() { if (due === null) due = setTimeout(load, WAIT_MS); }
  function close() {
    if (source) source.close();
    source = null;
  }
  function open() {
    if (source || over || !mark()) return;
    source = new EventSource(mark().dataset.events);
    ['runs', 'run', 'program'].forEach(function (what) { source.addEventListener(what, soon); });
  }
  if (!window.EventSource || !mark()) return;
  document.addEventListener('visibilitychange', function () {
    if (document.hidden) close();
    else open();
  });
  if (!document.hidden) open();
  said();
});
