// Curves: the figure over one setting, a line per combination of the others. The best lines have
// colours, the rest are faint; where most combinations have one point alone, dots.

const kColours = 6, kFaintLines = 150;
const kDashes = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 2'];

/// Lines, the one with the best figure first; each its points by ascending x.
function linesOf(xField, field) {
  const others = settings.filter((f) => f !== xField);
  const keyOf = (point) => JSON.stringify(others.map((f) => f.read(point)));
  const lines = [...groupBy(withNumbers(points, field), keyOf).values()].map((list) => {
    list.sort((a, b) => compareValues(xField.read(a), xField.read(b)));
    const name = describe(list[0], others) || 'all points';
    return {list, best: field.read(bestOf(list, field)), name};
  });
  return lines.sort((a, b) => (field.less ? 1 : -1) * (a.best - b.best));
}

function curve(line, i, placeOf, field) {
  const d = pathThrough(line.list.map(placeOf)), title = svgEl('title', {}, line.name);
  if (i >= kColours) return [svgEl('path', {class: 'faint', d}, title)];
  const dots = line.list.map((point) => dot(point, placeOf(point), `mark c${i}`, field));
  return [svgEl('path', {class: `line c${i}`, 'stroke-dasharray': kDashes[i], d}, title), ...dots];
}

function curveLegend(lines, format) {
  const items = lines.slice(0, kColours).map((line, i) => {
    const stroke = {class: `line c${i}`, 'stroke-dasharray': kDashes[i], d: 'M0 5H34'};
    const sample =
        svgEl('svg', {width: 34, height: 10, 'aria-hidden': 'true'}, svgEl('path', stroke));
    return el('li', {}, sample, `${line.name}: ${format(line.best)}`);
  });
  return el('ul', {class: 'legend'}, items);
}

function lineNotes(lines) {
  if (lines.length <= kColours) return '';
  const rest = lines.length > kColours + kFaintLines ? `, ${kFaintLines} more are faint` : '';
  return `The ${kColours} best of ${lines.length} lines have colours${rest}.`;
}

function drawCurves(width, field, [xField]) {
  const box = figureBox(width), y = figureAxis(box, field);
  const x = settingAxis(xField, box.left + 8, box.right - 8);
  const placeOf = (point) => [x.at(xField.read(point)), y.at(field.read(point))];
  const lines = linesOf(xField, field), base = references(box, field, y);
  const isScatter = 2 * lines.filter((line) => line.list.length > 1).length < lines.length;
  const dots = () =>
      withNumbers(points, field).map((point) => dot(point, placeOf(point), 'dot', field));
  const curves = () => {
    const drawn = lines.slice(0, kColours + kFaintLines);
    return drawn.map((line, i) => curve(line, i, placeOf, field)).reverse().flat();
  };
  return [
    drawing(
        width, box.height, `Curves: ${field.name} over ${xField.name}`,
        ...frame(box, x, y, xField.name, field.name), ...base.lines,
        ...(isScatter ? dots() : curves()), ...base.names),
    isScatter ? null : curveLegend(lines, formatOf(field)),
    caption(isScatter ? '' : lineNotes(lines), ...edgeNotes(y, base)),
  ];
}
