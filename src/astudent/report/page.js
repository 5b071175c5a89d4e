"use strict";
// Filters the answers of the page's JSON. Every text becomes a text node: nothing is ever read as HTML.
(() => {
  const PAGE = 25; // answers shown at once
  const data = JSON.parse(document.getElementById("answers").textContent);
  const place = document.getElementById("explorer");
  const invisible = new RegExp(data.invisible, "gu");
  const haystacks = data.answers.map(haystack);
  const everyone = data.answers.map((_, number) => number);
  const chosen = data.facets.map(() => -1); // the value wanted of each facet; -1 is any
  let found = [];
  let first = 0;

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // A text whose direction cannot reach its neighbours, and whose invisible characters are named.
  function shown(text) {
    const isolated = make("bdi");
    let start = 0;
    for (const match of text.matchAll(invisible)) {
      const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      isolated.append(text.slice(start, match.index), make("span", { class: "control" }, `U+${code}`));
      start = match.index + match[0].length;
    }
    isolated.append(text.slice(start));
    return isolated;
  }

  function marked(pieces, kind) {
    return pieces.map((text, number) => (number % 2 ? make("mark", { class: kind }, shown(text)) : shown(text)));
  }

  function haystack(answer) {
    const request = data.requests[answer.request];
    const texts = [request.id, request.schema, request.text, answer.title, answer.note];
    return [...texts, ...answer.known, ...(answer.answer ?? [])].join("\n").toLowerCase();
  }

  const count = make("p", { role: "status" });
  const list = make("ol", { class: "answers", "aria-label": "Answers found" });
  const search = make("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const order = select("order", "order", ["as asked", "worst first", "best first"]);
  const back = make("button", { type: "button" }, "Previous");
  const forth = make("button", { type: "button" }, "Next");
  const clear = make("button", { type: "button" }, "Clear");

  function select(id, label, options) {
    const box = make("select", { id });
    options.forEach((text, value) => box.append(make("option", { value }, plain(text))));
    return { box, field: make("div", {}, make("label", { for: id }, label), box) };
  }

  function plain(text) {
    return shown(text).textContent;
  }

  const filters = data.facets.map((facet, number) => {
    const filter = select(`facet${number}`, facet.name, ["any", ...facet.values]);
    filter.box.addEventListener("change", () => {
      chosen[number] = filter.box.selectedIndex - 1;
      update();
    });
    return filter;
  });

  function choose(facet, value) {
    chosen[facet] = value;
    filters[facet].box.selectedIndex = value + 1;
  }

  function update() {
    performance.mark("filter");
    const wanted = search.value.toLowerCase().split(/\s+/u).filter(Boolean);
    found = sorted(everyone.filter((number) => fits(number, wanted)));
    first = 0;
    show();
    performance.measure("filter", "filter");
  }

  function fits(number, wanted) {
    const facets = data.answers[number].facets;
    return (
      chosen.every((value, facet) => value < 0 || facets[facet].includes(value)) &&
      wanted.every((word) => haystacks[number].includes(word))
    );
  }

  function sorted(numbers) {
    const sign = [0, 1, -1][order.box.selectedIndex];
    return sign ? numbers.sort((a, b) => sign * (data.answers[a].f1 - data.answers[b].f1)) : numbers;
  }

  function show() {
    const last = Math.min(first + PAGE, found.length);
    list.replaceChildren(...found.slice(first, last).map(item));
    list.start = first + 1;
    back.disabled = first === 0;
    forth.disabled = last === found.length;
    const right = found.filter((number) => data.answers[number].right).length;
    const range = found.length ? `, ${first + 1} to ${last} shown` : "";
    const total = data.answers.length.toLocaleString("en");
    count.textContent = `${found.length.toLocaleString("en")} of ${total} answers, ${right.toLocaleString("en")} right${range}`;
  }

  function item(number) {
    const answer = data.answers[number];
    const details = make("details", {}, make("summary", {}, badge(answer), " ", shown(data.requests[answer.request].text)));
    // Filled when it is opened: a page of closed ones costs nothing.
    details.addEventListener("toggle", () => details.open && details.children.length === 1 && details.append(...body(answer)));
    return make("li", {}, details);
  }

  function badge(answer) {
    return make("span", { class: answer.right ? "badge right" : "badge wrong" }, shown(answer.right ? "right" : answer.title));
  }

  function body(answer) {
    const request = data.requests[answer.request];
    const names = answer.facets.map((values, facet) => values.map((value) => data.facets[facet].values[value]).join(", "));
    const about = [`request ${request.id}`, `schema ${request.schema}`, `field F1 ${answer.f1}`, answer.cost];
    const facts = make("p", { class: "facts" }, shown([...names.filter(Boolean), ...about].join(" · ")));
    const asked = answer.asked?.length > 1 ? [make("blockquote", {}, ...marked(answer.asked, "asked"))] : [];
    const panes = [pane("Known", answer.known, "known")];
    if (answer.answer) panes.push(pane("Student", answer.answer, "answer"));
    const rest = answer.differences?.length ? [table(answer.differences)] : [];
    if (answer.note) rest.push(make("p", {}, shown(answer.note)));
    return [...asked, make("div", { class: "pair" }, ...panes), ...rest, facts];
  }

  function pane(title, pieces, kind) {
    return make("figure", {}, make("figcaption", {}, title), make("pre", {}, ...marked(pieces, kind)));
  }

  function table(differences) {
    const head = ["path", "known", "student"].map((text) => make("th", { scope: "col" }, text));
    const rows = differences.map(([path, ...sides]) =>
      make("tr", {}, make("th", { scope: "row" }, shown(path)), ...sides.map((text) => make("td", {}, shown(text)))),
    );
    const caption = make("caption", { class: "unseen" }, "Differences");
    const whole = make("table", {}, caption, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
    return make("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Differences" }, whole);
  }

  function turn(pages) {
    first += pages * PAGE;
    show();
    count.scrollIntoView({ block: "nearest" });
  }

  search.addEventListener("input", update);
  order.box.addEventListener("change", update);
  back.addEventListener("click", () => turn(-1));
  forth.addEventListener("click", () => turn(1));
  clear.addEventListener("click", () => {
    search.value = "";
    filters.forEach((_, number) => choose(number, -1));
    update();
  });
  const words = make("div", { class: "words" }, make("label", { for: "search" }, "words"), search);
  const controls = make("form", { role: "search" }, words, ...filters.map(({ field }) => field), order.field, clear);
  controls.addEventListener("submit", (event) => event.preventDefault());
  place.replaceChildren(controls, count, list, make("div", { class: "turn" }, back, forth));
  if (data.facets[0]?.name === "student") choose(0, 0);
  update();
})();
