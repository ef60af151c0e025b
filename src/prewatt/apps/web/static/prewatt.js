// Keeps a page of Prewatt up to date: looks about twice a second, places the texts and looks that the server made, and
// posts the page's own forms. It formats nothing but the local time. Without it every page still sells.

const LOOK_MS = 500;
const LOOK_MANY_MS = 1000; // beyond 64 meters
const MANY = 64;
const RETRY_MAX_MS = 5000;
const ANSWER_WITHIN_MS = 8000;
const SEEN_MAX = 12;
const SEEN = ["state", "light", "buzzing", "notice", "price", "table"];

const main = document.querySelector("main[data-poll]");
const line = document.querySelector("[data-line]");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const roots = new Map();
let acts = 0; // answers to what this page asked; an older look must not undo what they showed
let round = 0; // the look that may go on; one at a time
let wait = LOOK_MS;
let world = { now: Number(main.dataset.now), speed: Number(main.dataset.speed), at: performance.now(), runs: false };

for (const root of document.querySelectorAll("[data-meter]")) {
  const shows = [...root.querySelectorAll("[data-show]")].map((node) => [node.dataset.show, node]);
  const find = (what) => root.querySelector(what);
  roots.set(root.dataset.meter, {
    root, shows, lcd: find("[data-lcd]"), bar: find("[data-bar]"), result: find("[data-result]"), seen: find("[data-seen]"),
  });
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// ---- the world's clock

const local = new Intl.DateTimeFormat(undefined, {
  weekday: "short", year: "numeric", month: "short", day: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
const clock = Object.fromEntries([...document.querySelectorAll("[data-clock]")].map((node) => [node.dataset.clock, node]));

function nowS() {
  return Math.floor(world.now + (world.runs ? ((performance.now() - world.at) / 1000) * world.speed : 0));
}

function tick() {
  const moment = new Date(nowS() * 1000);
  put(clock.local, local.format(moment));
  put(clock.utc, moment.toISOString().slice(0, 19).replace("T", " "));
}

function setClock(given) {
  // The look took a while to come; a clock that stepped back by it would look broken.
  const now = given.speed === world.speed && world.runs ? Math.max(given.now_s, Math.min(nowS(), given.now_s + given.speed)) : given.now_s;
  world = { now, speed: given.speed, at: performance.now(), runs: !calm.matches };
  put(clock.pace, given.pace);
  clock.utc.dateTime = given.utc.replace(" ", "T") + "Z";
  for (const button of document.querySelectorAll(".speed button")) {
    button.setAttribute("aria-pressed", String(Number(button.value) === given.speed));
  }
  tick();
}

clock.local.hidden = false;
tick();
setInterval(() => world.runs && tick(), 100);

// ---- showing what a look brought

function showSale(result, sale) {
  if (!sale || result.dataset.result === "wrong") return;
  result.dataset.result = sale.state;
  put(result.querySelector("[data-sale=text]"), sale.text);
  put(result.querySelector("[data-sale=order]"), sale.order);
}

function showWrong(form, text) {
  const result = form.querySelector("[data-result]");
  result.dataset.result = "wrong";
  put(result.querySelector("[data-sale=text]"), text);
  put(result.querySelector("[data-sale=order]"), "");
  form.elements.amount.setAttribute("aria-invalid", "true");
}

function showMeter(meter) {
  const { root, shows, lcd, bar, result, seen } = roots.get(meter.id);
  for (const [name, node] of shows) {
    const text = meter.text[name];
    if (node.textContent === text) continue;
    if (seen && SEEN.includes(name)) note(seen, name, text);
    node.textContent = text;
  }
  for (const [name, look] of Object.entries(meter.looks)) {
    if (root.dataset[name] !== look) root.dataset[name] = look;
  }
  if (lcd.textContent !== meter.lcd) {
    lcd.textContent = meter.lcd;
    lcd.setAttribute("aria-label", `Display of meter ${meter.id}: ${meter.lcd}`);
  }
  bar.setAttribute("width", meter.bar_percent);
  showSale(result, meter.sale);
}

function note(seen, name, text) {
  if (!text) return;
  const entry = document.createElement("li");
  const when = document.createElement("time");
  when.textContent = clock.utc.textContent.slice(5, 16);
  entry.append(when, ` ${name}: ${text}`);
  const list = seen.querySelector("ol");
  list.prepend(entry);
  while (list.children.length > SEEN_MAX) list.lastChild.remove();
  seen.hidden = false;
}

function show(state) {
  setClock(state.clock);
  for (const node of document.querySelectorAll("[data-sum]")) put(node, state.sum[node.dataset.sum]);
  const same = state.meters.length === roots.size && state.meters.every((meter) => roots.has(meter.id));
  if (same) state.meters.forEach(showMeter);
  // Meters came or went: load anew, but never under somebody's hands.
  else if (![...document.querySelectorAll("input.amount")].some((input) => input.value)) location.reload();
  else say("changed", "meters came or went; reload the page to see them");
}

// ---- looking

function say(state, text) {
  document.body.dataset.line = state;
  put(line, text);
}

async function look(mine) {
  const before = acts;
  try {
    const answer = await ask(main.dataset.poll);
    if (mine !== round) return;
    if (answer.status === 401) {
      stop("ended", "prewatt was started anew; open the address that it printed last");
      return;
    }
    if (!answer.ok) throw new Error(answer.status);
    const state = await answer.json();
    if (mine !== round) return;
    wait = roots.size > MANY ? LOOK_MANY_MS : LOOK_MS;
    say("live", "live");
    if (before === acts) show(state);
  } catch {
    if (mine !== round) return;
    world = { ...world, now: nowS(), runs: false };
    say("lost", "connection lost, trying again; what you see is old");
    wait = Math.min(wait * 1.5, RETRY_MAX_MS);
  }
  setTimeout(() => mine === round && look(mine), wait);
}

function stop(state, text) {
  round += 1;
  world = { ...world, now: nowS(), runs: false };
  say(state, text);
}

function begin() {
  wait = LOOK_MS;
  round += 1;
  look(round);
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop("paused", "paused") : begin()));
addEventListener("online", () => document.hidden || begin());

// ---- asking

function ask(url, fields) {
  const how = { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
  return fetch(url, fields ? { ...how, method: "POST", body: fields } : how);
}

async function post(form, fields) {
  const answer = await ask(form.action, fields);
  const content = await answer.json();
  acts += 1;
  if (!answer.ok) throw new Refused(content.error?.text ?? `refused with status ${answer.status}`, content.error?.field);
  return content;
}

class Refused extends Error {
  constructor(text, field) {
    super(text);
    this.field = field;
  }
}

function newOrder() {
  return "P-" + [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sell(form, fields) {
  if (form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  const { amount, order } = form.elements;
  try {
    const answer = await post(form, fields);
    const result = form.querySelector("[data-result]");
    result.dataset.result = "none";
    showSale(result, answer.sale);
    amount.removeAttribute("aria-invalid");
    amount.value = "";
    order.value = answer.order;
  } catch (error) {
    // The order stays until an answer came, so that a second press cannot sell twice.
    const unsure = "No answer came. Press again: the same form never sells twice.";
    showWrong(form, error instanceof Refused ? error.message : unsure);
    // An earlier press did sell, another amount: the next press is another sale.
    if (error.field === "order") order.value = newOrder();
  } finally {
    form.removeAttribute("aria-busy");
  }
}

let pressed = "";
let pressing = false;

async function press(form, fields) {
  pressed += fields.get("keys");
  if (pressing) return;
  pressing = true;
  try {
    while (pressed) {
      const keys = pressed.slice(0, 64);
      pressed = pressed.slice(64);
      const state = await post(form, new URLSearchParams({ keys }));
      state.meters.forEach(showMeter);
    }
  } catch (error) {
    pressed = "";
    put(document.querySelector("[data-show=notice]"), error instanceof Refused ? error.message : "The key did not reach the meter.");
  } finally {
    pressing = false;
  }
}

async function setSpeed(form, fields) {
  try {
    setClock((await post(form, fields)).clock);
  } catch (error) {
    put(clock.pace, error instanceof Refused ? error.message : "not changed: no answer");
  }
}

const does = { sell, keys: press, speed: setSpeed };
for (const form of document.querySelectorAll("form[data-act]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form));
    if (event.submitter?.name) fields.set(event.submitter.name, event.submitter.value);
    does[form.dataset.act](form, fields);
  });
}

document.addEventListener("input", (event) => {
  const result = event.target.form?.querySelector("[data-result=wrong]");
  if (!result) return;
  event.target.removeAttribute("aria-invalid");
  result.dataset.result = "none";
  put(result.querySelector("[data-sale=text]"), "");
});

document.querySelector(".keys")?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9*#a-d]$/i.test(event.key)) return;
  event.preventDefault();
  press(event.currentTarget, new URLSearchParams({ keys: event.key.toUpperCase() }));
});

if (document.hidden) stop("paused", "paused");
else begin();
