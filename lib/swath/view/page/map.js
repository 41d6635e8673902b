// The map: footprints and a graticule on plain ground, the chosen layer above them, a second map for what is compared.
import * as maplibre from "/page/vendor/maplibre-gl.mjs";
import { byId } from "/page/dom.js";
import { drawGraticule, graticule } from "/page/graticule.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const COLOURS = ["made", "reused", "quarantined"];

export class MapView {
  constructor({ baseMap, onPixel, onRefused }) {
    this.baseMap = baseMap;
    this.onPixel = onPixel;
    this.shown = {};
    this.map = this.make("map");
    this.map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new maplibre.ScaleControl({ maxWidth: 90 }), "bottom-right");
    this.map.on("move", () => drawGraticule(this.map));
    this.map.on("moveend", () => this.map.getSource("graticule")?.setData(graticule(this.map)));
    this.map.on("click", (event) => {
      const [refused] = this.map.getLayer("refused-fill") ? this.map.queryRenderedFeatures(event.point, { layers: ["refused-fill"] }) : [];
      if (refused && !this.selected) onRefused(refused.properties.id);
      else this.read(event.lngLat);
    });
    this.map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.read(this.map.getCenter());
    });
    const busy = byId("busy");
    this.map.on("dataloading", (event) => { if (event.sourceId === "layer") busy.textContent = "reading pixels"; });
    this.map.on("idle", () => { busy.textContent = ""; document.body.dataset.idle = "yes"; });
    this.map.on("movestart", () => delete document.body.dataset.idle);
    this.ready = new Promise((resolve) => this.map.once("load", resolve));
  }

  make(container) {
    const map = new maplibre.Map({
      container, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, center: [0, 20], zoom: 1,
      fadeDuration: 120, style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": this.colour("sea") } }] },
    });
    map.touchZoomRotate.disableRotation();
    map.once("load", () => this.furnish(map));
    return map;
  }

  colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  furnish(map) {
    if (this.baseMap) {
      map.addSource("base", { type: "raster", tiles: [this.baseMap], tileSize: 256 });
      map.addLayer({ id: "base", type: "raster", source: "base" });
    }
    for (const id of ["graticule", "footprints", "outline", "pixel"]) map.addSource(id, { type: "geojson", data: EMPTY });
    map.addLayer({ id: "graticule", type: "line", source: "graticule", paint: { "line-width": 0.7 } });
    map.addLayer({ id: "fill", type: "fill", source: "footprints", filter: ["!=", ["get", "state"], "quarantined"], paint: { "fill-opacity": 0.07 } });
    map.addLayer({ id: "refused-fill", type: "fill", source: "footprints", filter: ["==", ["get", "state"], "quarantined"], paint: { "fill-opacity": 0.12 } });
    map.addLayer({ id: "edge", type: "line", source: "footprints", filter: ["!=", ["get", "state"], "quarantined"], paint: { "line-width": 1.4 } });
    map.addLayer({ id: "refused-edge", type: "line", source: "footprints", filter: ["==", ["get", "state"], "quarantined"], paint: { "line-width": 1.6, "line-dasharray": [3, 2] } });
    map.addLayer({ id: "outline", type: "line", source: "outline", paint: { "line-width": 2 } });
    map.addLayer({ id: "pixel", type: "circle", source: "pixel", paint: { "circle-radius": 6, "circle-opacity": 0, "circle-stroke-width": 2.5, "circle-stroke-color": "#fff" } });
    map.addLayer({ id: "pixel-ring", type: "circle", source: "pixel", paint: { "circle-radius": 8, "circle-opacity": 0, "circle-stroke-width": 1.5, "circle-stroke-color": "#1b1f24" } });
    this.paint(map);
  }

  paint(map) {
    const states = ["match", ["get", "state"], ...COLOURS.flatMap((s) => [s, this.colour(s)]), this.colour("soft")];
    map.setPaintProperty("ground", "background-color", this.colour("sea"));
    map.setPaintProperty("graticule", "line-color", this.colour("line"));
    for (const id of ["fill", "refused-fill"]) map.setPaintProperty(id, "fill-color", states);
    for (const id of ["edge", "refused-edge"]) map.setPaintProperty(id, "line-color", states);
    map.setPaintProperty("outline", "line-color", this.colour("ink"));
  }

  repaint() {
    for (const map of [this.map, this.beforeMap]) if (map?.getLayer("edge")) this.paint(map);
  }

  footprints(products, refused) {
    const box = ([w, s, e, n]) => ({ type: "Polygon", coordinates: [[[w, s], [e, s], [e, n], [w, n], [w, s]]] });
    const made = products.filter((p) => p.bbox.length === 4).map((p) => ({ type: "Feature", properties: { id: p.id, state: p.state }, geometry: box(p.bbox) }));
    const held = refused.filter((r) => r.bbox.length === 4).map((r) => ({ type: "Feature", properties: { id: r.scene_id, state: "quarantined" }, geometry: box(r.bbox) }));
    this.map.getSource("footprints").setData({ type: "FeatureCollection", features: [...held, ...made] });
  }

  show(product, address, opacity = 1) {
    this.selected = product;
    this.put(this.map, product, address, opacity);
    // Under a picture the ground stays plain; footprints alone are tinted.
    this.map.setPaintProperty("fill", "fill-opacity", product ? 0 : 0.07);
    this.map.setPaintProperty("refused-fill", "fill-opacity", product ? 0 : 0.12);
    this.map.getSource("outline").setData(product ? { type: "Feature", properties: {}, geometry: product.geometry } : EMPTY);
  }

  put(map, product, address, opacity) {
    const tiles = address ? [new URL(address, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}")] : [];
    const source = map.getSource("layer");
    delete document.body.dataset.idle;
    if (!address) {
      if (map.getLayer("layer")) map.removeLayer("layer");
      if (source) map.removeSource("layer");
    } else if (source && source.product === product.id) source.setTiles(tiles);
    else {
      this.put(map, null, "", 1);
      map.addSource("layer", { type: "raster", tiles, tileSize: 256, bounds: product.bbox, maxzoom: 18 });
      map.getSource("layer").product = product.id;
      map.addLayer({ id: "layer", type: "raster", source: "layer", paint: { "raster-resampling": "nearest" } }, "outline");
    }
    if (map.getLayer("layer")) map.setPaintProperty("layer", "raster-opacity", opacity);
  }

  opacity(value) {
    if (this.map.getLayer("layer")) this.map.setPaintProperty("layer", "raster-opacity", value);
  }

  fit(bbox, animate = true) {
    const [w, s, e, n] = bbox;
    this.map.fitBounds([[w, s], [e, n]], { padding: 36, duration: animate ? 500 : 0, maxZoom: 15 });
  }

  read(place) {
    this.mark(place);
    this.onPixel(place.lng, place.lat);
  }

  mark(place) {
    const point = place && { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [place.lng, place.lat] } };
    this.map.getSource("pixel").setData(point || EMPTY);
  }

  tell(place, children) {
    this.popup?.remove();
    this.popup = new maplibre.Popup({ maxWidth: "340px" }).setLngLat(place).setDOMContent(children).addTo(this.map);
  }

  // A second map above the first shows the other layer left of the line.
  async compare(product, address) {
    byId("before").hidden = !address;
    if (!address) return;
    if (!this.beforeMap) {
      this.beforeMap = this.make("before");
      this.map.on("move", () => this.follow());
      await new Promise((resolve) => this.beforeMap.once("load", resolve));
    }
    this.beforeMap.resize();
    this.follow();
    this.put(this.beforeMap, product, address, 1);
  }

  follow() {
    if (byId("before").hidden) return;
    this.beforeMap.jumpTo({ center: this.map.getCenter(), zoom: this.map.getZoom() });
  }
}
