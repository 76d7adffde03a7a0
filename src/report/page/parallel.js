// Parallel coordinates: every point a line through its settings to its figure; better ones are
// stronger and lie on top, the best has a colour of its own.

const kMostStrings = 1000, kOrdinalLevels = 12;

function axesOf(field, range, left, right, top, bottom) {
  const gap = (right - left) / settings.length;
  const axes = settings.map((setting, i) => {
    const isOrdinal = levelsOf(setting).length <= kOrdinalLevels;
    return {field: setting, x: left + gap * i, ...settingAxis(setting, bottom, top, isOrdinal)};
  });
  const ends = [range.best, range.worst];
  const last = numberAxis(Math.min(...ends), Math.max(...ends), bottom, top);
  return [...axes, {field, x: right, ...last}];
}

function axisParts(axis, i, axes, top, bottom) {
  const isLast = i === axes.length - 1, side = isLast ? 'end' : 'start';
  const anchor = i === 0 || isLast ? side : 'middle';
  const ticks = thinned(axis.ticks, true).map(({at, text}) => {
    const attributes = {class: 'halo', 'text-anchor': side};
    return label(axis.x + (isLast ? -6 : 6), at + 4, text, attributes);
  });
  const nameAt = top - (i % 2 ? 10 : 24);
  return [
    svgEl('path', {class: 'axis', d: `M${axis.x} ${nameAt + 4}V${bottom}`}),
    label(axis.x, nameAt, short(axis.field.name, 20), {class: 'halo', 'text-anchor': anchor}),
    ...ticks,
  ];
}

/// One point's line.
function stringOf(point, axes, range, field, look) {
  const places = axes.map((axis) => [axis.x, axis.at(axis.field.read(point))]);
  const attributes = {...look, d: pathThrough(places), onclick: () => openPoint(point.point)};
  return svgEl('path', attributes, svgEl('title', {}, pointName(point, field)));
}

function drawParallel(width, field) {
  const height = 310, top = 44, bottom = height - 12;
  const wide = Math.max(width, 80 * (settings.length + 1));
  const known = withNumbers(points, field).sort(byFigure(field));
  if (!known.length) return [caption('No point has this figure.')];
  const drawn = known.slice(0, kMostStrings), range = rangeOf(field, drawn);
  const axes = axesOf(field, range, 8, wide - 8, top, bottom);
  const opacity = drawn.length > 200 ? 0.35 : 0.75;
  const strings = drawn.slice(1).reverse().map((point) => {
    const look = {class: `pick ${stepOf(field.read(point), range)}`, 'stroke-opacity': opacity};
    return stringOf(point, axes, range, field, look);
  });
  strings.push(stringOf(drawn[0], axes, range, field, {class: 'pick line c1'}));
  const missing = points.length - known.length;
  return [
    drawing(
        wide, height, `Parallel coordinates: settings and ${field.name} of every point`, ...strings,
        ...axes.flatMap((axis, i) => axisParts(axis, i, axes, top, bottom))),
    rampLegend(field, range, formatOf(field)),
    caption(
        `The best: point ${drawn[0].point}.`, missing ? `${missing} have no figure.` : '',
        known.length > kMostStrings ? `The ${kMostStrings} best are drawn.` : ''),
  ];
}
