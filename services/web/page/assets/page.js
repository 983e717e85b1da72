// The first page: ask and follow the answer, add files and follow them, see the work and the newest documents.
// Text from the server goes into text nodes only, never into markup.
import { follow } from "./events.js";

const t = JSON.parse(document.getElementById("strings").textContent);
const $ = (id) => document.getElementById(id);
const language = document.documentElement.lang;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

async function getJson(url, options) {
  const response = await fetch(url, options);
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.error.message), { status: response.status });
  return body;
}

// -- asking -----------------------------------------------------------------------------------------------------------

const question = $("question");
let reply = null; // what is on the page: {text, citations, ending}
let asking = new AbortController();

function clear(text) {
  asking.abort();
  asking = new AbortController();
  reply = { text: "", citations: new Map(), ending: null, corrected: false };
  $("asked").textContent = text;
  $("verdict").replaceChildren();
  $("lacking").replaceChildren();
  $("reply").hidden = false;
  say(t.step_queued, true);
  showAnswer();
}

function say(text, busy = false) {
  showWaited(null);
  $("step").textContent = text;
  $("step").classList.toggle("busy", busy);
  $("answer").setAttribute("aria-busy", String(busy));
}

// The seconds stand beside the sentence, so that nobody is read a new one every second.
let waiting = 0;

function showWaited(ms) {
  clearInterval(waiting);
  $("waited").hidden = ms === null;
  if (ms === null) return;
  const began = performance.now() - ms;
  const show = () => { $("waited").textContent = filled(t.waited, { s: Math.round((performance.now() - began) / 1000) }); };
  show();
  waiting = setInterval(show, 1000);
}

function showWait(place) {
  const where = place.step === "queued" ? t.step_queued : t.gate_waits;
  const others = Object.entries(place.before ?? {}).map(([name, n]) => filled(t[`before_${name}`] ?? t.before, { n }));
  if (place.serving === false) say(t.nobody_serves, true);
  else say([where, ...others].join(" · "), true);
  showWaited(place.waited_ms ?? 0);
}

function showAnswer() {
  const refused = Boolean(reply.ending?.refused);
  $("answer").classList.toggle("refused", refused);
  $("answer").replaceChildren(...reply.text.split(/(\[\d+\])/).map(citedPart));
  const sources = [...reply.citations.values()].sort((a, b) => a.n - b.n);
  $("sources").hidden = sources.length === 0;
  $("source-list").replaceChildren(...sources.map(source));
}

function citedPart(part) {
  const cited = /^\[\d+\]$/.test(part) && reply.citations.get(Number(part.slice(1, -1)));
  if (!cited) return document.createTextNode(part);
  const link = make("a", { className: "cite", href: placeOf(cited), textContent: part });
  link.setAttribute("aria-label", `${t.source} ${cited.n}: ${cited.title}, ${pageOf(cited)}`);
  return link;
}

