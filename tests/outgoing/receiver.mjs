// Receives webhooks over TLS and verifies them with the reference library of Standard Webhooks.
//
//   node receiver.mjs DIR
//
// DIR holds key.pem, certificate.pem and secret; `status`, if it is there, the status to answer with; `clock`, if it is there,
// the time in seconds since 1970. Each request becomes a line of JSON in DIR/received; the port stands in DIR/port.

import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.TEST_OUTGOING_MODULES, "here.js"));
const { Webhook } = require("standardwebhooks");

const dir = process.argv[2];
const file = (name) => join(dir, name);
const text = (name) => readFileSync(file(name), "utf8").trim();

// The library looks at the time; the test moves it.
if (existsSync(file("clock"))) Date.now = () => Number(text("clock")) * 1000;

const webhook = new Webhook(text("secret"));

function verified(body, headers) {
  try {
    webhook.verify(body, headers);
    return true;
  } catch (error) {
    return String(error);
  }
}

const server = createServer({ key: text("key.pem"), cert: text("certificate.pem") }, (request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts).toString("utf8");
    const status = existsSync(file("status")) ? Number(text("status")) : 204;
    const { method, url, headers } = request;
    const line = { method, url, headers, body, status, verified: verified(body, headers) };
    appendFileSync(file("received"), JSON.stringify(line) + "\n");
    response.writeHead(status).end();
  });
});

server.listen(0, "127.0.0.1", () => {
  writeFileSync(file("port.new"), String(server.address().port));
  renameSync(file("port.new"), file("port"));
});
