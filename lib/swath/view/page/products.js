// The list of products, newest first, in pages; scenes in quarantine are in it too.
import { arrows, ask, byId, el } from "/page/dom.js";

const STATES = { made: "made", reused: "reused", quarantined: "quarantined" };
const PAGE = 200;

const moment = (text) => text.slice(11, 16);
export const longDay = (day) => new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

// A message without its scene's name, for where that is said already.
export const reasonOf = ({ scene_id: id, message }) => (message.startsWith(`${id}: `) ? message.slice(id.length + 2) : message);

export class ProductList {
  constructor({ collections, onProduct, onRefused, onFound }) {
    Object.assign(this, { refused: [], onProduct, onRefused, onFound, day: "", words: "", state: "", collection: "", current: "" });
    arrows(byId("list"), ".row");
    byId("search").addEventListener("input", () => { clearTimeout(this.timer); this.timer = setTimeout(() => { this.words = byId("search").value.trim(); this.load(); }, 160); });
    this.chips(byId("states"), Object.keys(STATES), "state", true);
    if (collections.length > 1) this.chips(byId("collections"), collections, "collection", false);
  }

  chips(host, names, field, dots) {
    host.replaceChildren(...names.map((name) => el("button.chip", { ariaPressed: "false", onclick: () => { this[field] = this[field] === name ? "" : name; this.mark(host, this[field]); this.load(); } },
      dots && el("span.dot", { className: name }), name)));
    for (const [n, chip] of [...host.children].entries()) chip.dataset.name = names[n];
  }

  mark(host, chosen) {
    for (const chip of host.children) chip.ariaPressed = String(chip.dataset.name === chosen);
  }

  async load(offset = 0) {
    const asked = new URLSearchParams({ first: this.day, last: this.day, words: this.words, collection: this.collection, offset, limit: PAGE });
    const [held, kept] = [this.state === "quarantined", this.state && this.state !== "quarantined"];
    if (kept) asked.set("state", this.state);
    const request = (this.request = Symbol());
    const answer = held ? { products: [], total: 0 } : await ask(`/api/products?${asked}`);
    if (request !== this.request) return;
    this.products = offset ? [...this.products, ...answer.products] : answer.products;
    const fits = (r) => (!this.day || r.day === this.day) && (!this.words || r.scene_id.toLowerCase().includes(this.words.toLowerCase()));
    this.held = kept || this.collection ? [] : this.refused.filter(fits);
    this.draw(answer.total);
    this.onFound(this.products, this.held);
  }

  draw(total) {
    const entries = [...this.products.map((p) => ({ day: p.day, at: p.datetime, row: this.row(p) })), ...this.held.map((r) => ({ day: r.day, at: r.day, row: this.refusedRow(r) }))];
    entries.sort((a, b) => b.day.localeCompare(a.day) || b.at.localeCompare(a.at));
    const found = [];
    let day = null;
    for (const entry of entries) {
      if (entry.day !== day) found.push(el("h3", { textContent: entry.day ? longDay(entry.day) : "day unknown" }));
      day = entry.day;
      found.push(entry.row);
    }
    const left = total === null ? 0 : total - this.products.length;
    if (left > 0 || (total === null && this.products.length && this.products.length % PAGE === 0)) {
      found.push(el("button.more", { textContent: left > 0 ? `Show more (${left} left)` : "Show more", onclick: () => this.load(this.products.length) }));
    }
    if (!found.length) found.push(el("h3", { textContent: "nothing fits" }));
    const host = byId("list");
    const held = host.contains(document.activeElement) ? document.activeElement : null;
    const at = [...host.querySelectorAll(".row, .more")].indexOf(held);
    host.replaceChildren(...found);
    this.select(this.current);
    // What is drawn anew keeps the keyboard's place; after "Show more" it is the first row that came.
    if (held) (held.dataset.id ? host.querySelector(`[data-id="${CSS.escape(held.dataset.id)}"]`) : host.querySelectorAll(".row")[at])?.focus({ preventScroll: Boolean(held.dataset.id) });
  }

  row(product) {
    const sensor = product.collection.replace(/^[^-]+-/, "");
    return el("button.row", { className: product.state, "data-id": product.id, title: product.id, onclick: () => this.onProduct(product.id) },
      el("i"), el("b", { textContent: sensor }), el("em", { textContent: `${moment(product.datetime)} · ${product.state}` }),
      el("span.id", { textContent: product.id }));
  }

  refusedRow(refused) {
    return el("button.row.quarantined", { "data-id": refused.scene_id, title: refused.scene_id, onclick: () => this.onRefused(refused.scene_id) },
      el("i"), el("b", { textContent: refused.error }), el("em", { textContent: "quarantined" }),
      el("span.id", { textContent: refused.scene_id }), el("span.message", { textContent: reasonOf(refused) }));
  }

  select(id) {
    this.current = id;
    for (const row of byId("list").querySelectorAll(".row")) row.setAttribute("aria-current", String(row.dataset.id === id));
  }

  beside(step) {
    const rows = this.products ?? [];
    const at = rows.findIndex((p) => p.id === this.current);
    return rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.id;
  }
}