const pageOf = (cited) => filled(t.page_n, { n: cited.page });
const placeOf = (cited) => cited.url.replace(/#.*$/, "") + "#quote";

function source(cited) {
  const from = make("p", { className: "from" }, cited.title, make("span", { className: "hint" }, ` · ${pageOf(cited)}`));
  const quote = make("blockquote", {}, cited.quote);
  const link = make("a", { href: placeOf(cited) }, t.open_quote);
  return make("li", {}, make("span", { className: "n" }, `[${cited.n}]`), make("div", {}, from, quote, link));
}

function showVerdict(result) {
  const facts = [
    result.refused ? t.refused : t[result.completeness],
    !result.refused && t[`confidence_${result.confidence}`],
    !result.refused && reply.corrected && t.corrected,
    result.took_ms != null && filled(t.took, { s: (result.took_ms / 1000).toFixed(1) }),
  ];
  $("verdict").replaceChildren(...facts.filter(Boolean).map((fact) => make("span", {}, fact)));
}

// What the words leave open. A refusal names what is missing by itself; what its sentence does not name is told here.
function showLacking(result) {
  const named = (part) => result.refused && result.answer.includes(part.replace(/[.?!。]+$/, ""));
  const parts = (result.missing ?? []).filter((part) => !named(part));
  const facts = [
    result.completeness === "partial" && make("p", {}, t.only_part),
    parts.length > 0 && make("p", { id: "lacking-parts" }, t.lacking),
    parts.length > 0 && make("ul", {}, ...parts.map((part) => make("li", {}, part))),
    !result.refused && result.confidence === "low" && make("p", {}, t.doubtful),
  ].filter(Boolean);
  $("lacking").replaceChildren(...facts);
  $("lacking").querySelector("ul")?.setAttribute("aria-labelledby", "lacking-parts");
}

const told = {
  status: (data) => say(t[`step_${data.step}`] ?? t.step_queued, true),
  token: (data) => { reply.text += data.text; showAnswer(); },
  gate: (data) => (data.state === "waits" ? showWait(data) : say(t[`step_${data.step}`] ?? t.step_queued, true)),
  correction: (data) => { reply.corrected ||= data.text !== reply.text; reply.text = data.text; showAnswer(); },
  citation: (data) => { reply.citations.set(data.n, data); showAnswer(); },
  refusal: (data) => { reply.text = data.message; reply.ending = { refused: true }; showAnswer(); },
  error: (data) => {
    reply.text = t[`ask_${data.code}`] || data.message || t.failed_ask;
    reply.ending = { refused: true };
    showAnswer();
  },
  done: end,
};

function end(result) {
  if (result.answer) reply.text = result.answer;
  reply.ending = { refused: result.refused || !result.answer };
  reply.citations = new Map(result.citations.map((cited) => [cited.n, cited]));
  $("asked").textContent = result.question;
  showAnswer();
  say(result.refused || result.status !== "completed" ? "" : t.done);
  if (result.status !== "completed") return offerAgain(result.question);
  showLacking(result);
  showVerdict(result);
}

function offerAgain(text) {
  const button = make("button", { type: "button", className: "quiet" }, t.ask_again);
  button.addEventListener("click", () => ask(text));
  $("verdict").replaceChildren(button);
}

async function listen(askId, response) {
  history.replaceState(null, "", `/?ask=${askId}`); // so that coming back, or a reload, finds the answer again
  const lost = () => say(t.lost, true);
  await follow(`/api/asks/${askId}/events`, response, (name, data) => told[name]?.(data), lost, asking.signal);
}

async function ask(text) {
  clear(text);
  const body = JSON.stringify({ question: text, stream: true });
  const headers = { "Content-Type": "application/json" };
  try {
    const response = await fetch("/api/search/ask", { method: "POST", headers, body, signal: asking.signal });
    if (!response.ok) throw new Error((await response.json()).error.message);
    await listen(response.headers.get("Location").split("/").pop(), response);
  } catch (error) {
    if (error.name !== "AbortError") {
      told.error({ message: error.message });
      say("");
    }
  }
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (question.value.trim()) ask(question.value.trim());
});
question.addEventListener("keydown", (event) => {
  // While Hangul is being composed, Enter ends the syllable and not the question.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("ask").requestSubmit();
});

async function showFormer(askId) {
  try {
    const former = await getJson(`/api/asks/${askId}`);
    clear(former.question);
    await listen(askId);
  } catch {
    history.replaceState(null, "", "/");
  }
}

// -- documents --------------------------------------------------------------------------------------------------------

const dates = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const sent = new Set(); // numbers of documents that this page has uploaded, and shows by itself
const PAGE = 8;

async function showDocuments() {
  const page = await getJson(`/api/documents?limit=${PAGE}`);
  $("documents").replaceChildren(...page.documents.map(documentLine));
  const arriving = page.arriving.filter((file) => !sent.has(file.document_id));
  $("arriving").replaceChildren(...arriving.map(arrivingLine));
  $("documents-none").hidden = page.documents.length + arriving.length > 0;
  offerMore(page.next);
}

function offerMore(next) {
  $("more").hidden = next === null;
  $("more").onclick = async () => {
    const page = await getJson(`/api/documents?limit=${PAGE}&before=${next}`);
    $("documents").append(...page.documents.map(documentLine));
    offerMore(page.next);
  };
}

function documentLine(row) {
  const pages = row.page_count === 1 ? t.pages_one : filled(t.pages, { n: row.page_count });
  const facts = [pages, row.material_type, row.jurisdiction, dates.format(new Date(row.created_at))];
  const state = row.status === "completed" ? [] : [stateOf(row)];
  const title = make("a", { className: "title", href: `${row.url}/pages/1` }, row.title);
  const spans = facts.filter(Boolean).map((fact) => make("span", {}, fact));
  return make("li", {}, title, make("div", { className: "hint" }, ...spans, ...state));
}

function arrivingLine(file) {
  const details = make("div", { className: "hint" }, stateOf(file));
  if (file.status === "failed" && file.document_id) details.append(retryButton(file.document_id));
  return make("li", {}, make("span", { className: "title" }, file.name), details);
}

