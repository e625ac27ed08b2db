/* The curves of the results page. */
for (const place of all("[data-level]")) {
  const found = DATA.levels[place.dataset.level];
  chart(place, { x: found.x, series: found.series, label: found.label, unit: "PSNR, dB", points: true, ticks: found.x });
}
for (const place of all("#histories [data-group]")) {
  const found = DATA.histories.filter((one) => one.group === place.dataset.group);
  const [x, ...curves] = uPlot.join(found.map((one) => [one.x, one.y]));
  chart(place, {
    x, series: found.map((one, index) => ({ name: one.name, y: curves[index], thin: true })),
    label: "step", unit: "loss", log: found.every((one) => one.log),
  });
}
