// Heat map: two settings, each cell the best figure over all the others.

const kMostLevels = 16, kRowHeight = 36;

/// Rows or columns of the map: a level each, or round ranges where a search left too many of them.
function binsOf(field) {
  const levels = levelsOf(field);
  if (levels.length > kMostLevels && levels.every(isNumber)) return rangesOf(levels);
  return levels.map((value) => {
    const key = JSON.stringify(value);
    return {text: show(value), holds: (other) => JSON.stringify(other) === key};
  });
}

function rangesOf(levels) {
  const step = niceStep(levels.at(-1) - levels[0], 10);
  const cellOf = (value) => Math.floor(value / step + 1e-9);
  const bins = [];
  for (let k = cellOf(levels[0]); k <= cellOf(levels.at(-1)); ++k)
    bins.push({text: `${show(k * step)}–${show((k + 1) * step)}`, holds: (v) => cellOf(v) === k});
  return bins;
}

/// Rows of cells, each {best: its best point or undefined, isTried: whether it has points}.
function heatCells(xBins, yBins, xField, yField, field) {
  const groups = groupBy(points, (point) => {
    const column = xBins.findIndex((bin) => bin.holds(xField.read(point)));
    const row = yField ? yBins.findIndex((bin) => bin.holds(yField.read(point))) : 0;
    return `${column} ${row}`;
  });
  return yBins.map((_, row) => xBins.map((__, column) => {
    const list = groups.get(`${column} ${row}`) ?? [];
    return {best: bestOf(list, field), isTried: list.length > 0};
  }));
}

function heatCell({best, isTried}, [x, y, width], field, range, format) {
  const box = {x: x + 1, y: y + 1, width: width - 2, height: kRowHeight - 2, rx: 3};
  if (!best) {
    const title = svgEl('title', {}, isTried ? 'no result' : 'no point');
    return svgEl('g', {}, title, svgEl('rect', {...box, class: 'empty'}));
  }
  const value = field.read(best), step = stepOf(value, range), text = format(value);
  const fits = width >= widthOfText(text);
  const middle = {class: step, 'text-anchor': 'middle'};
  return svgEl(
      'g', asButton(pointName(best, field), () => openPoint(best.point)),
      svgEl('title', {}, pointName(best, field)), svgEl('rect', {...box, class: step}),
      fits ? label(x + width / 2, y + kRowHeight / 2 + 4, text, middle) : null,
      value === range.best ? svgEl('rect', {...box, class: 'ring'}) : null);
}

function heatLabels(box, xBins, yBins, xField, yField) {
  const ticks = xBins.map((bin, i) => ({at: box.left + box.side * (i + 0.5), text: bin.text}));
  const parts = thinned(ticks, false).map(({at, text}) => {
    return label(at, box.bottom + 16, short(text), {class: 'dim', 'text-anchor': 'middle'});
  });
  yBins.forEach((bin, i) => {
    const y = box.top + kRowHeight * (i + 0.5) + 4;
    parts.push(label(box.left - 6, y, short(bin.text, 16), {class: 'dim', 'text-anchor': 'end'}));
  });
  const middle = box.left + box.side * xBins.length / 2;
  parts.push(label(middle, box.bottom + 34, short(xField.name, 40), {'text-anchor': 'middle'}));
  if (yField) parts.push(label(2, box.top - 10, short(yField.name, 40)));
  return parts;
}

function drawHeat(width, field, [xField, yField]) {
  const xBins = binsOf(xField), yBins = yField ? binsOf(yField) : [{text: ''}];
  const left = 14 + Math.max(...yBins.map((bin) => widthOfText(short(bin.text, 16))));
  const side = Math.max(30, Math.min(110, (width - left - 4) / xBins.length));
  const box = {left, side, top: 26, bottom: 26 + kRowHeight * yBins.length};
  const rows = heatCells(xBins, yBins, xField, yField, field);
  const best = rows.flat().map((cell) => cell.best).filter(Boolean);
  const range = rangeOf(field, best), format = formatOf(field);
  const cells = rows.flatMap((row, r) => row.map((cell, c) => {
    return heatCell(cell, [left + side * c, box.top + kRowHeight * r, side], field, range, format);
  }));
  const others = settings.filter((f) => f !== xField && f !== yField).map((f) => short(f.name));
  const over = others.length ? ` over ${others.join(', ')}` : '';
  const title = `Heat map: ${field.word} ${field.name}${over}`;
  return [
    caption(`Each cell: the ${field.word} ${field.name}${over}.`),
    drawing(
        Math.max(width, left + side * xBins.length + 4), box.bottom + 42, title,
        ...heatLabels(box, xBins, yBins, xField, yField), ...cells),
    rampLegend(field, range, format),
  ];
}
