/* Curves by uPlot, with a legend of buttons that shows the values below the pointer. */
const COLOURS = 8;

/* How a curve looks by its place; a plain one, such as the input, stands back. */
function look(one, index) {
  if (one.plain) return { colour: css("--muted"), dash: [3, 4] };
  return { colour: css(`--s${index % COLOURS + 1}`), dash: index >= COLOURS ? [8, 5] : undefined };
}

/* Draw curves into an element: {x, series: [{name, y}], label, unit, log}. */
function chart(place, given) {
  const keys = element("div", { class: "keys", role: "group", "aria-label": "Curves" });
  place.after(keys);
  const hidden = new Set();
  let plot = null;
  const values = [];
  const build = () => {
    if (plot) plot.destroy();
    keys.replaceChildren();
    values.length = 0;
    const axis = {
      stroke: css("--muted"), font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif",
      grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 },
    };
    const series = given.series.map((one, index) => ({
      label: one.name, stroke: look(one, index).colour, width: one.thin ? 1.25 : 2,
      dash: look(one, index).dash, spanGaps: !given.gaps, show: !hidden.has(index),
      points: { show: given.points === true, size: 6 },
    }));
    plot = new uPlot({
      width: Math.max(place.clientWidth, 120), height: 260, legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false }, y: given.log ? { distr: 3 } : {} },
      series: [{ label: given.label }, ...series],
      axes: [
        { ...axis, label: given.label, labelSize: 22, size: 36, ...(given.ticks ? { splits: () => given.ticks } : {}) },
        { ...axis, label: given.unit, labelSize: 22, size: 56 },
      ],
      hooks: { setCursor: [(made) => {
        for (const [index, output] of values.entries()) {
          const value = made.cursor.idx === null || made.cursor.idx === undefined ? null : made.data[index + 1][made.cursor.idx];
          output.textContent = value === null || value === undefined ? "" : Number(value.toPrecision(4));
        }
      }] },
    }, [given.x, ...given.series.map((one) => one.y)], place);
    for (const [index, one] of given.series.entries()) {
      const button = element("button", { type: "button", "aria-pressed": String(!hidden.has(index)) });
      const line = element("span", { class: look(one, index).dash ? "line dashed" : "line", "aria-hidden": "true" });
      line.style.borderColor = look(one, index).colour;
      const output = element("output");
      values.push(output);
      button.append(line, element("span", {}, one.name), output);
      button.addEventListener("click", () => {
        if (hidden.has(index)) hidden.delete(index); else hidden.add(index);
        button.setAttribute("aria-pressed", String(!hidden.has(index)));
        plot.setSeries(index + 1, { show: !hidden.has(index) });
      });
      keys.append(button);
    }
  };
  build();
  redrawn.push(build);
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (place.clientWidth === width || !place.clientWidth) return;
    width = place.clientWidth;
    requestAnimationFrame(() => plot.setSize({ width, height: 260 }));
  }).observe(place);
  return { show(next) { given = { ...given, ...next }; hidden.clear(); build(); } };
}