function stateText(row) {
  const reason = row.status === "failed" && (t[`code_${row.error_code}`] || row.error_message);
  return reason || t[`state_${row.status}`];
}

const stateOf = (row) => make("span", { className: `state ${row.status}` }, stateText(row));

function retryButton(documentId) {
  const button = make("button", { type: "button", className: "quiet" }, t.retry);
  button.addEventListener("click", async () => {
    button.disabled = true;
    await getJson(`/api/documents/${documentId}/retry`, { method: "POST" }).catch(() => {});
    await showDocuments();
  });
  return button;
}

// -- adding files -----------------------------------------------------------------------------------------------------

const LOOK_MS = 1000;
const limitMib = Number($("files").dataset.maxMib);

function uploadLine(file) {
  const state = make("span", { className: "state" }, t.uploading);
  const bar = make("progress", { max: 1, value: 0, ariaLabel: `${t.uploading}: ${file.name}` });
  const line = make("li", {}, make("span", {}, file.name), " · ", state, bar);
  $("uploads").prepend(line);
  const tell = (text, kind) => { state.textContent = text; state.className = `state ${kind}`; };
  return { bar, tell };
}

async function add(file) {
  const line = uploadLine(file);
  try {
    if (file.size > limitMib * 1024 * 1024) throw new Error(filled(t.too_large, { mib: limitMib }));
    const ticket = await send(file, (share) => { line.bar.value = share; });
    line.bar.remove();
    if (ticket.inbox_id === null) line.tell(t.already, "completed");
    else await track(ticket.document_id, line);
  } catch (error) {
    line.bar.remove();
    line.tell(error.message || t.upload_failed, "failed");
  }
}

function send(file, progress) {
  // fetch() tells nothing of the way up; XMLHttpRequest does.
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file);
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onerror = () => reject(new Error(t.upload_failed));
    request.onload = () => {
      const body = JSON.parse(request.responseText);
      if (request.status < 300) resolve(body);
      else reject(new Error(body.error.message));
    };
    request.open("POST", "/api/documents");
    request.send(form);
  });
}

async function track(documentId, line) {
  sent.add(documentId);
  for (;;) {
    const row = await getJson(`/api/documents/${documentId}`);
    line.tell(stateText(row), row.status);
    if (row.status === "completed" || row.status === "failed") return showDocuments();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function addAll(files) {
  for (const file of files) await add(file); // one after another: the server takes one at a time
}

$("files").addEventListener("change", (event) => {
  addAll([...event.target.files]);
  event.target.value = "";
});
const drop = $("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") addAll([...event.dataTransfer.files]);
  });
}

// -- work -------------------------------------------------------------------------------------------------------------

function showWork(status) {
  const counted = (stage, state) => status.queues.find((row) => row.stage === stage && row.status === state)?.count ?? 0;
  const stages = $("work").dataset.stages.split(" ").filter(Boolean);
  $("work-said").textContent = status.queues.length ? "" : t.work_idle;
  $("work").hidden = false;
  showGate(status.gate);
  $("work").tBodies[0].replaceChildren(...stages.map((stage) => {
    const alive = status.daemons.filter((row) => row.stage === stage).length;
    const cells = [counted(stage, "pending"), counted(stage, "processing")].map(number);
    if (status.queues.some((row) => row.stage === stage && row.late)) cells[0].classList.add("absent");
    const daemons = alive ? number(alive) : make("td", { className: "absent" }, t.absent);
    return make("tr", {}, make("th", { scope: "row" }, t[`stage_${stage}`] ?? stage), ...cells, daemons);
  }));
}

function showGate(gates) {
  $("gate").replaceChildren(...gates.map((gate) => {
    const waiting = Object.values(gate.waiters).reduce((sum, count) => sum + count, 0);
    return make("li", {}, filled(t.gate_line, { endpoint: gate.endpoint, inflight: gate.inflight, waiting }));
  }));
}

const number = (count) => make("td", { className: count ? "" : "zero" }, count.toLocaleString(language));

const work = new EventSource("/api/status/events");
work.addEventListener("status", (event) => {
  showWork(JSON.parse(event.data));
  showDocuments().catch(() => {});
});
work.addEventListener("error", () => { $("work-said").textContent = t.work_away; });
addEventListener("pagehide", () => work.close());
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// -- begin ------------------------------------------------------------------------------------------------------------

const former = new URLSearchParams(location.search).get("ask");
if (former && /^\d+$/.test(former)) showFormer(former);
else question.focus();
