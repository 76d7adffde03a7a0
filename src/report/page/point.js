// One point in a dialog: its figures, its recipe, the command that makes it again.

/// The sweep's folder for commands; without a name they hold inside that folder.
const kFolder = typeof results.output === 'string' ? results.output : '.';

/// A word of a command line for sh.
function shellWord(text) {
  if (/^[\w@%+=:,./#-]+$/.test(text)) return text;
  return `'${text.split('\'').join('\'\\\'\'')}'`;
}

function exportCommand(number) {
  const point = shellWord(`${kFolder}#${number}`);
  return `koine export ${point} --format hf --output point${number}`;
}

function figureList(point, fields) {
  const known = fields.filter((field) => field.read(point) !== null);
  const rows = known.map((field) => {
    return [el('dt', {}, field.name), el('dd', {}, show(field.read(point)))];
  });
  return rows.length ? el('dl', {}, rows) : '';
}

function pointLink(number, text = `point ${number}`) {
  const onclick = () => openPoint(number);
  const name = `${text}, show its recipe`;
  return el('button', {type: 'button', class: 'plain', 'aria-label': name, onclick}, text);
}

function stateOf(point) {
  const message = point.message ? `: ${point.message}` : '';
  const text = `${point.status}${message} · id ${point.id}`;
  const state = el('p', {class: isFailed(point) ? 'bad' : 'note'}, text);
  if (point.same_as !== null) state.append(' · the same result as ', pointLink(point.same_as));
  return state;
}

function pointHead(number, close) {
  const text = `Point ${number}${number === results.best ? ', the best' : ''}`;
  return el('header', {}, el('h2', {id: 'point-name'}, text), close);
}

function pointRecipe(point) {
  const text = point.recipe ?? '';
  const copy = copyButton('the recipe', () => text);
  return [
    el('div', {class: 'controls'}, el('strong', {}, 'Recipe'), copy),
    el('pre', {tabindex: '0', 'aria-label': 'recipe'}, text),
  ];
}

function openPoint(number) {
  const point = pointByNumber.get(number), dialog = document.getElementById('point');
  if (!point) return;
  const close = el('button', {type: 'button', onclick: () => dialog.close()}, 'Close');
  const command = exportCommand(number), copy = copyButton('the command', () => command);
  dialog.replaceChildren(
      pointHead(number, close), stateOf(point), figureList(point, settings),
      figureList(point, figures), el('div', {class: 'command'}, el('code', {}, command), copy),
      ...pointRecipe(point));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  close.focus();
  setHash('point', number);
}
