// Builds the page below the headline. A part that fails says so in its place and does not take the
// others with it. What <html> has in data-… is for tests.

const shownField = {
  now: mainMetric ?? metrics[0] ?? named(statistics, 'energy_kept') ?? statistics[0]
};
const redraws = [];

function guarded(place, action) {
  try {
    action();
  } catch (error) {
    page.errors = Number(page.errors) + 1;
    console.error(error);
    const text = `This part could not be drawn: ${error.message}`;
    place.replaceChildren(el('p', {class: 'bad'}, text));
  }
}

/// The part of the address after #: sort=-wer&point=17.
function followHash() {
  const sort = readHash().get('sort'), point = readHash().get('point');
  const fields = [...tableColumns(), ...metrics];
  const column = fields.find((field) => field.name === sort?.replace(/^-/, ''));
  if (column) Object.assign(tableState, {column, isDown: sort.startsWith('-')});
  drawTable();
  if (point !== null) openPoint(Number(point));
}

/// draw(width, figure, chosen fields) returns what the section shows; `choices`: [words, fields,
/// the one at first].
function addPlot(id, heading, choices, draw) {
  const body = el('div', {class: 'plot scroll'});
  const selects = choices.map(([words, fields, first]) => {
    return {node: choice(words, fields, first, () => redraw()), fields};
  });
  const redraw = () => guarded(body, () => {
    const chosen = selects.map(({node, fields}) => fields[node.lastChild.selectedIndex]);
    body.replaceChildren(...draw(body.clientWidth, shownField.now, chosen).filter(Boolean));
  });
  const controls = el('div', {class: 'controls'}, selects.map(({node}) => node));
  document.getElementById('plots').append(
      el('section', {id}, el('h2', {}, heading), controls, body));
  redraws.push(redraw);
}

function addSettingPlots() {
  const x = named(settings, 'density', 'lambda') ?? settings.at(-1);
  const others = settings.filter((field) => field !== x);
  const y = named(others, 'rank') ?? others[0];
  const down = y ? [['down', settings, y]] : [];
  addPlot('heat', 'Heat map', [['across', settings, x], ...down], drawHeat);
  const over = named(settings, 'lambda') ?? settings.at(-1);
  addPlot('curves', 'Curves', [['over', settings, over]], drawCurves);
}

function addPlots() {
  if (!shownField.now || points.length < 2) return;
  if (settings.length) addSettingPlots();
  const cost =
      named(statistics, 'kept_share') ?? statistics.find((field) => field !== shownField.now);
  if (cost) addPlot('pareto', 'Pareto front', [['against', statistics, cost]], drawPareto);
  if (settings.length) addPlot('parallel', 'Parallel coordinates', [], drawParallel);
}

function addLanguages() {
  if (!languageFields.length || !points.length) return;
  addPlot('languages', 'Languages', [['figure', languageMetrics, null]], drawLanguages);
}

function redrawAll() {
  for (const redraw of redraws) redraw();
}

function figureChoice() {
  return choice('Plots show', figures, shownField.now, (event) => {
    shownField.now = figures[event.target.selectedIndex];
    redrawAll();
  });
}

function listen() {
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return;  // a phone's address bar came or went
    width = innerWidth;
    redrawAll();
  });
  addEventListener('hashchange', followHash);
  const dialog = document.getElementById('point');
  dialog.addEventListener('close', () => setHash('point', null));
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();  // beside it
  });
}

function start() {
  for (const box of document.querySelectorAll('.answer .command'))
    box.append(copyButton('the command', () => box.querySelector('code').textContent));
  const table = document.getElementById('points');
  if (points.length) table.before(tableControls());
  addPlots();
  if (redraws.length && figures.length > 1)
    document.getElementById('figure').append(figureChoice());
  addLanguages();
  redrawAll();
  guarded(table, followHash);
  listen();
  Object.assign(page, {points: points.length, plots: redraws.length, ready: 'yes'});
}

start();
