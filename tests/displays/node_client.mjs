// A node socket.io client as another program would write it: joins, prints each snapshot as a line of JSON.
import { io } from "socket.io-client";

const [address, office, transports] = process.argv.slice(2);
const socket = io(`${address}/live`, { transports: transports.split(","), reconnection: false });
const say = (kind, value) => console.log(JSON.stringify([kind, value]));
socket.on("connect_error", (error) => { say("error", error.message); process.exit(1); });
socket.on("connect", () => socket.emit("join", { office }, (board) => say("ack", board)));
socket.on("board", (board) => say("board", board));
socket.on("beat", (beat) => say("beat", beat));
process.stdin.on("end", () => process.exit(0)).resume();
