"use strict";
(function () {
  var search = document.getElementById("search");
  var state = document.getElementById("state");
  var matches = document.getElementById("matches");
  var hosts = Array.prototype.slice.call(document.querySelectorAll(".host"));
  var texts = null;
  function apply() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && texts === null) {
      texts = hosts.map(function (host) { return host.textContent.toLowerCase(); });
    }
    var shown = 0;
    hosts.forEach(function (host, index) {
      var hit = !state.value || host.dataset.state === state.value;
      hit = hit && words.every(function (word) { return texts[index].indexOf(word) >= 0; });
      host.hidden = !hit;
      if (hit) { shown += 1; }
    });
    matches.textContent = shown + " of " + hosts.length + " hosts";
  }
  search.addEventListener("input", apply);
  state.addEventListener("change", apply);
  document.querySelector(".filter").addEventListener("submit", function (event) { event.preventDefault(); });
  window.addEventListener("beforeprint", function () { hosts.forEach(function (host) { host.open = true; }); });
  apply();
})();
