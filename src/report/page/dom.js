// Making elements. Text from outside becomes text nodes and attribute values, never markup.

const page = document.documentElement.dataset;
page.errors = 0;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on'))
      node.addEventListener(name.slice(2), value);
    else
      node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svgEl(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/// A drawing of a fixed size in pixels; `title` is what a screen reader says.
function drawing(width, height, title, ...children) {
  return svgEl(
      'svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': title},
      svgEl('title', {}, title), ...children);
}

function label(x, y, text, attributes = {}) { return svgEl('text', {x, y, ...attributes}, text); }

/// A path through [x, y] pairs.
function pathThrough(places) {
  return places.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/// Attributes that make a shape a button for mouse, finger and keyboard.
function asButton(name, action) {
  return {
    role: 'button',
    tabindex: '0',
    'aria-label': name,
    onclick: action,
    onkeydown: (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      action();
    },
  };
}

async function copyText(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // no clipboard here (an old browser, a page without rights): the old way
    const area = el('textarea', {style: 'position:fixed;opacity:0'}, text);
    button.parentNode.append(area);
    area.select();
    done = document.execCommand('copy');
    area.remove();
  }
  button.textContent = done ? 'Copied' : 'Press Ctrl+C';
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 1500);
}

function copyButton(what, read) {
  const onclick = (event) => copyText(read(), event.currentTarget);
  const name = `Copy ${what}`;
  return el('button', {type: 'button', 'aria-label': name, 'aria-live': 'polite', onclick}, 'Copy');
}

/// A labelled choice among fields. Returns the label; its last child is the select.
function choice(text, fields, chosen, onchange) {
  const options = fields.map((field, i) => el('option', {value: i}, short(field.name, 36)));
  const select = el('select', {onchange}, options);
  select.selectedIndex = Math.max(0, fields.indexOf(chosen));
  return el('label', {}, `${text} `, select);
}

/// The part of the address after #, as names and values.
function readHash() { return new URLSearchParams(location.hash.slice(1)); }

function setHash(name, value) {
  const parts = readHash();
  if (value === null)
    parts.delete(name);
  else
    parts.set(name, value);
  try {
    history.replaceState(null, '', `#${parts}`);
  } catch {  // a preview pane may forbid it; the address is a convenience
  }
}
