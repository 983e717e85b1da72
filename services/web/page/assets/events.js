// Server-sent events over fetch: unlike EventSource it can begin with a POST, and resume from a number of its own.

const PAUSE_MS = 1000;
const END = "done";
const GONE = 404;

async function* blocks(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    yield* parts;
  }
}

function parse(block) {
  const event = { id: 0, name: "message", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) event.id = Number(line.slice(4));
    else if (line.startsWith("event: ")) event.name = line.slice(7);
    else if (line.startsWith("data: ")) event.data += line.slice(6);
  }
  return event;
}

async function resumed(url, last, signal) {
  const response = await fetch(url, { headers: { "Last-Event-ID": String(last) }, signal });
  if (!response.ok) throw Object.assign(new Error(url), { status: response.status });
  return response;
}

// Calls tell(name, data) for every event until the last one; resumes at `url` when the connection is lost.
export async function follow(url, first, tell, lost, signal) {
  let response = first;
  let last = 0;
  let ended = false; // the rest of the stream is read all the same: a reply that is left unread counts as aborted
  for (;;) {
    try {
      response ??= await resumed(url, last, signal);
      for await (const block of blocks(response)) {
        const event = parse(block);
        if (!event.data) continue; // a heartbeat
        tell(event.name, JSON.parse(event.data));
        last = event.id;
        ended = event.name === END;
      }
    } catch (error) {
      if (error.status === GONE) throw error;
    }
    if (ended || signal.aborted) return;
    response = null;
    lost();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
