/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remembers the reader's choice of scheme; without it the switch works, and
   forgets. Runs in <head>, so that a page never flashes. */
(function () {
  'use strict';
  var root = document.documentElement, saved = null;
  try { saved = localStorage.getItem('taproom-scheme'); } catch (e) { /* not allowed */ }
  if (saved !== 'light' && saved !== 'dark') saved = 'auto';
  root.dataset.scheme = saved;
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
