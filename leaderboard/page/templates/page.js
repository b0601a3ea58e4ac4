"use strict";
// Sorting: numbers before words, empty cells last in either direction.
function compare(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const x = Number(a), y = Number(b);
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x === y ? 0 : sign * (x < y ? -1 : 1);
  return sign * a.localeCompare(b, "en", { numeric: true });
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => head.firstElementChild.addEventListener("click", () => {
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const key = row => row.cells[place].dataset.sort;
    const rows = [...table.tBodies[0].rows].sort((a, b) => compare(key(a), key(b), ascending ? 1 : -1));
    table.tBodies[0].append(...rows);
  }));
}
for (const select of document.querySelectorAll("select[data-filter]")) {
  select.addEventListener("change", () => {
    for (const row of document.getElementById(select.dataset.filter).tBodies[0].rows)
      row.hidden = select.value !== "" && row.dataset.task !== select.value;
  });
}
// Charts: the drawing library and the charts' data lie in this file, compressed.
async function draw() {
  const places = [...document.querySelectorAll("[data-chart]")];
  try {
    const bytes = Uint8Array.from(atob(document.getElementById("blob").textContent), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const { library, charts } = JSON.parse(await new Response(stream).text());
    if (places.length) new Function(library)();
    for (const place of places) {
      const actions = { export: true, source: false, compiled: false, editor: false };
      await window.vegaEmbed(place, charts[place.dataset.chart], { renderer: "svg", actions });
    }
    document.documentElement.dataset.charts = "drawn";
  } catch (error) {
    for (const place of places) if (!place.childElementCount) place.textContent = "This chart could not be drawn: " + error.message;
    document.documentElement.dataset.charts = "failed";
  }
}
draw();
