
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tasks = data.tasks;
  const ids = new Set(tasks.map((task) => task.task));
  const pairwise = data.kind === "pairwise";
  const sides = pairwise ? ["left", "right"] : ["reply"];
  const choices = pairwise
    ? [["left", "Left", "1 ←"], ["tie", "Tie", "0"], ["right", "Right", "2 →"]]
    : Array.from({ length: data.scale }, (_, i) => [String(i + 1), String(i + 1), ""]);
  const keys = new Map(
    pairwise
      ? [["1", "left"], ["ArrowLeft", "left"], ["2", "right"], ["ArrowRight", "right"], ["0", "tie"]]
      : choices.map(([value]) => [value, value]),
  );
  const shelf = "hfdiv-annotate:" + data.set; // where the browser keeps a copy, in case nobody saves
  const at = (id) => document.getElementById(id);

  let answers = new Map(); // task → {answer, time}
  let past = []; // [task, what its answer was before] of each answer given here, for undo
  let current = 0;
  let unsaved = false;

  function say(text) {
    at("message").textContent = text;
  }

  function content() {
    const items = tasks.filter((task) => answers.has(task.task));
    return {
      format: data.format,
      set: data.set,
      kind: data.kind,
      annotator: at("annotator").value.trim(),
      answers: items.map((task) => ({ task: task.task, ...answers.get(task.task) })),
    };
  }

  function keep() {
    try {
      localStorage.setItem(shelf, JSON.stringify(content()));
    } catch {
      say("The browser keeps no copy of your answers: save them to a file now and then.");
    }
  }

  // Answers of a saved file, checked: anything may be in it.
  function read(text) {
    const saved = JSON.parse(text);
    if (saved === null || saved.format !== data.format || !Array.isArray(saved.answers)) {
      throw new Error("it holds no answers that this page saved");
    }
    if (saved.set !== data.set) {
      throw new Error("it answers other tasks than those of this page");
    }
    const values = new Set(choices.map(([value]) => value));
    const found = new Map();
    for (const { task, answer, time } of saved.answers) {
      if (!ids.has(task) || !values.has(answer)) {
        throw new Error("it holds an answer that does not belong here");
      }
      found.set(task, { answer, time: String(time ?? "") });
    }
    return [found, String(saved.annotator ?? "")];
  }

  function show() {
    const task = tasks[current];
    const done = answers.size;
    at("progress").textContent = `${done} of ${tasks.length} answered`;
    at("bar").max = Math.max(tasks.length, 1);
    at("bar").value = done;
    at("place").textContent = tasks.length ? `Task ${current + 1}` : "There are no tasks.";
    at("undo").disabled = past.length === 0;
    at("back").disabled = current === 0;
    at("next").disabled = current >= tasks.length - 1;
    if (task === undefined) return;
    at("prompt").textContent = task.prompt;
    for (const side of sides) {
      const box = at("text-" + side);
      box.textContent = task[side];
      box.scrollTop = 0;
    }
    at("prompt").scrollTop = 0;
    for (const button of at("choices").children) {
      button.setAttribute("aria-pressed", String(answers.get(task.task)?.answer === button.value));
    }
  }

  function give(value) {
    if (!tasks.length) return;
    const id = tasks[current].task;
    past.push([id, answers.get(id)]);
    answers.set(id, { answer: value, time: new Date().toISOString() });
    unsaved = true;
    say("");
    keep();
    const open = tasks.findIndex((task, place) => place > current && !answers.has(task.task));
    current = open >= 0 ? open : tasks.findIndex((task) => !answers.has(task.task));
    if (current < 0) {
      current = tasks.findIndex((task) => task.task === id);
      say("All tasks are answered. Save them to a file (S).");
    }
    show();
  }

  function undo() {
    if (!past.length) return;
    const [id, before] = past.pop();
    if (before === undefined) answers.delete(id);
    else answers.set(id, before);
    current = tasks.findIndex((task) => task.task === id);
    unsaved = true;
    say("");
    keep();
    show();
  }

  function move(step) {
    current = Math.min(Math.max(current + step, 0), Math.max(tasks.length - 1, 0));
    show();
  }

  function save() {
    const link = document.createElement("a");
    const name = at("annotator").value.trim().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);
    link.href = URL.createObjectURL(new Blob([JSON.stringify(content(), null, 1) + "\n"], { type: "application/json" }));
    link.download = ["answers", name].filter(Boolean).join("-") + ".json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    unsaved = false;
    say(`Saved ${answers.size} answers to ${link.download}.`);
  }

  async function load(file) {
    try {
      const [found, name] = read(await file.text());
      if (!at("annotator").value) at("annotator").value = name;
      answers = new Map([...answers, ...found]); // what is loaded counts where both have an answer
      past = [];
      current = Math.max(tasks.findIndex((task) => !answers.has(task.task)), 0);
      keep();
      say(`Loaded ${found.size} answers.`);
    } catch (error) {
      say(`The file was not loaded: ${error.message}.`);
    }
    show();
  }

  function restore() {
    try {
      const text = localStorage.getItem(shelf);
      if (text === null) return;
      const [found, name] = read(text);
      answers = found;
      at("annotator").value = name;
      current = Math.max(tasks.findIndex((task) => !answers.has(task.task)), 0);
      if (found.size) say(`Going on with ${found.size} answers that this browser kept.`);
    } catch {
      say("The copy that this browser kept could not be read.");
    }
  }

  function build() {
    at("question").textContent = data.question;
    for (const side of sides) {
      const section = document.createElement("section");
      const title = document.createElement("h2");
      title.textContent = side === "left" ? "Left" : side === "right" ? "Right" : "Reply";
      const box = document.createElement("div");
      box.id = "text-" + side;
      box.className = "text";
      box.dir = "auto";
      section.append(title, box);
      at("replies").append(section);
    }
    for (const [value, label, key] of choices) {
      const button = document.createElement("button");
      button.type = "button";
      button.value = value;
      button.append(label);
      if (key) {
        const hint = document.createElement("kbd");
        hint.textContent = key;
        button.append(" ", hint);
      }
      button.addEventListener("click", () => give(value));
      at("choices").append(button);
    }
  }

  build();
  restore();
  show();
  const commands = new Map([["u", undo], ["s", save], ["b", () => move(-1)], ["n", () => move(1)]]);
  at("undo").addEventListener("click", undo);
  at("save").addEventListener("click", save);
  at("back").addEventListener("click", () => move(-1));
  at("next").addEventListener("click", () => move(1));
  at("load").addEventListener("click", () => at("file").click());
  at("annotator").addEventListener("input", keep);
  at("file").addEventListener("change", (event) => {
    if (event.target.files.length) load(event.target.files[0]);
    event.target.value = "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.altKey || event.ctrlKey || event.metaKey || event.target === at("annotator")) return;
    const command = commands.get(event.key.toLowerCase());
    if (!command && !keys.has(event.key)) return;
    event.preventDefault();
    if (command) command();
    else give(keys.get(event.key));
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
})();
