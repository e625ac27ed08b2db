"use strict";
/* What every page has: its data, its colours, dividers of pictures, and zoom. */
const DATA = JSON.parse(document.getElementById("data").textContent);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const THEMES = [["", "Auto"], ["light", "Light"], ["dark", "Dark"]];

/* An element with text and attributes: text is always text. */
function element(tag, attributes = {}, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== "") made.textContent = text;
  return made;
}

function fill(select, names, chosen = 0) {
  select.replaceChildren(...names.map((name, index) => {
    const option = element("option", { value: index }, name);
    option.selected = index === chosen;
    return option;
  }));
}

const redrawn = [];
function redraw() { for (const draw of redrawn) draw(); }

function setTheme(theme) {
  const [, name] = THEMES.find(([key]) => key === theme) || THEMES[0];
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.getElementById("theme").lastChild.textContent = name;
  try { localStorage.setItem("restore-hsi-theme", theme); } catch { /* a page from a file may have none */ }
  redraw();
}

let theme = "";
try { theme = localStorage.getItem("restore-hsi-theme") || ""; } catch { /* as above */ }
document.getElementById("theme").addEventListener("click", () => {
  const place = THEMES.findIndex(([key]) => key === theme);
  theme = THEMES[(place + 1) % THEMES.length][0];
  setTheme(theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

/* Divide left from right by a range input, which mouse, touch, keys and screen readers know. */
function attachWiper(wiper) {
  const input = wiper.querySelector(".wipe");
  const move = () => {
    wiper.style.setProperty("--cut", `${input.value}%`);
    input.setAttribute("aria-valuetext", `${input.value} % ${wiper.dataset.left}, the rest ${wiper.dataset.right}`);
  };
  input.addEventListener("input", move);
  move();
}

/* Zoom the pictures of a part of the page: 0 fits, 1 is a pixel of the screen for each. */
function zoomTo(root, zoom) {
  for (const stage of all(".stage", root)) {
    const wiper = stage.querySelector(".wiper");
    const natural = wiper.querySelector("img.right").naturalWidth;
    wiper.style.width = zoom && natural ? `${natural * zoom / devicePixelRatio}px` : "";
    stage.classList.toggle("pixels", zoom > 0);
  }
}

function attachZoom(root) {
  let zoom = 0;
  const buttons = all(".zoom button", root);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      zoom = Number(button.dataset.zoom);
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      zoomTo(root, zoom);
    });
  }
  for (const picture of all("img.right", root)) picture.addEventListener("load", () => zoomTo(root, zoom));
}

all(".wiper").forEach(attachWiper);
attachZoom(document.getElementById("compare") || document.getElementById("main"));
if (theme) setTheme(theme);
