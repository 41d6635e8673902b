// One month of days; those with products can be chosen, and show what became of their scenes.
import { arrows, byId, el, icon } from "/page/dom.js";

const STATES = ["made", "reused", "quarantined"];
const monthName = (month) => new Date(`${month}-01T00:00:00Z`).toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });

export class Calendar {
  constructor(days, onDay) {
    this.onDay = onDay;
    this.day = "";
    this.open = innerWidth > 900;
    arrows(byId("calendar"), ".day");
    this.show(days);
  }

  show(days) {
    this.days = days;
    this.months = [...new Set(Object.keys(days).map((d) => d.slice(0, 7)))].sort();
    this.month ??= this.months.at(-1);
    this.draw();
  }

  choose(day) {
    this.day = this.day === day ? "" : day;
    if (day) this.month = day.slice(0, 7);
    this.draw();
    this.onDay(this.day);
  }

  turn(step) {
    this.month = this.months[this.months.indexOf(this.month) + step];
    this.draw();
  }

  draw() {
    const host = byId("calendar");
    host.hidden = !this.month;
    if (!this.month) return;
    // What is drawn anew keeps the keyboard's place.
    const held = host.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    const at = this.months.indexOf(this.month);
    const [year, month] = this.month.split("-").map(Number);
    const blanks = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
    const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
    host.replaceChildren(
      el("div.bar", {},
        el("button.month", { "data-key": "month", textContent: monthName(this.month), ariaExpanded: String(this.open), title: "Show or hide the days", onclick: () => { this.open = !this.open; this.draw(); } }),
        this.day && el("button.quiet", { "data-key": "all", textContent: "All days", onclick: () => this.choose("") }),
        el("button.quiet", { "data-key": "earlier", ariaLabel: "Earlier month with products", disabled: at <= 0, onclick: () => this.turn(-1) }, icon("M12 5 7 10 12 15")),
        el("button.quiet", { "data-key": "later", ariaLabel: "Later month with products", disabled: at >= this.months.length - 1, onclick: () => this.turn(1) }, icon("M8 5 13 10 8 15"))),
      el("div.grid", { hidden: !this.open },
        [..."MTWTFSS"].map((d) => el("span", { textContent: d, ariaHidden: "true" })),
        Array.from({ length: blanks }, () => el("span")),
        Array.from({ length }, (_, n) => this.cell(`${this.month}-${String(n + 1).padStart(2, "0")}`))));
    if (held) (host.querySelector(`[data-key="${held}"]:not(:disabled)`) ?? host.querySelector(".month")).focus();
  }

  cell(day) {
    const numbers = this.days[day];
    const told = numbers && STATES.filter((s) => numbers[s]).map((s) => `${numbers[s]} ${s}`).join(", ");
    return el("button.day", { "data-key": day, disabled: !numbers, ariaPressed: String(day === this.day), ariaLabel: `${day}: ${told ?? "no products"}`, title: told ?? "", onclick: () => this.choose(day) },
      String(Number(day.slice(8))),
      numbers && el("i", {}, STATES.filter((s) => numbers[s]).map((s) => { const part = el("u", { className: s }); part.style.flexGrow = numbers[s]; return part; })));
  }
}
