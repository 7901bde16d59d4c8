// Receives mail: a real SMTP server that keeps what it is given.
//
//   node mailbox.mjs DIR
//
// `refuse` in DIR makes it refuse every mail for now. Each mail becomes a line of JSON in DIR/mails, each one refused a line in
// DIR/refused; the port stands in DIR/mail-port.

import { appendFileSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.TEST_OUTGOING_MODULES, "here.js"));
const { SMTPServer } = require("smtp-server");

const dir = process.argv[2];
const file = (name) => join(dir, name);

const server = new SMTPServer({
  disabledCommands: ["AUTH", "STARTTLS"],
  disableReverseLookup: true,
  onData(stream, session, done) {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => {
      const { mailFrom, rcptTo } = session.envelope;
      const data = Buffer.concat(parts).toString("utf8");
      const mail = { from: mailFrom.address, to: rcptTo.map((to) => to.address), data };
      const refuse = existsSync(file("refuse"));
      appendFileSync(file(refuse ? "refused" : "mails"), JSON.stringify(mail) + "\n");
      done(refuse ? Object.assign(new Error("not now"), { responseCode: 451 }) : null);
    });
  },
});

server.listen(0, "127.0.0.1", () => {
  writeFileSync(file("mail-port.new"), String(server.server.address().port));
  renameSync(file("mail-port.new"), file("mail-port"));
});
