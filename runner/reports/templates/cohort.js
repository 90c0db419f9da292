// Sorts and filters the ranking. Everything it knows is in the page already; without it the page says the same.
// Of a long ranking it keeps the first rows in the page and the others at hand, so that sorting takes no time.
(() => {
  "use strict";
  const FIRST = 100;
  const table = document.querySelector("table.ranking");
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("th[data-first]")];
  const told = document.getElementById("told");
  const all = document.getElementById("all");
  const byName = document.getElementById("by-name");
  const byStanding = document.getElementById("by-standing");
  const rows = [...body.rows].map((row, place) => ({
    row,
    place,
    keys: row.dataset.keys.split(" ").map(key => (key === "-" ? null : Number(key))),
    name: row.cells[1].querySelector("bdi").textContent.toLowerCase(),
  }));
  let most = FIRST;

  const tell = (shown, matching) => {
    const head = heads.find(each => each.hasAttribute("aria-sort"));
    const [some, whole, many] = [shown, rows.length, matching].map(number => number.toLocaleString("en"));
    told.textContent =
      `${some} of ${whole} shown, sorted by ${head.textContent.trim().toLowerCase()}, ${head.getAttribute("aria-sort")}`;
    all.textContent = `Show all ${many}`;
    all.hidden = shown === matching;
  };

  const show = () => {
    const words = byName.value.trim().toLowerCase();
    const standing = byStanding.value;
    const matching = rows.filter(
      ({ row, name }) => name.includes(words) && (standing === "" || row.classList.contains(standing)),
    );
    const shown = matching.slice(0, most);
    body.replaceChildren(...shown.map(({ row }) => row));
    tell(shown.length, matching.length);
  };

  const showAll = () => {
    most = Infinity;
    show();
  };

  const sort = (column, up) => {
    const sign = up ? 1 : -1;
    // Who has no figure comes last whichever way; equals stay in the order of the ranking.
    rows.sort(({ keys: a, place: p }, { keys: b, place: q }) => {
      const [x, y] = [a[column], b[column]];
      return (x === null) - (y === null) || sign * (x - y) || p - q;
    });
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", up ? "ascending" : "descending");
    show();
  };

  const reach = id => {
    if (!rows.some(({ row }) => row.id === id && !row.isConnected)) return;
    byName.value = byStanding.value = "";
    showAll();
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
  for (const link of document.querySelectorAll(".concerns a"))
    link.addEventListener("click", () => reach(link.hash.slice(1)));
  byName.addEventListener("input", show);
  byStanding.addEventListener("input", show);
  all.addEventListener("click", () => {
    showAll();
    told.focus();
  });
  addEventListener("beforeprint", showAll);
  document.querySelector(".tools").hidden = false;
  show();
  reach(location.hash.slice(1));
})();
