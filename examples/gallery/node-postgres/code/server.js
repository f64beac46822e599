const http = require("http");
const notes = require("./notes");

http
  .createServer(async (request, response) => {
    try {
      const lines = await notes.all();
      response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
      response.end(["Notes:", ...lines.map((line) => `- ${line}`), ""].join("\n"));
    } catch (error) {
      response.writeHead(500);
      response.end(`${error.message}\n`);
    }
  })
  .listen(3000);
