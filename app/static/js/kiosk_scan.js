// The reader for QR codes: the camera's picture is looked at on this machine and goes nowhere. A screen that reads
// carries [data-scan] with the address to turn to. Without a camera the drawing and the keys remain.
const vendor = new URL("../vendor/zxing/", import.meta.url);
const every = 200;
let running = null;

/** Begin to look on a screen that reads, and let go of the camera on every other. */
export function watchCodes(turn) {
  running?.stop();
  running = null;
  const place = document.querySelector("[data-scan]");
  if (place && navigator.mediaDevices?.getUserMedia) {
    running = new Reader(place, turn);
    running.start();
  }
}

class Reader {
  constructor(place, turn) {
    this.place = place;
    this.turn = turn;
    this.video = place.querySelector("video");
    this.canvas = document.createElement("canvas");
    this.stopped = false;
  }

  stop() {
    this.stopped = true;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }

  async start() {
    try {
      const wanted = { video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } };
      const [stream, read] = await Promise.all([navigator.mediaDevices.getUserMedia(wanted), reader()]);
      this.stream = stream;
      if (this.stopped) return this.stop();
      this.video.srcObject = stream;
      await this.video.play();
      this.place.dataset.scan = "on";
      await this.look(read);
    } catch {
      this.stop();
    }
  }

  async look(read) {
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    while (!this.stopped) {
      const { videoWidth: width, videoHeight: height } = this.video;
      if (width) {
        Object.assign(this.canvas, { width, height });
        pen.drawImage(this.video, 0, 0);
        const [found] = await read(pen.getImageData(0, 0, width, height), { formats: ["QRCode"], maxNumberOfSymbols: 1 });
        if (found?.text && !this.stopped) return this.take(found.text);
      }
      await new Promise((done) => setTimeout(done, every));
    }
  }

  async take(text) {
    const address = new URL(this.place.dataset.read, location.href);
    address.searchParams.set("code", text);
    this.stop();
    await this.turn(address.href);
  }
}

let loaded = null;
function reader() {
  loaded ??= import(new URL("reader/index.js", vendor)).then((module) => {
    const locateFile = (path, prefix) => (path.endsWith(".wasm") ? new URL(path, vendor).href : prefix + path);
    module.prepareZXingModule({ overrides: { locateFile } });
    return module.readBarcodes;
  });
  return loaded;
}
