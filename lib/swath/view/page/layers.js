// The panel of a product: what it is, which layer is drawn and how, and what it is compared with.
import { arrows, ask, byId, el, productPath, svg } from "/page/dom.js";
import { longDay } from "/page/products.js";

const GROUPS = [
  ["Pictures", (l) => l.kind === "colour" || l.kind === "picture"],
  ["Maps", (l) => l.kind === "classes" || l.kind === "bits" || (l.kind === "numbers" && l.centre_um === null)],
  ["Bands", (l) => l.centre_um !== null],
];
const HEIGHT = 54;

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const name = (layer) => (layer.kind === "numbers" && layer.centre_um !== null ? layer.name : layer.kind === "colour" ? "True colour" : layer.kind === "picture" ? layer.title.split(",")[0] : layer.title);
const short = (value) => Number(value.toPrecision(4));

export class LayerPanel {
  constructor({ ramps, onDraw, onOpacity, onCompare }) {
    Object.assign(this, { ramps, onDraw, onOpacity, onCompare, wanted: "true-colour", opacity: 1, comparing: false });
    this.choices = {};
  }

  show(product, listed) {
    this.product = product;
    this.listed = listed;
    this.choices = {};
    const there = product.layers.some((l) => l.name === this.wanted);
    this.layer = product.layers.find((l) => l.name === (there ? this.wanted : product.layers[0]?.name));
    this.comparing = false;
    this.draw();
    this.change();
  }

  choose(layer) {
    this.layer = layer;
    this.wanted = layer.name;
    this.draw();
    byId("layers").querySelector(`[data-layer="${CSS.escape(layer.name)}"]`)?.focus({ preventScroll: true });
    this.change();
  }

  choice(layer) {
    this.choices[layer.name] ??= { show: new Set(layer.legend.filter((e) => e.shown).map((e) => e.value)), ramp: this.ramps[0], low: null, high: null };
    return this.choices[layer.name];
  }

  address(layer) {
    const choice = this.choice(layer);
    const asked = new URLSearchParams();
    if (layer.kind === "classes" || layer.kind === "bits") asked.set("show", [...choice.show].join(","));
    if (layer.kind === "numbers") {
      asked.set("ramp", choice.ramp);
      if (choice.low !== null) { asked.set("low", choice.low); asked.set("high", choice.high); }
    }
    const text = asked.toString();
    return `${productPath(this.product.id)}/tiles/${layer.name}/{z}/{x}/{y}.png${text ? `?${text}` : ""}`;
  }

  change() {
    if (this.layer) this.onDraw(this.address(this.layer), this.opacity);
    const other = this.comparing && this.product.layers.find((l) => l.name === this.other);
    this.onCompare(other ? this.address(other) : "", other ? name(other) : "", other ? name(this.layer) : "");
  }

  draw() {
    const host = byId("layers");
    host.replaceChildren(...this.head(), ...this.picker(), this.compare());
    this.legend();
  }

  head() {
    const { product, listed } = this;
    const made = listed ? [el("span.badge", {}, el("span.dot", { className: listed.state }), listed.state === "made" ? `made by ${listed.run}` : `reused by ${listed.met_by}, made by ${listed.run}`)] : [];
    const facts = [product.platform, product.datetime?.slice(11, 19) + " UTC", product.cloud_percent === null ? "" : `${product.cloud_percent.toFixed(1)} % cloud as delivered`];
    return [
      el("h2", { textContent: `${capital(product.pipeline || product.collection)}, ${longDay((product.datetime ?? "").slice(0, 10))}` }),
      el("p.facts", {}, facts.filter(Boolean).map((f) => el("span", { textContent: f }))),
      el("p.facts.mono", { textContent: product.id }),
      el("p.facts", {}, made),
      el("p.links", {}, Object.entries(product.links).map(([kind, href]) => el("a", { href, target: "_blank", rel: "noopener", textContent: capital(kind) }))),
      ...Object.entries(product.left_out).map(([layer, why]) => el("details", {}, el("summary", { textContent: `without ${layer}` }), why)),
    ];
  }

  picker() {
    return GROUPS.flatMap(([title, takes]) => {
      const layers = this.product.layers.filter(takes);
      const chips = el("div.chips", { role: "radiogroup", ariaLabel: title }, layers.map((layer) => el("button.chip", { role: "radio", ariaChecked: String(layer === this.layer), tabIndex: layer === this.layer || (!layers.includes(this.layer) && layer === layers[0]) ? 0 : -1, "data-layer": layer.name, title: layer.title, textContent: name(layer), onclick: () => this.choose(layer) })));
      arrows(chips);
      const legend = layers.includes(this.layer) && el("div", { id: "legend" });
      return layers.length ? [el("section.group", {}, el("h3", { textContent: title }), chips, legend)] : [];
    });
  }

