// The table of points: sorted by any column, the first rows until all are asked for.

const kFirstRows = 12;
const kStatusColumn = {
  kind: 'status',
  name: 'status',
  read: (point) => point.status
};
const kNumberColumn = {
  kind: 'point',
  name: 'point',
  read: (point) => point.point
};
const kFilters = {
  'all points': () => true,
  'distinct results': (point) => point.same_as === null,
  'without a result': (point) => !['done', 'merged'].includes(point.status),
};
const tableState = {
  column: mainMetric ?? kNumberColumn,
  isDown: mainMetric ? !mainMetric.less : false,
  isWhole: false,
  filter: 'all points',
  hasLanguages: false,
};

function isFailed(point) { return ['failed', 'timed out'].includes(point.status); }

function tableColumns() {
  const languages = new Set(languageFields.map((item) => item.field));
  const more = metrics.filter((field) => {
    return field !== mainMetric && (tableState.hasLanguages || !languages.has(field));
  });
  const first = mainMetric ? [kNumberColumn, mainMetric] : [kNumberColumn];
  return [...first, ...settings, ...more, ...statistics, kStatusColumn];
}

/// Points in the table's order; those without a value last, whatever the direction.
function sortedPoints() {
  const {column, isDown, filter} = tableState;
  return points.filter(kFilters[filter]).sort((a, b) => {
    const x = column.read(a), y = column.read(b);
    if (x === null || y === null) return (x === null) - (y === null) || a.point - b.point;
    return (isDown ? compareValues(y, x) : compareValues(x, y)) || a.point - b.point;
  });
}

function sortBy(column, isDown) {
  Object.assign(tableState, {column, isDown});
  setHash('sort', `${isDown ? '-' : ''}${column.name}`);
  drawTable();
  document.querySelector('#points th[aria-sort] button')?.focus();
}

function headCell(column) {
  const {isDown} = tableState, isSorted = column === tableState.column;
  const onclick = () => sortBy(column, isSorted ? !isDown : column.less === false);
  const order = isDown ? 'descending' : 'ascending';
  return el(
      'th', {
        scope: 'col',
        title: column.name,
        class: column === kStatusColumn ? 'text' : null,
        'aria-sort': isSorted ? order : null,
      },
      el('button', {type: 'button', onclick}, short(column.name, 28)));
}

function statusText(point) {
  const twin = point.same_as === null ? '' : `same as ${point.same_as}`;
  const status = twin && point.status === 'done' ? '' : point.status;
  return [status, point.message, twin].filter(Boolean).join(': ');
}

function bodyCell(point, column, format) {
  const value = column.read(point), bad = isFailed(point) ? 'bad' : '';
  if (column === kNumberColumn) {
    const star = point.point === results.best ? ' ★' : '';
    return el('th', {scope: 'row'}, pointLink(point.point, `${point.point}${star}`));
  }
  if (column === kStatusColumn) return el('td', {class: `text ${bad}`}, statusText(point));
  if (column === mainMetric && bad && value === null) return el('td', {class: bad}, point.status);
  const isText = typeof value === 'string';
  return el('td', {class: isText ? 'text' : null}, format(value));
}

function bodyRow(point, columns, formats) {
  const cells = columns.map((column, i) => bodyCell(point, column, formats[i]));
  const onclick = (event) => {
    if (!event.target.closest('button')) openPoint(point.point);
  };
  return el('tr', {class: point.point === results.best ? 'best' : null, onclick}, cells);
}

function moreRows(shown, sorted) {
  if (sorted.length <= kFirstRows) return [];
  const onclick = () => {
    tableState.isWhole = !tableState.isWhole;
    drawTable();
  };
  const text =
      tableState.isWhole ? `Show the first ${kFirstRows}` : `Show all ${sorted.length} rows`;
  return [el(
      'p', {class: 'note'}, `${shown.length} of ${sorted.length} `,
      el('button', {type: 'button', onclick}, text))];
}

function drawTable() {
  const columns = tableColumns(), sorted = sortedPoints();
  const formats = columns.map((column) => (column.kind === 'settings' ? show : formatOf(column)));
  const shown = tableState.isWhole ? sorted : sorted.slice(0, kFirstRows);
  const head = el('thead', {}, el('tr', {}, columns.map(headCell)));
  const body = el('tbody', {}, shown.map((point) => bodyRow(point, columns, formats)));
  const region = {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'table of points'};
  document.getElementById('points').replaceChildren(
      el('div', region, el('table', {}, head, body)), ...moreRows(shown, sorted));
  page.rows = shown.length;
  page.order = sorted.slice(0, kFirstRows).map((point) => point.point).join(' ');
  page.last = sorted.at(-1)?.point ?? '';
}

function tableControls() {
  const names = Object.keys(kFilters).map((name) => ({name}));
  const filter = choice('show', names, null, (event) => {
    tableState.filter = names[event.target.selectedIndex].name;
    drawTable();
  });
  const onchange = (event) => {
    tableState.hasLanguages = event.target.checked;
    drawTable();
  };
  const languages =
      el('label', {}, el('input', {type: 'checkbox', onchange}), ' columns per language');
  return el('div', {class: 'controls'}, filter, languageFields.length ? languages : null);
}
