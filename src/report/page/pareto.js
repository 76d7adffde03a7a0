// Pareto front: points of which no other is both better and cheaper.

const kFrontRows = 6;

/// By cost from the cheapest, each better than all before.
function frontOf(cost, field) {
  const sign = cost.less ? 1 : -1;
  const sorted = withNumbers(points, cost, field).sort((a, b) => {
    return sign * (cost.read(a) - cost.read(b)) || byFigure(field)(a, b);
  });
  const front = [];
  for (const point of sorted)
    if (!front.length || isBetter(field, field.read(point), field.read(front.at(-1))))
      front.push(point);
  return front;
}

function frontDot(point, [cx, cy], field) {
  const name = pointName(point, field);
  return svgEl(
      'g', asButton(`On the front, ${name}`, () => openPoint(point.point)),
      svgEl('title', {}, name), svgEl('circle', {cx, cy, r: 5, class: 'dot front'}));
}

/// The front as stairs: each point's figure is to be had from its cost on.
function stairs(front, placeOf) {
  return front.flatMap((point, i) => {
    const place = placeOf(point);
    return i ? [[place[0], placeOf(front[i - 1])[1]], place] : [place];
  });
}

function frontTable(front, cost, field) {
  const format = formatOf(field), costFormat = formatOf(cost);
  const rows = front.slice(-kFrontRows).reverse().map((point) => {
    return el(
        'tr', {}, el('th', {scope: 'row'}, pointLink(point.point, String(point.point))),
        el('td', {}, format(field.read(point))), el('td', {}, costFormat(cost.read(point))),
        el('td', {class: 'text'}, describe(point, settings)));
  });
  const head = ['front', short(field.name), short(cost.name)].map((text) => {
    return el('th', {scope: 'col'}, text);
  });
  head.push(el('th', {scope: 'col', class: 'text'}, 'settings'));
  return el('table', {}, el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows));
}

function drawPareto(width, field, [cost]) {
  const list = withNumbers(points, cost, field);
  if (!list.length || cost === field)
    return [caption('Choose two different figures that points have.')];
  const box = figureBox(width), y = figureAxis(box, field), costs = list.map(cost.read);
  const x = numberAxis(Math.min(...costs), Math.max(...costs), box.left + 8, box.right - 8);
  const placeOf = (point) => [x.at(cost.read(point)), y.at(field.read(point))];
  const front = frontOf(cost, field), isFront = new Set(front), base = references(box, field, y);
  const others = list.filter((point) => !isFront.has(point));
  const word = (f) => `${f.less ? 'lower' : 'higher'} ${f.name}`;
  return [
    caption(`On the front: no other point has both a ${word(field)} and a ${word(cost)}.`),
    drawing(
        width, box.height, `Pareto front: ${field.name} against ${cost.name}`,
        ...frame(box, x, y, cost.name, field.name), ...base.lines,
        ...others.map((point) => dot(point, placeOf(point), 'dot', field)),
        svgEl('path', {class: 'front', d: pathThrough(stairs(front, placeOf))}),
        ...front.map((point) => frontDot(point, placeOf(point), field)), ...base.names),
    caption(...edgeNotes(y, base)),
    el('div', {class: 'scroll'}, frontTable(front, cost, field)),
  ];
}