  compare() {
    const others = this.product.layers.filter((l) => l !== this.layer);
    const own = el("input", { type: "range", id: "opacity", min: 0, max: 100, value: 100 * this.opacity, oninput: (e) => { this.opacity = e.target.value / 100; this.onOpacity(this.opacity); } });
    const parts = [el("button.switch", { id: "compare", role: "switch", ariaChecked: String(this.comparing), textContent: "Compare with another layer", onclick: () => this.toggle() })];
    if (this.comparing) {
      parts.push(el("div.field", {}, el("label", { htmlFor: "other", textContent: "Left side" }),
        el("select", { id: "other", onchange: (e) => { this.other = e.target.value; this.change(); } }, others.map((l) => el("option", { value: l.name, textContent: l.kind === "numbers" ? l.title : l.title.split(", overview")[0], selected: l.name === this.other })))));
    }
    return el("section.group", {}, ...parts, el("div.field", {}, el("label", { htmlFor: "opacity", textContent: "Opacity" }), own));
  }

  // Before and after the correction are drawn in one stretch, so they are what is compared first.
  toggle() {
    const has = (n) => this.product.layers.find((l) => l.name === n);
    this.comparing = !this.comparing;
    if (this.comparing && this.layer.kind === "colour" && has("before")) {
      this.layer = has("thumbnail");
      this.other = "before";
    } else if (this.comparing) this.other = has("true-colour") && this.layer.name !== "true-colour" ? "true-colour" : this.product.layers.find((l) => l !== this.layer)?.name;
    this.draw();
    byId("compare").focus();
    this.change();
  }

  async legend() {
    const { layer } = this;
    const host = byId("legend");
    host.hidden = !layer || layer.kind === "colour" || layer.kind === "picture";
    if (host.hidden) return;
    host.append(el("h3", { textContent: layer.title + (layer.unit && layer.unit !== "1" ? ` [${layer.unit}]` : "") }));
    if (layer.kind === "numbers") await this.stretch(host, layer);
    else host.append(this.entries(layer));
    host.scrollIntoView({ block: "nearest" });
  }

  entries(layer) {
    const { show } = this.choice(layer);
    const host = el("div.legend", { role: "group", ariaLabel: `What ${layer.title} shows` });
    host.append(...layer.legend.map((entry) => el("button", { role: "checkbox", ariaChecked: String(show.has(entry.value)), "--colour": `#${entry.colour}`, "data-value": entry.value, onclick: (event) => {
      if (!show.delete(entry.value)) show.add(entry.value);
      event.currentTarget.ariaChecked = String(show.has(entry.value));
      this.change();
    } }, el("i"), el("span", { textContent: entry.title }), el("small", { textContent: entry.percent === null ? "" : `${entry.percent.toFixed(1)} %` }))));
    arrows(host);
    return host;
  }

  async stretch(host, layer) {
    const range = await ask(`${productPath(this.product.id)}/range/${layer.name}`);
    if (layer !== this.layer) return;
    const choice = this.choice(layer);
    choice.low ??= short(range.low);
    choice.high ??= short(range.high);
    const bars = this.histogram(range, choice);
    const field = (end, text) => el("label", { textContent: text }, el("input", { type: "number", step: "any", value: choice[end], onchange: (event) => {
      choice[end] = event.target.valueAsNumber;
      if (!Number.isFinite(choice[end])) { choice[end] = short(range[end]); event.target.value = choice[end]; }
      bars.replaceWith((host.querySelector(".histogram") ?? bars));
      host.querySelector(".histogram").replaceWith(this.histogram(range, choice));
      this.change();
    } }));
    const ramps = el("div.ramps", { role: "radiogroup", ariaLabel: "Colours" }, this.ramps.map((ramp) => el("button", { className: ramp, role: "radio", ariaChecked: String(ramp === choice.ramp), ariaLabel: ramp, onclick: (event) => {
      choice.ramp = ramp;
      for (const one of ramps.children) one.ariaChecked = String(one === event.currentTarget);
      this.change();
    } })));
    arrows(ramps);
    host.append(bars, el("div.two", {}, field("low", "Darkest at"), field("high", "Brightest at")), ramps);
  }

  histogram(range, choice) {
    const most = Math.max(1, ...range.bins.map(Math.sqrt));
    const step = (range.last - range.first) / Math.max(range.bins.length, 1);
    const bars = range.bins.map((number, n) => {
      const height = Math.max(1, (HEIGHT * Math.sqrt(number)) / most);
      const middle = range.first + (n + 0.5) * step;
      return svg("rect", { x: n * 4, y: HEIGHT - height, width: 3, height, class: middle >= choice.low && middle <= choice.high ? "in" : "" });
    });
    return svg("svg", { class: "histogram", viewBox: `0 0 ${range.bins.length * 4} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `Values from ${short(range.first)} to ${short(range.last)}` }, ...bars);
  }
}
