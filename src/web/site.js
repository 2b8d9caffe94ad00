/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remembers the reader's choice of scheme; without it the switch works, and
   forgets. Runs in <head>, so that a page never flashes. */
(function () {
  'use strict';
  var root = document.documentElement, saved = null;
  try { saved = localStorage.getItem('taproom-scheme'); } catch (e) { /* not allowed */ }
  if (saved !== 'light' && saved !== 'dark') saved = 'auto';
  root.dataset.scheme = saved;
  root.dataset.scripted = '';
  document.addEventListener('DOMContentLoaded', function () {
    var now = document.getElementById('scheme-' + saved);
    if (now) now.checked = true;
    document.querySelectorAll('input[name=scheme]').forEach(function (input) {
      input.addEventListener('change', function () {
        root.dataset.scheme = input.value;
        try { localStorage.setItem('taproom-scheme', input.value); } catch (e) { /* not allowed */ }
      });
    });
  });
})();

/* Filters and sorts the rows that are in a flakes page, as the address says, and
   keeps the address as what is shown. A server does the same by itself: there the
   form has an action, and this only shows at once what the page has. */
document.addEventListener('DOMContentLoaded', function () {
  'use strict';
  var form = document.getElementById('filter'), grid = document.getElementById('grid');
  if (!form || !grid || form.hasAttribute('action')) return;
  var body = grid.tBodies[0], rows = Array.from(body.rows);
  var SORTS = { rate: 0, flips: 1, cost: 2, recent: 3, streak: 4 };
  rows.forEach(function (row) {
    row.values = row.dataset.v.split(' ').map(Number);
    row.name = row.cells[0].title.toLowerCase();
    row.bits = Number(row.dataset.status);
  });
  function glob(text) {
    return new RegExp('^' + text.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')
      .replace(/\[!/g, '[^') + '$', 's');
  }
  function matcher(text) {
    text = text.toLowerCase();
    if (/[*?[]/.test(text)) {
      try {
        var pattern = glob(text);
        return function (name) { return pattern.test(name); };
      } catch (e) { return function () { return false; }; }
    }
    return function (name) { return name.indexOf(text) >= 0; };
  }
  function bit(field) { return 1 << Number(field.selectedOptions[0].dataset.bit); }
  /* A machine and a period choose columns; then a row is there for what it did in these.
     Its rate stays that of all runs, which is said. */
  var FIXED = 7, days = Array.from(grid.tHead.rows[0].cells).slice(FIXED);
  var heads = Array.from(grid.tHead.rows[1].cells), chosen = heads.map(function () { return true; });
  var BAD = Array.from(form.elements.status.querySelectorAll('[data-bad]')).map(function (o) { return o.value; });
  function choose() {
    var f = form.elements, machine = f.machine && f.machine.value ? bit(f.machine) : 0, at = 0;
    var since = f.days.value ? Number(form.dataset.newest) - 86400 * Number(f.days.value) : 0;
    heads.forEach(function (head, i) {
      var show = (!machine || Number(head.dataset.m) & machine) && Number(head.dataset.t) >= since;
      if (!show === !chosen[i]) return;
      chosen[i] = !!show;
      head.hidden = !show;
      rows.forEach(function (row) { row.cells[FIXED + i].hidden = !show; });
    });
    days.forEach(function (day) {
      day.all = day.all || day.colSpan;
      var n = chosen.slice(at, at + day.all).filter(Boolean).length;
      at += day.all;
      day.hidden = !n;
      day.colSpan = n || 1;
    });
    return chosen.filter(Boolean).length;
  }
  function did(row, words) {
    return chosen.some(function (shown, i) {
      return shown && words.some(function (w) { return row.cells[FIXED + i].classList.contains(w); });
    });
  }
  function order(by) {
    if (by === 'name') return function (a, b) { return a.name < b.name ? -1 : a.name > b.name ? 1 : 0; };
    var i = SORTS[by];
    return function (a, b) { return b.values[i] - a.values[i] || b.values[0] - a.values[0]; };
  }
  function show() {
    var f = form.elements, fits = matcher(f.name.value), flips = Number(f.flips.value) || 0;
    var status = f.status.value ? bit(f.status) : 0, suite = f.suite ? f.suite.value : '';
    var excused = f.known.value, shown = 0, columns = choose(), few = columns < heads.length;
    var words = f.status.value ? [f.status.value] : BAD;
    rows.sort(order(f.sort.value)).forEach(function (row) {
      var known = 'known' in row.dataset;
      var good = fits(row.name) && row.values[1] >= flips && (!status || row.bits & status) &&
        (!suite || row.name.indexOf(suite.toLowerCase() + '/') === 0) &&
        (!excused || known === (excused === 'yes')) && (!few || did(row, words));
      row.hidden = !good;
      shown += good;
      body.appendChild(row);
    });
    document.getElementById('found').textContent = (shown === rows.length && !few ? '' : shown + ' of ' + rows.length + (rows.length === 1 ? ' test' : ' tests')) +
      (few ? ' in ' + columns + ' of ' + heads.length + (heads.length === 1 ? ' run' : ' runs') + '; rates are of all runs' : '');
    grid.classList.toggle('few', few);
    grid.querySelectorAll('[data-sort]').forEach(function (a) {
      var th = a.parentNode;
      if (a.dataset.sort === f.sort.value) th.setAttribute('aria-sort', a.dataset.sort === 'name' ? 'ascending' : 'descending');
      else th.removeAttribute('aria-sort');
    });
  }
  function save() {
    var query = new URLSearchParams();
    ['machine', 'suite', 'name', 'status', 'flips', 'days', 'known', 'sort'].forEach(function (name) {
      var field = form.elements[name];
      if (field && field.value && !(name === 'sort' && field.value === 'rate')) query.set(name, field.value);
    });
    var text = query.toString();
    try { history.replaceState(null, '', text ? '?' + text : location.pathname); } catch (e) { /* not allowed */ }
    document.querySelectorAll('.choices a, .pages a').forEach(function (a) { a.search = text; });
  }
  new URLSearchParams(location.search).forEach(function (value, name) {
    var field = form.elements[name];
    if (field) field.value = value;
  });
  if (!form.elements.sort.value) form.elements.sort.value = 'rate';
  if (form.elements.machine && !form.elements.machine.value) form.elements.machine.value = '';
  if (!form.elements.days.value) form.elements.days.value = '';
  if (!form.elements.known.value) form.elements.known.value = '';
  if (!form.elements.status.value) form.elements.status.value = '';
  form.hidden = false;
  form.addEventListener('submit', function (e) { e.preventDefault(); });
  form.addEventListener('input', function () { show(); save(); });
  grid.querySelectorAll('[data-sort]').forEach(function (a) {
    a.addEventListener('click', function (e) {
      e.preventDefault();
      form.elements.sort.value = a.dataset.sort;
      show();
      save();
    });
  });
  show();
  save();
});

/* The same for a matrix: of each branch and mode it has the columns of all machines, and shows
   those of the machine that is asked for, else of the one that ran last, in the period. */
document.addEventListener('DOMContentLoaded', function () {
  'use strict';
  var form = document.getElementById('filter'), grid = document.getElementById('matrix');
  if (!form || !grid || form.hasAttribute('action')) return;
  var branches = Array.from(grid.tHead.rows[0].cells).slice(1), heads = Array.from(grid.tHead.rows[1].cells);
  var rows = Array.from(grid.tBodies[0].rows), other = heads.map(function (head) { return head.hidden; });
  var begins = heads.map(function (head) { return head.classList.contains('first'); });
  var BAD = /\b(fail|flaky|xpass|missing|timeout|error|crash)\b/, SAID = /\b(pass|skip|xfail)\b/;
  var found = document.getElementById('found'), all = other.filter(function (o) { return !o; }).length;
  function wanted() {
    var machine = form.elements.machine && form.elements.machine.value
      ? 1 << Number(form.elements.machine.selectedOptions[0].dataset.bit) : 0;
    var days = form.elements.days.value, since = days ? Number(form.dataset.newest) - 86400 * Number(days) : 0;
    return heads.map(function (head, i) {
      return !!(machine ? Number(head.dataset.m) & machine : !other[i]) && Number(head.dataset.t) >= since;
    });
  }
  /* A program ran; of a test something failed, or it was skipped here and ran there. */
  function told(row, shown) {
    var first = '', program = row.cells[0].querySelector('b');
    if (program) return shown.some(function (s, i) { return s && !/\bnone\b/.test(row.cells[i + 1].className); });
    return shown.some(function (s, i) {
      var name = row.cells[i + 1].className, said = s && SAID.exec(name), before = first;
      if (said) first = first || said[0];
      return s && (BAD.test(name) || (said && before && said[0] !== before));
    });
  }
  function show() {
    var shown = wanted(), at = -1, first = false, n = shown.filter(Boolean).length;
    branches.forEach(function (branch) { branch.n = 0; });
    heads.forEach(function (head, i) {
      if (begins[i]) at++;
      first = shown[i] && !branches[at].n++;
      head.hidden = !shown[i];
      head.classList.toggle('first', first);
      rows.forEach(function (row) {
        row.cells[i + 1].hidden = !shown[i];
        row.cells[i + 1].classList.toggle('first', first);
      });
    });
    branches.forEach(function (branch) {
      branch.hidden = !branch.n;
      branch.colSpan = branch.n || 1;
      branch.classList.toggle('tall', branch.n < 3 && branch.textContent.length > 4);
    });
    rows.forEach(function (row) {
      row.hidden = !told(row, shown);
    });
    found.textContent = n === all ? '' : n ? n + ' of ' + all + ' branches and modes' : 'No run fits.';
    grid.hidden = !n;
  }
  function save() {
    var query = new URLSearchParams();
    ['machine', 'days'].forEach(function (name) {
      var field = form.elements[name];
      if (field && field.value) query.set(name, field.value);
    });
    var text = query.toString();
    try { history.replaceState(null, '', text ? '?' + text : location.pathname); } catch (e) { /* not allowed */ }
    document.querySelectorAll('.choices a').forEach(function (a) { a.search = text; });
  }
  new URLSearchParams(location.search).forEach(function (value, name) {
    var field = form.elements[name];
    if (field) field.value = value;
    if (field && field.selectedIndex < 0) field.value = '';
  });
  form.hidden = false;
  form.addEventListener('submit', function (e) { e.preventDefault(); });
  form.addEventListener('input', function () { show(); save(); });
  show();
  save();
});
