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
  function bit(name) {
    var option = form.elements.status.querySelector('[value="' + name + '"]');
    return 1 << Number(option.dataset.bit);
  }
  function order(by) {
    if (by === 'name') return function (a, b) { return a.name < b.name ? -1 : a.name > b.name ? 1 : 0; };
    var i = SORTS[by];
    return function (a, b) { return b.values[i] - a.values[i] || b.values[0] - a.values[0]; };
  }
  function show() {
    var f = form.elements, fits = matcher(f.name.value), flips = Number(f.flips.value) || 0;
    var status = f.status.value ? bit(f.status.value) : 0, suite = f.suite ? f.suite.value : '';
    var excused = f.known.value, shown = 0;
    rows.sort(order(f.sort.value)).forEach(function (row) {
      var known = 'known' in row.dataset;
      var good = fits(row.name) && row.values[1] >= flips && (!status || row.bits & status) &&
        (!suite || row.name.indexOf(suite.toLowerCase() + '/') === 0) &&
        (!excused || known === (excused === 'yes'));
      row.hidden = !good;
      shown += good;
      body.appendChild(row);
    });
    document.getElementById('found').textContent = shown === rows.length ? '' : shown + ' of ' + rows.length + ' tests';
    grid.querySelectorAll('[data-sort]').forEach(function (a) {
      var th = a.parentNode;
      if (a.dataset.sort === f.sort.value) th.setAttribute('aria-sort', a.dataset.sort === 'name' ? 'ascending' : 'descending');
      else th.removeAttribute('aria-sort');
    });
  }
  function save() {
    var query = new URLSearchParams();
    ['suite', 'name', 'status', 'flips', 'known', 'sort'].forEach(function (name) {
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
