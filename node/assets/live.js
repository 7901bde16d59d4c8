// Asks to be told when something of the reader's cases changes, and then fetches the page again: never while somebody fills
// in a form. Pages work without this.
(function () {
  "use strict";
  if (!window.EventSource) return;
  var waiting = false;
  var touched = false;
  document.addEventListener("input", function () { touched = true; });

  function refresh() {
    if (touched || waiting) return;
    waiting = true;
    fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" })
      .then(function (answer) {
        if (!answer.ok || answer.redirected) throw new Error("not the page");
        return answer.text();
      })
      .then(function (text) {
        waiting = false;
        if (touched) return;
        var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("main");
        var old = document.getElementById("main");
        if (!fresh || fresh.innerHTML === old.innerHTML) return;
        var focused = document.activeElement && document.activeElement.id;
        old.replaceWith(fresh);
        var again = focused && document.getElementById(focused);
        if (again) again.focus({ preventScroll: true });
        var said = document.getElementById("live-said");
        if (said) said.textContent = said.dataset.text;
      })
      .catch(function () { waiting = false; });
  }

  var events = new EventSource("/events");
  events.onmessage = refresh;
  events.addEventListener("happening", refresh);
}());
