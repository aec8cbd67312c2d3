// Steps through the frames of a figure. The server draws every frame (app/player.py); this only shows them.
const PICK_PAUSE = 60; // milliseconds between two picks of one drag

export default function ({ data, parentElement, setTriggerValue }) {
  const stage = parentElement.querySelector(".stage");
  const controls = parentElement.querySelector(".controls");
  const button = controls.querySelector("button");
  const slider = controls.querySelector("input");
  const name = controls.querySelector("output");
  const player = (parentElement.player ??= { timer: null, drawn: null, place: 0 });
  const last = data.frames.length - 1;

  const draw = (parts) =>
    stage.querySelectorAll("[data-part]").forEach((part, place) => {
      if (part.content !== parts[place]) part.innerHTML = part.content = parts[place];
    });
  const pause = () => {
    clearInterval(player.timer);
    player.timer = null;
    button.textContent = `▶ ${data.play}`;
  };
  const go = (place) => {
    player.place = slider.value = place;
    name.textContent = data.names[place];
    slider.setAttribute("aria-valuetext", data.names[place]);
    draw(data.frames[place]);
  };
  const play = () => {
    go(player.place >= last ? 0 : player.place);
    button.textContent = "❚❚ Pause";
    player.timer = setInterval(() => (player.place < last ? go(player.place + 1) : pause()), data.milliseconds);
  };

  const drawn = JSON.stringify([data.template, data.still]);
  if (player.drawn !== drawn) {
    // A run of the page that changes nothing here does not stop what is playing.
    pause();
    if (player.template !== data.template) stage.innerHTML = player.template = data.template;
    Object.assign(player, { drawn, place: data.start });
    stage.setAttribute("aria-label", data.alt);
    slider.max = last;
    slider.value = data.start;
    name.textContent = "";
    draw(data.still);
  }
  controls.hidden = last < 1;
  button.onclick = () => (player.timer === null ? play() : pause());
  slider.oninput = () => {
    pause();
    go(Number(slider.value));
  };

  // A click, or a drag, on an element with data-pick="rows columns" tells the server which cell was meant.
  const pick = (event) => {
    const target = event.composedPath().find((element) => element.dataset?.pick);
    if (!target || performance.now() - (player.picked ?? 0) < PICK_PAUSE) return;
    player.picked = performance.now();
    const [rows, columns] = target.dataset.pick.split(" ").map(Number);
    const box = target.getBoundingClientRect();
    const cell = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    setTriggerValue("pick", {
      row: cell((event.clientY - box.top) / box.height, rows),
      column: cell((event.clientX - box.left) / box.width, columns),
    });
  };
  stage.onpointerdown = pick;
  stage.onpointermove = (event) => event.buttons === 1 && pick(event);
  stage.onpointerup = (event) => {
    player.picked = 0; // where a drag ends always counts
    pick(event);
  };
  return () => clearInterval(player.timer);
}
