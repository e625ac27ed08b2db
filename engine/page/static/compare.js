/* Before and after: any two pictures of one image side by side. */
(() => {
  const root = document.getElementById("compare");
  if (!root) return;
  const [cases, images, lefts, rights] = ["case", "image", "left-panel", "right-panel"].map((name) => root.querySelector(`.${name}`));
  const wiper = root.querySelector(".wiper");
  const readout = root.querySelector(".readout");
  const named = (panel) => panel.kind === "original" ? "original" : panel.kind === "input" ? "input" : panel.name;
  const said = (panel) => panel.psnr === null ? named(panel) : `${named(panel)}, ${panel.psnr.toFixed(2)} dB`;
  const panels = () => DATA.compared[cases.value].images[images.value].panels;

  function show() {
    const shown = { left: panels()[lefts.value], right: panels()[rights.value] };
    for (const [side, panel] of Object.entries(shown)) {
      const picture = wiper.querySelector(`img.${side}`);
      const uri = DATA.pictures[panel.picture];
      picture.src = uri || "data:,";
      picture.alt = uri ? said(panel) : `${said(panel)}: left out of the page for its size`;
      wiper.querySelector(`.tag-${side}`).textContent = named(panel);
      wiper.dataset[side] = named(panel);
    }
    root.querySelector(".psnr").replaceChildren(...panels().filter((panel) => panel.psnr !== null).map((panel) => {
      const line = element("tr", { "aria-current": String(panel === shown.right) });
      line.append(element("th", { scope: "row" }, named(panel)), element("td", { class: "number" }, panel.psnr.toFixed(2)));
      return line;
    }));
    wiper.querySelector(".wipe").dispatchEvent(new Event("input"));
    const missing = Object.values(shown).some((panel) => !DATA.pictures[panel.picture]);
    readout.textContent = `Left: ${said(shown.left)}. Right: ${said(shown.right)}.${missing ? " A picture is left out of the page for its size." : ""}`;
  }

  function choose() {
    const found = panels();
    const best = found.reduce((first, panel, index) => panel.kind === "method" && (found[first].kind !== "method" || panel.psnr > found[first].psnr) ? index : first, found.length - 1);
    fill(lefts, found.map(said), Math.max(found.findIndex((panel) => panel.kind === "input"), 0));
    fill(rights, found.map(said), best);
    show();
  }

  function chooseCase() {
    fill(images, DATA.compared[cases.value].images.map((image) => image.name));
    choose();
  }

  fill(cases, DATA.compared.map((one) => one.title));
  cases.addEventListener("change", chooseCase);
  images.addEventListener("change", choose);
  lefts.addEventListener("change", show);
  rights.addEventListener("change", show);
  chooseCase();
})();
