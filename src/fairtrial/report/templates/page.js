// Puts an interactive chart in the place of each static drawing as it comes into view.
const { specs, tables, charts } = JSON.parse(document.getElementById("charts").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

function rows(part) {
  const columns = Object.entries(tables[part.table]);
  const count = columns.length ? columns[0][1].length : 0;
  return Array.from({ length: count }, (_, row) => {
    const one = { ...part.shared };
    for (const [name, values] of columns) one[name] = values[row];
    return one;
  });
}

function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    labelColor: colour("--soft"), titleColor: colour("--soft"), titleFontWeight: 400, titleFontSize: 12,
    labelFontSize: 11, gridColor: colour("--line"), domainColor: colour("--line"), tickColor: colour("--line"),
  };
  return {
    accent: colour("--variant"), second: colour("--baseline"), muted: colour("--muted"), soft: colour("--soft"),
    config: {
      background: null, font: "system-ui, sans-serif", view: { stroke: null }, axis,
      range: { category: [colour("--variant"), colour("--baseline")] },
      mark: { color: colour("--ink"), tooltip: null }, rule: { color: colour("--ink") },
      line: { color: colour("--muted") }, text: { color: colour("--ink"), fontSize: 11 },
    },
  };
}

async function draw(place) {
  const chart = charts[Number(place.id.slice("chart-".length))];
  const { accent, second, muted, soft, config } = theme();
  const spec = structuredClone(specs[chart.spec]);
  const hidden = drawn.get(place)?.hidden ?? [];
  const values = { accent, second, muted, soft, hidden };
  for (const param of spec.params) if (param.name in values) param.value = values[param.name];
  spec.autosize = { type: "fit", contains: "padding" };
  spec.datasets = {};
  for (const [name, parts] of Object.entries(chart.data)) spec.datasets[name] = parts.flatMap(rows);
  const fallback = drawn.get(place)?.fallback ?? place.firstElementChild;
  const box = document.createElement("div");
  box.className = "vega-box";
  // On a narrow screen the drawing shrinks with its letters; here they keep their size and need its height.
  const least = Math.max(0.9 * (fallback.viewBox?.baseVal.height ?? 0), 130);
  box.style.height = `${Math.max(fallback.getBoundingClientRect().height, drawn.get(place)?.height ?? 0, least)}px`;
  const height = parseFloat(box.style.height);
  drawn.get(place)?.view?.finalize();
  place.replaceChildren(box);
  try {
    const { view } = await window.fairtrialEmbed(box, spec, {
      ast: true, actions: false, renderer: "svg", defaultStyle: false, config,
      tooltip: { disableDefaultStyle: true, theme: "page" },
    });
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", place.dataset.label);
    box.querySelector("svg")?.setAttribute("aria-hidden", "true");
    place.dataset.drawn = "yes";
    drawn.set(place, { view, hidden, fallback, height });
  } catch (error) {
    place.replaceChildren(fallback);
    console.error(error);
  }
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) {
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }
}, { rootMargin: "400px" });

for (const place of document.querySelectorAll(".plot-place")) seen.observe(place);

for (const group of document.querySelectorAll(".toggles")) {
  group.hidden = false;
  group.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    const place = group.closest("figure").querySelector(".plot-place");
    const off = [...group.querySelectorAll("button[aria-pressed=false]")].map((one) => one.dataset.key);
    if (!drawn.has(place)) await draw(place);
    const state = drawn.get(place);
    if (!state) return;
    state.hidden = off;
    state.view.signal("hidden", off);
    await state.view.runAsync();
  });
}
document.documentElement.classList.add("scripted");

dark.addEventListener("change", () => { for (const place of drawn.keys()) draw(place); });

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  for (const { view } of drawn.values()) view.resize().runAsync();
});

function open() {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  const details = target?.closest("details");
  if (details && !details.open) {
    details.open = true;
    target.scrollIntoView();
  }
}
addEventListener("hashchange", open);
open();
