"use strict";
/* Filtering, sorting and paging of the lists. Rows come from the JSON beside each table; text goes in as text only. */
(() => {
  const make = (tag, given = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), given);
    node.append(...children);
    return node;
  };
  const compare = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1);

  function start(section) {
    const data = JSON.parse(section.querySelector('script[type="application/json"]').textContent);
    const table = section.querySelector("table");
    const body = table.tBodies[0];
    const tools = section.querySelector(".tools");
    const pager = section.querySelector(".pager");
    const text = (row, c) => {
      const kind = data.columns[c].kind;
      if (kind === "link") return Array.isArray(row[c]) ? row[c][0] : row[c];
      return kind === "number" ? row[c] : data.columns[c].values[row[c]];
    };
    const haystack = data.rows.map((row) => data.columns.map((_, c) => text(row, c)).join(" ").toLowerCase());
    const state = { words: [], picked: new Map(), least: null, sort: -1, down: false, page: 0 };
    let order = [];

    const cell = (row, c) => {
      const column = data.columns[c];
      const td = make("td", { className: (column.kind === "number" ? "n " : "") + (column.minor ? "minor" : "") });
      const shown = text(row, c);
      if (column.kind === "link") {
        const file = Array.isArray(row[c]) ? row[c][1] : row[c] + ".html";
        td.append(make("a", { href: data.folder + encodeURIComponent(file), textContent: shown }));
      } else if (column.kind === "badge") {
        const known = ["resolved", "unresolved", "violation", "fault", "unfinished"].includes(shown) ? shown : "";
        td.append(make("span", { className: "badge " + known, textContent: shown }));
      } else {
        td.textContent = shown === null ? "–" : column.kind === "number" ? shown.toLocaleString("en") : shown;
      }
      return td;
    };

    const draw = () => {
      const pages = Math.max(1, Math.ceil(order.length / data.page));
      state.page = Math.min(state.page, pages - 1);
      const from = state.page * data.page;
      const rows = order.slice(from, from + data.page).map((index) => {
        const row = data.rows[index];
        return make("tr", {}, ...data.columns.map((_, c) => cell(row, c)));
      });
      if (!rows.length) rows.push(make("tr", {}, make("td", { colSpan: data.columns.length, className: "quiet", textContent: "Nothing matches." })));
      body.replaceChildren(...rows);
      status.textContent = order.length
        ? `${(from + 1).toLocaleString("en")}–${Math.min(from + data.page, order.length).toLocaleString("en")} of ${order.length.toLocaleString("en")}`
        : `0 of ${data.rows.length.toLocaleString("en")}`;
      back.disabled = state.page === 0;
      on.disabled = state.page >= pages - 1;
      pager.hidden = data.rows.length <= data.page;
    };

    const select = () => {
      order = [];
      data.rows.forEach((row, index) => {
        for (const [c, value] of state.picked) if (row[c] !== value) return;
        if (state.least !== null && !(row[state.least.column] >= state.least.value)) return;
        if (state.words.every((word) => haystack[index].includes(word))) order.push(index);
      });
      if (state.sort >= 0) {
        const sign = state.down ? -1 : 1;
        order.sort((a, b) => sign * compare(text(data.rows[a], state.sort), text(data.rows[b], state.sort)) || a - b);
      }
      draw();
    };
    const change = () => { state.page = 0; select(); };

    const search = make("input", { type: "search", placeholder: `Filter ${data.noun} (press /)`, ariaLabel: `Filter ${data.noun}`, autocomplete: "off" });
    search.addEventListener("input", () => { state.words = search.value.toLowerCase().split(/\s+/).filter(Boolean); change(); });
    tools.append(search);
    data.columns.forEach((column, c) => {
      if (column.kind === "text" || column.kind === "badge") {
        if (column.values.length < 2 || column.values.length > 500) return;
        const menu = make("select", { ariaLabel: column.name }, make("option", { value: "", textContent: `${column.name}: all` }));
        column.values.map((value, index) => [value, index]).sort((a, b) => compare(a[0], b[0]))
          .forEach(([value, index]) => menu.append(make("option", { value: String(index), textContent: value })));
        menu.addEventListener("change", () => {
          if (menu.value === "") state.picked.delete(c); else state.picked.set(c, Number(menu.value));
          change();
        });
        tools.append(menu);
      } else if (column.name === "F2P") {
        const least = make("input", { type: "number", min: "0", inputMode: "numeric", ariaLabel: "F2P at least" });
        least.addEventListener("input", () => {
          state.least = least.value === "" ? null : { column: c, value: Number(least.value) };
          change();
        });
        tools.append(make("label", { className: "least" }, "F2P ≥ ", least));
      }
    });

    Array.from(table.tHead.rows[0].cells).forEach((head, c) => {
      const button = make("button", { type: "button", textContent: head.textContent });
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        state.down = state.sort === c ? !state.down : data.columns[c].kind === "number";
        state.sort = c;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        change();
      });
    });

    const status = make("span", { role: "status" });
    const back = make("button", { type: "button", textContent: "← Previous" });
    const on = make("button", { type: "button", textContent: "Next →" });
    const turn = (by) => () => { state.page += by; draw(); section.scrollIntoView({ block: "start" }); };
    back.addEventListener("click", turn(-1));
    on.addEventListener("click", turn(1));
    pager.append(back, status, on);
    tools.hidden = data.rows.length < 2;
    select();
    return search;
  }

  const searches = Array.from(document.querySelectorAll("[data-list]"), start);
  document.addEventListener("keydown", (event) => {
    const busy = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key !== "/" || busy || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    searches[searches.length - 1].focus();
  });
})();
