// What every asset says about one place.
import { ask, byId, el, productPath } from "/page/dom.js";
import { degrees } from "/page/graticule.js";

const unit = (text) => (text && text !== "1" ? ` ${text}` : "");

function copied(text) {
  return el("button.copy", { title: "Copy", onclick: async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard.writeText(text);
    button.classList.add("done");
  } }, el("span", { textContent: text }));
}

export async function showPixel(product, lon, lat) {
  const host = byId("pixel");
  const wrapped = ((((lon + 180) % 360) + 360) % 360) - 180;
  const answer = await ask(`${productPath(product.id)}/point?lon=${wrapped}&lat=${lat}`);
  const place = el("h3", { textContent: `${degrees(+lat.toFixed(5), "NS")}, ${degrees(+wrapped.toFixed(5), "EW")}` });
  if (!answer.inside) {
    host.replaceChildren(place, el("p.empty", { textContent: "No pixel of this product is here." }));
    return;
  }
  const probability = answer.readings.find((r) => r.asset.endsWith("_probability"));
  const classes = answer.readings.filter((r) => r.colour || (r.words.length && !r.asset.startsWith("qa")));
  const bits = answer.readings.filter((r) => !classes.includes(r) && !r.unit && r.asset === "qa");
  const values = answer.readings.filter((r) => !classes.includes(r) && !bits.includes(r) && r !== probability);
  const digests = [...new Set(answer.readings.map((r) => r.model).filter(Boolean))];
  host.replaceChildren(
    place,
    ...classes.map((r) => el("div.reading", { "--colour": `#${r.colour}`, "data-asset": r.asset }, el("i"), r.words[0],
      // Two maps may show the same class: each says which it is.
      el("small", { textContent: probability?.asset.startsWith(`${r.asset}_p`) && probability.value !== null ? `${r.title}, ${probability.value} % sure` : r.title }))),
    ...bits.map((r) => el("p.facts", { "data-asset": r.asset }, "Quality: ", (r.words.length ? r.words : ["no flag is set"]).map((w) => el("span", { textContent: w })))),
    ...bits.filter((r) => r.notes.length).map((r) => el("details", {}, el("summary", { textContent: "where the flags come from" }), r.notes.join(" · "))),
    el("table", {}, el("tbody", {}, values.map((r) => el("tr", { "data-asset": r.asset, title: r.title }, el("th", { scope: "row", textContent: r.asset }),
      el("td", { textContent: r.value === null ? "no data" : `${r.value}${unit(r.unit)}` }))))),
    ...digests.map((d) => el("p.facts", {}, el("span", { textContent: `model ${answer.models[d] ?? ""}` }), el("span.mono", { textContent: d.slice(0, 12), title: d }))),
    ...(digests.length ? [copied(`swath models trace ${answer.trace}`)] : []),
  );
}
