// The content of results.json, and the fields (swept settings, metrics, statistics) that tables and
// plots read from a point.

const results = JSON.parse(document.getElementById('results').textContent);
const points = results.points;
const pointByNumber = new Map(points.map((point) => [point.point, point]));

/// Names of fields where less is better, when they are not the goal itself.
const kLessIsBetter = /(^|[._])(wer|cer|mer|wil|ter|loss|error|drift|sign_conflicts|kept_share)$/i;

function lastPart(name) { return name.slice(name.lastIndexOf('.') + 1); }

function lessIsBetter(kind, name) {
  if (kind === 'metrics' && results.metric && lastPart(name) === lastPart(results.metric))
    return results.goal !== 'max';
  return kLessIsBetter.test(name);
}

function readOwn(point, kind, name) {
  const values = point[kind];
  return values && Object.hasOwn(values, name) ? values[name] : null;
}

/// kind: the member of a point that holds the values. A point that equals another one shows that
/// one's figures.
function makeField(kind, name) {
  const read = (point) => {
    const own = readOwn(point, kind, name);
    const twin = own === null && kind !== 'settings' ? pointByNumber.get(point.same_as) : undefined;
    return twin ? readOwn(twin, kind, name) : own;
  };
  return {
    kind,
    name,
    read,
    less: lessIsBetter(kind, name),
    word: lessIsBetter(kind, name) ? 'lowest' : 'highest'
  };
}

const settings = results.columns.map((name) => makeField('settings', name));
const metrics = results.metrics.map((name) => makeField('metrics', name));
const statistics = results.statistics.map((name) => makeField('statistics', name));
const mainMetric = metrics.find((field) => field.name === results.metric) ?? null;
const figures = [...metrics, ...statistics];

function named(fields, ...names) {
  for (const name of names) {
    const found = fields.find((field) => field.name === name);
    if (found) return found;
  }
  return null;
}

function isNumber(value) { return typeof value === 'number' && Number.isFinite(value); }

function withNumbers(list, ...fields) {
  return list.filter((point) => fields.every((field) => isNumber(field.read(point))));
}

function isBetter(field, a, b) { return field.less ? a < b : a > b; }

/// Compares points by a figure that they have: the best first.
function byFigure(field) {
  return (a, b) => (field.less ? 1 : -1) * (field.read(a) - field.read(b)) || a.point - b.point;
}

/// The point with the best figure; the first of equal ones; undefined where none has a number.
function bestOf(list, field) {
  return withNumbers(list, field)
      .reduce(
          (best, point) =>
              (best && !isBetter(field, field.read(point), field.read(best)) ? best : point),
          undefined);
}

/// Numbers before text, both ascending ("1%" before "10%"), nothing last.
function compareValues(a, b) {
  const order = (value) => (isNumber(value) ? 0 : value === null ? 2 : 1);
  if (order(a) !== order(b)) return order(a) - order(b);
  if (isNumber(a)) return a - b;
  return a === null ? 0 : show(a).localeCompare(show(b), 'en', {numeric: true});
}

/// Distinct values of a field, in order.
function levelsOf(field) {
  const seen =
      new Map(points.map((point) => [JSON.stringify(field.read(point)), field.read(point)]));
  return [...seen.values()].sort(compareValues);
}

function groupBy(list, keyOf) {
  const groups = new Map();
  for (const item of list) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
}

function show(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/// A name for a place with little room.
function short(text, most = 22) {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/// One format for all figures of a field, so that their points stand under each other: four digits
/// for those in the middle.
function formatOf(field, extra = []) {
  const values = [...points.map(field.read), ...extra].filter(isNumber).map(Math.abs);
  const positive = values.filter((value) => value > 0).sort((a, b) => a - b);
  const middle = positive[Math.floor(positive.length / 2)];
  let digits = 0;
  if (middle !== undefined && !values.every(Number.isInteger))
    digits = Math.max(0, 3 - Math.floor(Math.log10(middle)));
  return (value) => {
    if (!isNumber(value)) return show(value);
    if (digits > 6) return value.toExponential(2);
    return digits ? value.toFixed(digits) : Math.round(value).toLocaleString('en');
  };
}

function describe(point, fields) {
  return fields.map((field) => `${field.name} ${show(field.read(point))}`).join(' · ');
}
