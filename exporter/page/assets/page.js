// Keeps the page fresh: asks the API whether anything changed, takes the sections anew from the server, which writes
// them all, and changes only what differs, so that focus, selection and scrolling stay. Says times in the reader's zone
// and reads charts out under the pointer. Without this file the page is whole, only still.
"use strict";
(() => {
  const kEvery = 5000;
  const $ = (selector, root = document) => root.querySelector(selector);
  const language = "en-GB";  // as the page: the day before the month, 24 hours

  // Times: the server writes UTC.
  const forms = {
    minute: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }),
    hour: new Intl.DateTimeFormat(language, { timeStyle: "short" }),
    day: new Intl.DateTimeFormat(language, { day: "numeric", month: "short" }),
    year: new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" }),
  };
  const form = (name, date) => forms[name === "day" && date.getFullYear() !== new Date().getFullYear() ? "year" : name];
  const words = (format, date) => format.format(date).replace("Sept", "Sep");  // as the server has it
  const localize = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const date = new Date(time.dateTime);
      time.textContent = words(form(time.dataset.form, date), date);
    }
    for (const text of root.querySelectorAll("text[data-time]")) {
      text.textContent = words(forms[text.dataset.form || "day"], new Date(text.dataset.time));
    }
  };

  // One tree takes on the shape of another with as few changes as possible.
  const kept = (element) => element === document.activeElement && element.matches("input, select");
  const morph = (to, from) => {
    if (to.nodeType !== from.nodeType || to.nodeName !== from.nodeName || to.id !== from.id) {
      to.replaceWith(from);
      return;
    }
    if (to.nodeType !== Node.ELEMENT_NODE) {
      if (to.nodeValue !== from.nodeValue) to.nodeValue = from.nodeValue;
      return;
    }
    for (const { name } of [...to.attributes]) {
      if (!from.hasAttribute(name) && name !== "open") to.removeAttribute(name);  // the reader opens and closes
    }
    for (const { name, value } of from.attributes) {
      if (to.getAttribute(name) !== value && name !== "open" && !(kept(to) && name === "value")) to.setAttribute(name, value);
    }
    const mine = [...to.childNodes].filter((node) => !(node.dataset && node.dataset.own));
    const theirs = [...from.childNodes];
    theirs.forEach((node, i) => (i < mine.length ? morph(mine[i], node) : to.append(node)));
    mine.slice(theirs.length).forEach((node) => node.remove());
  };

  // The server's page of an address, put in place of what is shown.
  let pending = null;
  const show = async (address) => {
    if (pending) pending.abort();
    const asked = (pending = new AbortController());
    const response = await fetch(address, { signal: asked.signal, headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (asked !== pending) return;
    localize(fresh);
    const select = $("#p"), chosen = select && select.value;
    morph($("#main"), $("#main", fresh));
    if ($("#p") && kept($("#p"))) $("#p").value = chosen;
    const read = $(".read time"), newer = $(".read time", fresh);
    if (read && newer) morph(read, newer);
    if (document.title !== fresh.title) document.title = fresh.title;
    watchCharts();
  };

  const live = $("#live");
  const say = (state, words) => {
    if (!live) return;
    live.className = "live " + state;
    if (live.textContent !== words) live.textContent = words;
  };

  let timer = 0, paused = false, etag = "";
  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden || paused) return;
    try {
      const response = await fetch("api/v1/status", { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
      if (response.status !== 304) {
        const first = etag === "";
        etag = response.headers.get("ETag") || "";
        if (!first || !response.ok) await show(location.search || "./");
      }
      say("on", "live, read");
    } catch (error) {
      if (error.name !== "AbortError") say("lost", "no answer since");
    }
    timer = setTimeout(ask, kEvery);
  };
  document.addEventListener("visibilitychange", ask);

  const go = (address, remember) => {
    if (remember) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    return show(location.search || "./").catch((error) => {
      if (error.name !== "AbortError") location.reload();
    });
  };
  addEventListener("popstate", () => show(location.search || "./"));

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-live], .resource h3 a");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const target = link.hash.slice(1);
    go(link.search || "./", true).then(() => {
      const place = target === "chart" && document.getElementById("chart");
      if (place) place.scrollIntoView({ block: "nearest" });
    });
  });

  let typing = 0;
  const filter = () => {
    const fields = new URLSearchParams(new FormData($("#filter")));
    for (const name of ["filter", "pool"]) if (!fields.get(name)) fields.delete(name);
    if (fields.get("sort") === "bytes" && fields.get("order") === "desc") ["sort", "order"].forEach((name) => fields.delete(name));
    const shown = new URLSearchParams(location.search).get("chart");
    if (shown) fields.set("chart", shown);
    const query = fields.toString();
    return go(query ? "?" + query : "./", false);
  };
  document.addEventListener("input", (event) => {
    if (!event.target.closest("#filter")) return;
    clearTimeout(typing);
    typing = setTimeout(filter, 150);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filter") return;
    event.preventDefault();
    clearTimeout(typing);
    filter();
  });

  // Charts: what was it then?
  const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const amount = (value, unit) => {
    if (unit !== "bytes") return number.format(value);
    let at = 0;
    while (value >= 1023.5 && at < 5) { value /= 1024; ++at; }
    return number.format(value) + " " + ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][at];
  };
  const histories = new Map();
  const history_of = (source) => {
    if (!histories.has(source)) {
      histories.set(source, fetch(source).then((response) => (response.ok ? response.json() : null)).catch(() => null));
    }
    return histories.get(source);
  };
  const part = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.dataset.own = "1";
    return made;
  };
  const clear = (chart) => chart.parentNode.querySelectorAll("[data-own]").forEach((node) => node.remove());
  const point = async (chart, share) => {
    const data = await history_of(chart.dataset.src);
    if (!data) return;
    const { from, to, low, high } = chart.dataset;
    const line = data[chart.dataset.line];
    const start = Date.parse(line.start), step = line.interval_seconds * 1000;
    const at = Number(from) + share * (to - from);
    const bucket = Math.max(0, Math.min(line.amount.length - 1, Math.floor((at - start) / step)));
    const value = line.amount[bucket];
    clear(chart);
    if (value === null) return;
    const middle = start + (bucket + 0.5) * step;
    const x = (100 * (middle - from)) / (to - from);
    const y = 216 - 190 * Math.max(0, Math.min(1, (value - low) / (high - low)));
    chart.append(part("line", { class: "cursor", x1: x + "%", x2: x + "%", y1: 26, y2: 216 }),
                 part("circle", { class: "dot", cx: x + "%", cy: y, r: 4 }));
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.dataset.own = "1";
    tip.style.left = Math.max(15, Math.min(85, x)) + "%";
    tip.textContent = amount(value, data.subject.unit) + " · " + forms.minute.format(new Date(middle));
    chart.parentNode.append(tip);
  };
  const watchCharts = () => {
    for (const chart of document.querySelectorAll(".chart")) {
      if (chart.watched) continue;
      chart.watched = true;
      let wanted = null;
      chart.addEventListener("pointermove", (event) => {
        const box = chart.getBoundingClientRect();
        if (wanted === null) requestAnimationFrame(() => { const share = wanted; wanted = null; if (share !== null) point(chart, share); });
        wanted = (event.clientX - box.left) / box.width;
      });
      chart.addEventListener("pointerleave", () => { wanted = null; clear(chart); });
    }
  };
  setInterval(() => histories.clear(), 600000);

  const host = $("#host");
  if (host && !host.textContent) host.textContent = location.hostname;
  const pause = $("#pause");
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
      if (paused) say("", "paused, read");
      ask();
    });
  }
  localize(document);
  watchCharts();
  ask();
})();
