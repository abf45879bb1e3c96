// N boards in one Node process, so that the client is not what is measured. Usage: node glasses.mjs URL N
// Prints "ready" once all have joined; for each line read from standard input one JSON line:
// for every board the arrivals since the last line, as [seq, milliseconds since 1970].
import { createInterface } from "node:readline";
import WebSocket from "ws";

const [, , address, count] = process.argv;
const url = `${address.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
const clock = () => performance.timeOrigin + performance.now();
const SEQ = Buffer.from('"seq":');

function seqOf(bytes) {
  const start = bytes.indexOf(SEQ) + SEQ.length;
  return parseInt(bytes.toString("latin1", start, start + 20), 10);
}

function glass() {
  const arrived = [];
  const joined = new Promise((done) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on("message", (bytes) => {
      const now = clock();
      if (bytes[0] === 0x34 && bytes[1] === 0x32) {
        arrived.push([seqOf(bytes), now]);
      } else if (bytes[0] === 0x30) {
        socket.send("40/live,");
      } else if (bytes[0] === 0x32) {
        socket.send("3");
      } else if (bytes[0] === 0x34 && bytes[1] === 0x30) {
        socket.send('42/live,0["join",{"office":"ward"}]');
      } else if (bytes[0] === 0x34 && bytes[1] === 0x33) {
        done();
      }
    });
  });
  return { arrived, joined };
}

const glasses = Array.from({ length: Number(count) }, glass);
await Promise.all(glasses.map((each) => each.joined));
console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(glasses.map((each) => each.arrived.splice(0))));
}
process.exit(0);
