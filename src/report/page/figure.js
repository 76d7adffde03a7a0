// What plots over an axis of figures share: the box, axes, reference lines, dots, notes.

const kMostExperts = 3;

function figureBox(width) {
  const height = Math.min(340, Math.max(260, width * 0.6));
  return {width, height, left: 56, right: width - 12, top: 24, bottom: height - 44};
}

function baselineValue(baseline, field) { return readOwn(baseline, field.kind, field.name); }

/// The y axis of a figure: its range, with room for base and experts that lie near. Upwards is
/// larger.
function figureAxis(box, field) {
  const range = rangeOf(field), span = Math.abs(range.best - range.worst);
  const values = results.baselines.map((baseline) => baselineValue(baseline, field));
  const near = values.filter((v) => isNumber(v) && Math.abs(v - range.worst) <= span);
  const ends = [range.best, range.worst, ...near];
  const margin = (Math.max(...ends) - Math.min(...ends)) * 0.04;
  const low = Math.min(...ends) - margin, high = Math.max(...ends) + margin;
  return {range, low, high, ...numberAxis(low, high, box.bottom, box.top)};
}

/// Axes with grid lines and names; the y axis' ticks stand to the left of box.left.
function frame(box, x, y, xName, yName) {
  const parts = [];
  for (const {at, text} of thinned(y.ticks, true)) {
    parts.push(svgEl('path', {class: 'grid', d: `M${box.left} ${at}H${box.right}`}));
    parts.push(label(box.left - 6, at + 4, text, {class: 'dim', 'text-anchor': 'end'}));
  }
  for (const {at, text} of thinned(x.ticks, false)) {
    parts.push(svgEl('path', {class: 'axis', d: `M${at} ${box.bottom}v5`}));
    parts.push(label(at, box.bottom + 18, text, {class: 'dim', 'text-anchor': 'middle'}));
  }
  const corner = `M${box.left} ${box.top}V${box.bottom}H${box.right}`;
  const middle = (box.left + box.right) / 2;
  parts.push(svgEl('path', {class: 'axis', d: corner}));
  parts.push(label(middle, box.bottom + 36, short(xName, 40), {'text-anchor': 'middle'}));
  parts.push(label(2, box.top - 10, short(yName, 40)));
  return parts;
}

/// Base and the best experts that have the figure.
function chosenBaselines(field) {
  const sign = field.less ? 1 : -1;
  const known = results.baselines.filter((b) => isNumber(baselineValue(b, field)));
  known.sort((a, b) => sign * (baselineValue(a, field) - baselineValue(b, field)));
  const experts = known.filter((b) => b.kind === 'expert').slice(0, kMostExperts);
  return known.filter((b) => b.kind !== 'expert' || experts.includes(b));
}

/// Their horizontal lines and names; `outside` names those beyond the plot.
function references(box, field, y) {
  const lines = [], names = [], outside = [];
  let last = -Infinity;
  const known = chosenBaselines(field).map((b) => ({name: b.name, value: baselineValue(b, field)}));
  for (const {name, value} of known.sort((a, b) => b.value - a.value)) {
    if (value < y.low || value > y.high) {
      outside.push(`${short(name)} ${show(Number(value.toPrecision(4)))}`);
      continue;
    }
    const at = y.at(value), nameAt = Math.max(at - 4, last + 13);
    lines.push(svgEl('path', {class: 'reference', d: `M${box.left} ${at}H${box.right}`}));
    names.push(label(box.right - 3, nameAt, short(name), {class: 'halo', 'text-anchor': 'end'}));
    last = nameAt;
  }
  return {lines, names, outside};
}

function pointName(point, field) {
  const figure = `${field.name} ${show(field.read(point))}`;
  return `point ${point.point}: ${figure}, ${describe(point, settings)}`;
}

function dot(point, [cx, cy], kind, field) {
  const attributes = {cx, cy, r: 4, class: `pick ${kind}`, onclick: () => openPoint(point.point)};
  return svgEl('circle', attributes, svgEl('title', {}, pointName(point, field)));
}

function caption(...sentences) {
  const text = sentences.filter(Boolean).join(' ');
  return text ? el('p', {class: 'caption'}, text) : null;
}

/// What a plot could not show.
function edgeNotes(y, base) {
  const edge = show(Number(y.range.worst.toPrecision(3)));
  const experts = results.baselines.filter((b) => b.kind === 'expert').length;
  return [
    y.range.isCut ? `Points beyond ${edge} stand at the edge.` : '',
    base.outside.length ? `Outside the plot: ${base.outside.join(', ')}.` : '',
    experts > kMostExperts ? `Of ${experts} experts the ${kMostExperts} best are drawn.` : '',
  ];
}

function rampLegend(field, range, format) {
  const steps = Array.from({length: 9}, (_, i) => i);
  const boxes =
      steps.map((i) => svgEl('rect', {x: 16 * i, y: 0, width: 16, height: 12, class: `q${i}`}));
  const worst = `worst ${format(range.worst)}${range.isCut ? ' and beyond' : ''} `;
  const ramp = drawing(144, 12, 'colours from worst to best', ...boxes);
  return el('p', {class: 'caption'}, worst, ramp, ` best ${format(range.best)}`);
}
