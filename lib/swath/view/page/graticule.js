// Lines of longitude and latitude with their degrees at the edge of the map: the only ground that needs no server.
import { byId, el } from "/page/dom.js";

const STEPS = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];

function lines(map) {
  const bounds = map.getBounds();
  const [w, e] = [bounds.getWest(), bounds.getEast()];
  const [s, n] = [Math.max(bounds.getSouth(), -85), Math.min(bounds.getNorth(), 85)];
  const step = STEPS.find((candidate) => (e - w) / candidate >= 4) ?? STEPS.at(-1);
  const between = (from, to) => {
    const found = [];
    for (let k = Math.ceil(from / step); k * step <= to; k += 1) found.push(+(k * step).toFixed(4));
    return found;
  };
  return { w, e, s, n, step, lons: between(w, e), lats: between(s, n) };
}

export function graticule(map) {
  const { w, e, s, n, lons, lats } = lines(map);
  const reach = (e - w) / 2;
  const features = [
    ...lons.map((x) => [[x, Math.max(s - reach, -85)], [x, Math.min(n + reach, 85)]]),
    ...lats.map((y) => [[w - reach, y], [e + reach, y]]),
  ].map((coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } }));
  return { type: "FeatureCollection", features };
}

export function degrees(value, [positive, negative]) {
  const wrapped = positive === "E" ? ((((value + 180) % 360) + 360) % 360) - 180 : value;
  return `${Math.abs(wrapped).toFixed(4).replace(/\.?0+$/, "")}° ${wrapped < 0 ? negative : positive}`;
}

export function drawGraticule(map) {
  const { lons, lats } = lines(map);
  const { clientWidth: width, clientHeight: height } = map.getContainer();
  const labels = [
    ...lons.map((x) => ["lon", degrees(x, "EW"), map.project([x, map.getCenter().lat]).x, width]),
    ...lats.map((y) => ["lat", degrees(y, "NS"), map.project([map.getCenter().lng, y]).y, height]),
  ];
  byId("degrees").replaceChildren(
    ...labels.filter(([, , at, end]) => at > 44 && at < end - 44).map(([kind, text, at]) => {
      const label = el("span", { textContent: text, className: kind });
      label.style[kind === "lon" ? "left" : "top"] = `${at}px`;
      return label;
    }),
  );
}
