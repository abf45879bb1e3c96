// Chime and voice of a call, one after another: the chime is made here (no file), the voice is the browser's own.
// A hall chooses voice, chime or silence (T12). A browser lets a page sound only after it was allowed to: a board is
// started with sound allowed (docs/operator.md) or touched once.
let context = null;
let last = Promise.resolve();
const tags = { ja: "ja-JP", en: "en-US", zh_Hans: "zh-CN", zh_Hant: "zh-TW", ko: "ko-KR", vi: "vi-VN", pt: "pt-BR" };

/** Let the page sound as soon as the browser allows it. */
export function unlock() {
  const wake = () => {
    context ??= new AudioContext();
    context.resume();
  };
  addEventListener("pointerdown", wake, { once: true });
  addEventListener("keydown", wake, { once: true });
}

function tone(at, hertz, seconds) {
  const source = context.createOscillator();
  const level = context.createGain();
  source.frequency.value = hertz;
  level.gain.setValueAtTime(0, at);
  level.gain.linearRampToValueAtTime(0.25, at + 0.02);
  level.gain.exponentialRampToValueAtTime(0.001, at + seconds);
  source.connect(level).connect(context.destination);
  source.start(at);
  source.stop(at + seconds);
}

function chime() {
  context ??= new AudioContext();
  if (context.state !== "running") return Promise.resolve();
  tone(context.currentTime, 880, 0.9);
  tone(context.currentTime + 0.35, 659, 1.1);
  return new Promise((done) => setTimeout(done, 1300));
}

function say(text, language) {
  const voice = globalThis.speechSynthesis?.getVoices().find((each) => each.lang.startsWith(tags[language] ?? language));
  if (!voice) return Promise.resolve();
  return new Promise((done) => {
    const said = new SpeechSynthesisUtterance(text);
    said.voice = voice;
    said.lang = voice.lang;
    said.rate = 0.9;
    said.onend = said.onerror = done;
    setTimeout(done, 15000);
    speechSynthesis.speak(said);
  });
}

/** The number as it is spoken: letter, pause, digits without leading zeros (A042: A、42). */
export function spokenNumber(number) {
  const [, letters, digits] = /^(\D*)(\d+)$/.exec(number) ?? [null, number, ""];
  return digits ? `${letters}、${Number(digits)}` : letters;
}

/** Sound one call; calls wait for each other. */
export function announce(call, says) {
  if (says.sound === "silent") return;
  last = last.then(async () => {
    await chime();
    if (says.sound !== "voice") return;
    for (const language of says.languages) {
      const text = says[call.phase === "deliver" ? "spoken_deliver" : "spoken"][language];
      if (text) await say(text.replace("{number}", spokenNumber(call.number)).replace("{counter}", call.counter), language);
    }
  });
}
