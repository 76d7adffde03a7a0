// Per-language figures, languages.ca.wer: base, experts and the best points, each language coloured
// by itself.

const kLanguagePoints = 8;

/// {language, metric, field} for a metric of that form.
const languageFields = metrics.flatMap((field) => {
  const parts = field.name.match(/^languages\.(.+)\.([^.]+)$/);
  return parts ? [{field, language: parts[1], metric: parts[2]}] : [];
});
const languageMetrics =
    [...new Set(languageFields.map(({metric}) => metric))].map((name) => ({name}));

/// The best points, then base and experts: {name, item, number of a point}.
function languageRows(field) {
  const distinct = withNumbers(points.filter((point) => point.same_as === null), field);
  const best = distinct.sort(byFigure(field)).slice(0, kLanguagePoints);
  return [
    ...best.map((point) => ({name: `point ${point.point}`, item: point, number: point.point})),
    ...results.baselines.map((baseline) => ({name: baseline.name, item: baseline})),
  ];
}

/// How one language's column looks: its format, the range of its colours, its best figure.
function languageColumn({field, language}, items) {
  const range = rangeOf(field, items);
  return {field, language, format: formatOf(field, items.map(field.read)), range};
}

function languageCell({field, format, range}, item) {
  const value = field.read(item);
  if (!isNumber(value)) return el('td', {}, '–');
  const text = format(value);
  return el('td', {class: stepOf(value, range)}, value === range.best ? el('b', {}, text) : text);
}

function languageRow({name, item, number}, columns) {
  const isBest = number !== undefined && number === results.best;
  const head = number === undefined ? short(name, 30) : pointLink(number);
  return el(
      'tr', {class: isBest ? 'best' : null}, el('th', {scope: 'row', title: name}, head),
      columns.map((column) => languageCell(column, item)));
}

function drawLanguages(width, field, [metric]) {
  const chosen = languageFields.filter((item) => item.metric === metric.name);
  const rows = languageRows(mainMetric ?? chosen[0].field), items = rows.map((row) => row.item);
  const columns = chosen.map((item) => languageColumn(item, items));
  const names = [metric.name, ...columns.map((column) => short(column.language))];
  const head = el('tr', {}, names.map((name) => el('th', {scope: 'col'}, name)));
  const body = rows.map((row) => languageRow(row, columns));
  const table = el('table', {}, el('thead', {}, head), el('tbody', {}, body));
  return [
    caption(
        'The best points, base and experts. Each language has its own colours, stronger is better;',
        'its best figure is bold.'),
    el('div', {class: 'scroll'}, table),
  ];
}
