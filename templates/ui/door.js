// The door to the server: the token, questions, commands, and the stream of what happens.
const KEY = "dusty-token";
if (location.hash.length > 1) {
  sessionStorage.setItem(KEY, location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}
const headers = () => ({ "X-Dusty-Token": sessionStorage.getItem(KEY) || "" });

export async function ask(path) {
  const answer = await fetch(path, { headers: headers() });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { ...headers(), "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim());
}

export const run = (action, names, world) => post("/api/run", { action, names, world });
export const showWorld = (world) => post("/api/world", { world });
export const cancel = () => post("/api/cancel", {});

// Calls heard with each batch, and away with a text while there is no connection. Not EventSource: that cannot send a header.
export async function listen(heard, away) {
  for (;;) {
    try {
      const answer = await fetch("/api/events", { headers: headers() });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      heard(null);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error("the server has stopped: run dusty ui again");
        text += value;
        const pieces = text.split("\n\n");
        text = pieces.pop();
        for (const piece of pieces) if (piece.startsWith("data: ")) heard(JSON.parse(piece.slice(6)));
      }
    } catch (error) {
      away(error instanceof TypeError ? "the server does not answer: is dusty ui still running?" : error.message);
    }
    await new Promise((go) => setTimeout(go, 2000));
  }
}
