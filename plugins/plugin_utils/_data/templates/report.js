"use strict";
(function () {
  var search = document.getElementById("search");
  var state = document.getElementById("state");
  var matches = document.getElementById("matches");
  var hosts = Array.prototype.slice.call(document.querySelectorAll(".host"));
  var texts = null;
  var only = false; // a control was chosen: hosts where it holds or does not apply are not meant
  function apply() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && texts === null) {
      texts = hosts.map(function (host) { return host.textContent.toLowerCase(); });
    }
    function isOpen(host) {
      return Array.prototype.some.call(host.querySelectorAll(".findings code"), function (code) {
        return code.textContent === search.value;
      });
    }
    var shown = 0;
    hosts.forEach(function (host, index) {
      var marks = (host.dataset.marks || "").split(" ");
      var hit = !state.value || host.dataset.state === state.value || marks.indexOf(state.value) >= 0;
      hit = hit && (only ? isOpen(host) : words.every(function (word) { return texts[index].indexOf(word) >= 0; }));
      host.hidden = !hit;
      if (hit) { shown += 1; }
    });
    matches.textContent = shown + " of " + hosts.length + " hosts";
  }
  var fold = document.getElementById("fold");
  fold.addEventListener("click", function () {
    var open = fold.textContent === "Open all";
    hosts.forEach(function (host) { if (!host.hidden) { host.open = open; } });
    fold.textContent = open ? "Close all" : "Open all";
  });
  document.querySelectorAll("button[data-find]").forEach(function (button) {
    button.addEventListener("click", function () {
      search.value = button.dataset.find;
      state.value = "";
      only = true;
      apply();
      search.focus();
    });
  });
  search.addEventListener("input", function () { only = false; apply(); });
  state.addEventListener("change", apply);
  document.querySelector(".filter").addEventListener("submit", function (event) { event.preventDefault(); });
  window.addEventListener("beforeprint", function () { hosts.forEach(function (host) { host.open = true; }); });
  apply();
})();
