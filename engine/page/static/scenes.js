/* Scenes: two panes with layers, a pixel below the pointer, its spectrum after a click. */
const LAYERS = {
  picture: "False colour", truth: "Ground truth", split: "Training and test", map: "Map",
  errors: "Errors", confidence: "Probability",
};
const unpacked = new WeakMap();

/* The values of a packed array. */
function unpack(packed) {
  if (!unpacked.has(packed)) {
    unpacked.set(packed, (async () => {
      const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      const buffer = await new Response(stream).arrayBuffer();
      return packed.bytes === 2 ? new Uint16Array(buffer) : new Uint8Array(buffer);
    })());
  }
  return unpacked.get(packed);
}

function rgb(colour) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour;
  const text = probe.fillStyle;
  return [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
}

function attachScene(root) {
  const scene = DATA.scenes[root.dataset.scene];
  const readout = root.querySelector(".readout");
  const legend = root.querySelector(".legend");
  const select = root.querySelector("select.run");
  const highlighted = new Set();
  let run = scene.runs[0] || null;
  let here = null;
  let values = {};
  let drawn = 0;
  let spectrum = null;

  const available = () => ["picture", "truth", "split", "map", "errors", "confidence"].filter((key) => ({
    picture: true, truth: packedOf("truth"), split: run && run.split_key !== null, map: run,
    errors: run && run.split_key !== null && packedOf("truth"), confidence: run && run.confidence,
  })[key]);
  const panes = all(".pane", root).map((figure) => ({
    figure, canvas: figure.querySelector("canvas"), cross: figure.querySelector(".cross"),
    layer: figure.dataset.side === "left" ? (scene.truth ? "truth" : "picture") : (run ? "map" : "picture"),
  }));
  const className = (place) => place ? scene.classes[place - 1].name : "no class";
  const packedOf = (key) => key === "truth" ? (run && run.truth) || scene.truth
    : key === "split" ? scene.splits[run.split_key] : key === "confidence" ? run.confidence : run.map;
  const at = (key, row, column) => {
    const packed = packedOf(key);
    const place = Math.min(Math.floor(row / scene.step), packed.rows - 1) * packed.columns
      + Math.min(Math.floor(column / scene.step), packed.columns - 1);
    return values[key][place];
  };

  async function load() {
    const turn = ++drawn;
    const keys = available().filter((key) => key !== "picture" && key !== "errors");
    const found = await Promise.all(keys.map((key) => unpack(packedOf(key))));
    if (turn !== drawn) return false;
    values = Object.fromEntries(keys.map((key, index) => [key, found[index]]));
    return true;
  }

  function paint(pane) {
    const context = pane.canvas.getContext("2d");
    const layer = pane.layer;
    pane.figure.querySelector(".layer-name").textContent = captions(layer);
    if (layer === "picture") {
      const picture = new Image();
      picture.onload = () => {
        if (pane.layer !== "picture") return;
        pane.canvas.width = picture.naturalWidth;
        pane.canvas.height = picture.naturalHeight;
        context.drawImage(picture, 0, 0);
      };
      picture.src = scene.picture;
      return;
    }
    const packed = packedOf(layer);
    const { rows, columns } = packed;
    pane.canvas.width = columns;
    pane.canvas.height = rows;
    const image = context.createImageData(columns, rows);
    const [paper, wrong, right, train, test, ink] = ["--off", "--wrong", "--right", "--s3", "--s2", "--accent"].map((name) => rgb(css(name)));
    for (let place = 0; place < rows * columns; place++) {
      let colour = paper;
      const shown = layer === "truth" ? values.truth[place] : run ? values.map[place] : 0;
      if (layer === "truth" || layer === "map") colour = shown ? scene.classes[shown - 1].colour : paper;
      else if (layer === "split") colour = [paper, train, test][values.split[place]];
      else if (layer === "errors") {
        if (values.split[place] === 2) colour = values.map[place] === values.truth[place] ? right : wrong;
      } else {
        const share = values.confidence[place] / 200;
        colour = [0, 1, 2].map((part) => paper[part] + (ink[part] - paper[part]) * share);
      }
      const own = layer === "split" && values.truth ? values.truth[place] : shown;
      const faint = highlighted.size > 0 && !highlighted.has(own) ? 0.12 : 1;
      for (let part = 0; part < 3; part++) {
        image.data[place * 4 + part] = paper[part] + (colour[part] - paper[part]) * faint;
      }
      image.data[place * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  function captions(layer) {
    return {
      picture: scene.picture_title, truth: "Ground truth; pixels without a label are empty",
      split: "Training pixels blue, test pixels orange", map: run ? `Map of ${run.title}` : "",
      errors: "Test pixels: wrong ones red, right ones grey", confidence: "Probability of the map's class: the stronger, the surer",
    }[layer];
  }

  function paintAll() { for (const pane of panes) paint(pane); }

  function layers() {
    for (const pane of panes) {
      const keys = available();
      if (!keys.includes(pane.layer)) pane.layer = keys[0];
      const buttons = keys.map((key) => {
        const button = element("button", { type: "button", "data-layer": key, "aria-pressed": String(key === pane.layer) }, LAYERS[key]);
        button.addEventListener("click", () => {
          pane.layer = key;
          for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
          paint(pane);
        });
        return button;
      });
      pane.figure.querySelector(".layers").replaceChildren(...buttons);
    }
  }

  function describe() {
    const [row, column] = here;
    const parts = [`Row ${row + 1}, column ${column + 1}`];
    if (run) {
      const sure = run.confidence ? `, probability ${(at("confidence", row, column) / 200).toFixed(2)}` : "";
      parts.push(`map: ${className(at("map", row, column))}${sure}`);
    }
    if (values.truth) parts.push(`ground truth: ${className(at("truth", row, column))}`);
    if (run && run.split_key !== null) parts.push(["in neither set", "training pixel", "test pixel"][at("split", row, column)]);
    return parts.join("; ");
  }

  function moveTo(row, column) {
    here = [Math.max(0, Math.min(scene.rows - 1, row)), Math.max(0, Math.min(scene.columns - 1, column))];
    for (const pane of panes) {
      pane.cross.style.display = "block";
      pane.cross.style.left = `${(here[1] + .5) / scene.columns * 100}%`;
      pane.cross.style.top = `${(here[0] + .5) / scene.rows * 100}%`;
    }
    readout.textContent = describe();
  }

  async function pick() {
    const kept = scene.spectra;
    if (!kept || !here) return;
    const stored = await unpack(kept);
    const [row, column] = here.map((place) => Math.floor(place / kept.step));
    const count = kept.bands.length;
    const start = (row * kept.columns + column) * count;
    const pixel = kept.low.map((low, band) => {
      const level = stored[start + band];
      return level ? low + (level - 1) / 254 * (kept.high[band] - low) : null;
    });
    const x = kept.wavelengths || kept.bands.map((band) => band + 1);
    const series = [{ name: `row ${row * kept.step + 1}, column ${column * kept.step + 1}`, y: pixel }];
    const places = new Set();
    if (run && at("map", ...here)) places.add(at("map", ...here));
    if (values.truth && at("truth", ...here)) places.add(at("truth", ...here));
    for (const place of places) {
      const role = [];
      if (run && at("map", ...here) === place) role.push("map");
      if (values.truth && at("truth", ...here) === place) role.push("ground truth");
      if (kept.mean_pixels[place - 1]) series.push({ name: `mean of ${className(place)} (${role.join(" and ")})`, y: kept.means[place - 1], thin: true });
    }
    const axis = kept.wavelengths ? "wavelength, nm" : "band";
    const parts = gapped(x, series, kept.bands);
    const place = root.querySelector(".spectrum .chart");
    place.setAttribute("aria-label", `Spectrum of ${series.map((one) => one.name).join(", beside ")}`);
    if (spectrum) spectrum.show({ ...parts, label: axis });
    else spectrum = chart(place, { ...parts, label: axis, unit: "value as stored", gaps: true });
    tabulate(x, series, axis);
  }

  /* Bands that were left out break the lines. */
  function gapped(x, series, bands) {
    const order = x.map((_, index) => index).sort((first, second) => x[first] - x[second]);
    const made = { x: [], series: series.map((one) => ({ ...one, y: [] })) };
    order.forEach((index, place) => {
      if (place && Math.abs(bands[index] - bands[order[place - 1]]) > 1) {
        made.x.push((x[index] + x[order[place - 1]]) / 2);
        for (const one of made.series) one.y.push(null);
      }
      made.x.push(x[index]);
      made.series.forEach((one, number) => one.y.push(series[number].y[index]));
    });
    return made;
  }

  function tabulate(x, series, axis) {
    const details = root.querySelector(".spectrum-table");
    const table = element("table");
    const head = element("tr");
    head.append(...[axis, ...series.map((one) => one.name)].map((name) => element("th", { scope: "col", class: "number" }, name)));
    table.append(element("thead"), element("tbody"));
    table.tHead.append(head);
    x.forEach((value, index) => {
      const line = element("tr");
      line.append(element("th", { scope: "row", class: "number" }, String(Number(value.toFixed(1)))));
      line.append(...series.map((one) => element("td", { class: "number" }, one.y[index] === null ? "no data" : String(Number(one.y[index].toPrecision(5))))));
      table.tBodies[0].append(line);
    });
    details.querySelector("div").replaceChildren(table);
    details.hidden = false;
  }

  function classes() {
    const counts = new Array(scene.classes.length + 1).fill(0);
    const shown = run ? values.map : values.truth || null;
    if (shown) for (const place of shown) counts[place]++;
    const total = counts.slice(1).reduce((sum, count) => sum + count, 0) || 1;
    const rows = scene.classes.map((found, index) => {
      const button = element("button", { type: "button", "aria-pressed": String(highlighted.has(index + 1)) });
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.background = `rgb(${found.colour.join(" ")})`;
      const recall = run && run.recall ? run.recall[found.number] : undefined;
      const share = `${(100 * counts[index + 1] / total).toFixed(1)} %${recall === undefined ? "" : `, recall ${recall.toFixed(0)}`}`;
      button.append(swatch, element("span", {}, found.name), element("span", { class: "share" }, shown ? share : ""));
      button.addEventListener("click", () => {
        if (highlighted.has(index + 1)) highlighted.delete(index + 1); else highlighted.add(index + 1);
        button.setAttribute("aria-pressed", String(highlighted.has(index + 1)));
        paintAll();
      });
      return button;
    });
    const note = shown ? `Share of ${run ? "the map" : "the labels"}${run && run.recall ? " and recall on test pixels" : ""}, in %; press a class to see it alone` : "Press a class to see it alone";
    legend.replaceChildren(...rows, element("p", { class: "muted" }, note));
  }

  async function refresh() {
    if (!await load()) return;
    layers();
    classes();
    paintAll();
    const facts = root.querySelector(".run-facts");
    if (facts) facts.textContent = run && run.oa ? `overall accuracy ${run.oa} %` : "";
    if (here) readout.textContent = describe();
    root.dataset.ready = "true";
  }

  for (const pane of panes) {
    pane.canvas.style.aspectRatio = `${scene.columns} / ${scene.rows}`;
    const place = (event) => {
      const box = pane.canvas.getBoundingClientRect();
      return [Math.floor((event.clientY - box.top) / box.height * scene.rows), Math.floor((event.clientX - box.left) / box.width * scene.columns)];
    };
    pane.canvas.addEventListener("pointermove", (event) => moveTo(...place(event)));
    pane.canvas.addEventListener("click", (event) => { moveTo(...place(event)); pick(); });
    pane.canvas.addEventListener("keydown", (event) => {
      const far = event.shiftKey ? 10 : 1;
      const step = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[event.key];
      const [row, column] = here || [Math.floor(scene.rows / 2), Math.floor(scene.columns / 2)];
      if (step) moveTo(row + step[0], column + step[1]);
      else if (event.key === "Enter" || event.key === " ") { moveTo(row, column); pick(); }
      else return;
      event.preventDefault();
    });
  }
  if (select) {
    fill(select, scene.runs.map((one) => one.title));
    select.addEventListener("change", () => { run = scene.runs[select.value]; refresh(); });
  }
  redrawn.push(paintAll);
  return refresh();
}

Promise.all(all(".scene").map(attachScene)).then(() => { document.documentElement.dataset.ready = "true"; });
