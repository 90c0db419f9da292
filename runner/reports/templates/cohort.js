// Sorts and filters the ranking. Everything it knows is in the page already; without it the page says the same.
(() => {
  "use strict";
  const table = document.querySelector("table.ranking");
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("th[data-first]")];
  const told = document.getElementById("told");
  const byName = document.getElementById("by-name");
  const byStanding = document.getElementById("by-standing");
  const rows = [...body.rows].map((row, place) => ({
    row,
    place,
    keys: row.dataset.keys.split(" ").map(key => (key === "-" ? null : Number(key))),
    name: row.cells[1].querySelector("bdi").textContent.toLowerCase(),
  }));

  const tell = () => {
    const shown = rows.filter(({ row }) => !row.hidden).length;
    const head = heads.find(each => each.hasAttribute("aria-sort"));
    told.textContent =
      `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown, ` +
      `sorted by ${head.textContent.trim().toLowerCase()}, ${head.getAttribute("aria-sort")}`;
  };

  const sort = (column, up) => {
    const sign = up ? 1 : -1;
    // Who has no figure comes last whichever way; equals stay in the order of the ranking.
    rows.sort(({ keys: a, place: p }, { keys: b, place: q }) => {
      const [x, y] = [a[column], b[column]];
      return (x === null) - (y === null) || sign * (x - y) || p - q;
    });
    body.append(...rows.map(({ row }) => row));
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
    tell();
  };

  const filter = () => {
    const words = byName.value.trim().toLowerCase();
    const standing = byStanding.value;
    for (const { row, name } of rows)
      row.hidden = !name.includes(words) || (standing !== "" && !row.classList.contains(standing));
    tell();
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(column, now ? now === "descending" : head.dataset.first === "up");
    });
    head.append(button);
  });
  byName.addEventListener("input", filter);
  byStanding.addEventListener("input", filter);
  document.querySelector(".tools").hidden = false;
  tell();
})();
