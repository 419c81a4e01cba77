
"use strict";
(function () {
  const seconds = 2, kept = 90, rates = [];
  let answered = new Date();

  /* Makes `from` like `to`, and touches only what differs: selections and transitions survive. */
  function adapt(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
      from.replaceWith(document.importNode(to, true));
      return;
    }
    if (from.nodeType === Node.TEXT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE || from.id === "history") return;
    for (const attribute of [...from.attributes])
      if (!to.hasAttribute(attribute.name)) from.removeAttribute(attribute.name);
    for (const attribute of to.attributes)
      if (from.getAttribute(attribute.name) !== attribute.value)
        from.setAttribute(attribute.name, attribute.value);
    const old = [...from.childNodes], next = [...to.childNodes];
    next.forEach((node, i) => {
      if (i < old.length) adapt(old[i], node);
      else from.append(document.importNode(node, true));
    });
    old.slice(next.length).forEach((node) => node.remove());
  }

  function draw() {
    const line = document.querySelector("#history polyline");
    const figure = document.querySelector("[data-rate]");
    if (!line || !figure) return;
    rates.push(Number(figure.dataset.rate));
    if (rates.length > kept) rates.shift();
    const most = Math.max(...rates, 1), left = kept - rates.length;
    line.setAttribute("points", rates.map((rate, i) =>
      (left + i) + "," + (40 - 38 * rate / most).toFixed(1)).join(" "));
  }

  async function refresh() {
    const stale = document.getElementById("stale");
    if (document.visibilityState === "hidden") return;
    try {
      const reply = await fetch("/", { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (!reply.ok) throw new Error(reply.status);
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      adapt(document.querySelector("main"), page.querySelector("main"));
      document.title = page.title;
      answered = new Date();
      stale.hidden = true;
      draw();
    } catch {
      stale.textContent = "No answer from sorreld since " + answered.toLocaleTimeString() +
        ": what you see is of then.";
      stale.hidden = false;
    }
  }

  async function go() {
    await refresh();
    setTimeout(go, 1000 * seconds);
  }

  draw();
  document.addEventListener("visibilitychange", refresh);
  setTimeout(go, 1000 * seconds);
})();
