// Wires the panels to the map.
import { ask, byId, el, productPath } from "/page/dom.js";
import { Calendar } from "/page/calendar.js";
import { LayerPanel } from "/page/layers.js";
import { MapView } from "/page/map.js";
import { showPixel } from "/page/pixel.js";
import { ProductList, reasonOf } from "/page/products.js";
import { swipe } from "/page/swipe.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => localStorage.getItem("swath-theme") ?? (dark.matches ? "dark" : "light");
document.documentElement.dataset.theme = theme();

function panel(name) {
  document.body.dataset.panel = name;
  for (const tab of byId("tabs").children) tab.setAttribute("aria-current", String(tab.dataset.panel === name));
}

function failed(error) {
  byId("busy").textContent = String(error.message ?? error);
}

async function start() {
  const output = await ask("/api/output");
  let refused = [];
  document.title = `${output.title} · swath view`;
  const about = `${output.title} · ${output.products ?? "many"} products`;
  byId("output").textContent = about;
  const view = new MapView({
    baseMap: output.base_map,
    onPixel: (lon, lat) => { if (current) { panel("pixel"); showPixel(current, lon, lat).catch(failed); } },
    onRefused: (id) => tellRefused(id),
  });
  let current = null;
  const layers = new LayerPanel({
    ramps: output.ramps,
    onDraw: (address, opacity) => view.show(current, address, opacity),
    onOpacity: (opacity) => view.opacity(opacity),
    onCompare: (address, left, right) => { swipe(left, right); view.compare(current, address).catch(failed); },
  });

  const hint = byId("pixel").firstElementChild;
  function clearPixel() {
    view.mark(null);
    byId("pixel").replaceChildren(hint);
  }

  async function choose(id, { fit = true, turn = true } = {}) {
    delete document.body.dataset.idle;
    const product = await ask(productPath(id));
    current = product;
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
    list.select(id);
    view.popup?.remove();
    clearPixel();
    if (fit) view.fit(product.bbox);
    layers.show(product, list.products.find((p) => p.id === id));
    if (turn) panel("layers");
  }

  function tellRefused(id) {
    const scene = refused.find((r) => r.scene_id === id);
    if (current) swipe("");
    current = null;
    view.show(null, "");
    view.compare(null, "");
    clearPixel();
    list.select(id);
    byId("layers").replaceChildren(
      el("h2", { textContent: `In quarantine: ${scene.error}` }), el("p.facts.mono", { textContent: scene.scene_id }), el("p", { textContent: reasonOf(scene) }),
      el("p.facts", {}, [`pipeline ${scene.pipeline}`, `stage ${scene.stage}`, `run ${scene.run_id}`].map((t) => el("span", { textContent: t }))),
      el("p.facts", { textContent: scene.bbox.length ? "Drawn where another scene of its tile is." : "Its place is not known." }),
      el("p.facts.mono", { textContent: `swath retry ${output.title} --error ${scene.error}` }));
    panel("layers");
    if (!scene.bbox.length) return;
    const [w, s, e, n] = scene.bbox;
    view.fit(scene.bbox, false);
    view.tell([(w + e) / 2, s + 0.62 * (n - s)], el("div", {}, el("b", { textContent: `${scene.error}: ` }), reasonOf(scene)));
  }

  const list = new ProductList({
    collections: output.collections,
    onProduct: (id) => choose(id).catch(failed), onRefused: tellRefused,
    onFound: (products, held) => view.footprints(products, held),
  });
  const calendar = new Calendar(output.days, (day) => { list.day = day; list.load().catch(failed); });

  // Escape takes back what was opened last: a message, the comparison, the pixel.
  function escape() {
    if (view.popup?.isOpen()) view.popup.remove();
    else if (current && layers.comparing) layers.toggle();
    else if (current) clearPixel();
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") escape();
    if (event.key === "/") { event.preventDefault(); panel("products"); byId("search").focus(); }
    if (event.key === "c" && current) layers.toggle();
    if ((event.key === "n" || event.key === "p") && list.products?.length) choose(list.beside(event.key === "n" ? 1 : -1), { turn: false }).catch(failed);
  });
  const repaint = () => { document.documentElement.dataset.theme = theme(); view.repaint(); };
  dark.addEventListener("change", repaint);
  byId("theme").addEventListener("click", () => { localStorage.setItem("swath-theme", theme() === "dark" ? "light" : "dark"); repaint(); });

  await view.ready;
  await list.load();
  const asked = decodeURIComponent(location.hash.slice(1));
  const first = list.products.some((p) => p.id === asked) ? asked : list.products[0]?.id;
  if (first) {
    view.fit(list.products.find((p) => p.id === first).bbox, false);
    await choose(first, { fit: false, turn: innerWidth > 900 });
  }
  // What is in quarantine takes longer to find out than what was made; the first map does not wait for it.
  refused = await ask("/api/quarantine");
  if (refused.length) {
    byId("output").textContent = `${about}, ${refused.length} in quarantine`;
    for (const r of refused) if (r.day) (output.days[r.day] ??= {}).quarantined = (output.days[r.day].quarantined ?? 0) + 1;
    calendar.show(output.days);
    list.refused = refused;
    await list.load();
  }
  document.body.dataset.ready = "yes";
}

for (const tab of byId("tabs").children) tab.addEventListener("click", () => panel(tab.dataset.panel));
panel("products");
start().catch(failed);
