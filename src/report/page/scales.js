// From values to pixels and to steps of the colour ramp.

/// Best and worst figure of a field. A few points far worse than most (merges that broke) do not
/// stretch it: isCut says so.
function rangeOf(field, list = points) {
  const sorted = withNumbers(list, field).sort(byFigure(field)).map(field.read);
  if (!sorted.length) return {best: 0, worst: 0, isCut: false};
  const best = sorted[0], last = sorted.at(-1), middle = sorted[Math.floor(sorted.length / 2)];
  const limit = best + 4 * (middle - best);
  const isCut = middle !== best && isBetter(field, limit + (limit - best), last);
  return {best, worst: isCut ? limit : last, isCut};
}

/// q0 (worst) … q8 (best).
function stepOf(value, {best, worst}) {
  const share = best === worst ? 1 : (value - worst) / (best - worst);
  return `q${Math.round(8 * Math.min(1, Math.max(0, share)))}`;
}

/// The round step (1, 2 or 5 times a power of ten) that cuts a span into at most `count` pieces.
function niceStep(span, count) {
  const power = 10 ** Math.floor(Math.log10(span / count));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= (span / count) * 0.999);
}

/// Round numbers inside [low, high], about `count`.
function niceTicks(low, high, count) {
  if (!(high > low)) return [low];
  const step = niceStep(high - low, Math.max(1, count));
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
    ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}

function widthOfText(text) { return 6.6 * text.length + 8; }

/// Drops labels that would touch the one before.
function thinned(ticks, isUpright) {
  const kept = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    const room = isUpright ? 15 : last ? (widthOfText(last.text) + widthOfText(tick.text)) / 2 : 0;
    if (!last || Math.abs(tick.at - last.at) >= room) kept.push(tick);
  }
  return kept;
}

/// An axis over numbers: at(value) in pixels, clamped to the axis; ticks.
function numberAxis(low, high, from, to, marks = null) {
  const span = high - low || Math.abs(high) || 1;
  const bottom = high === low ? low - span / 2 : low;
  const at = (value) => from + (to - from) * Math.min(1, Math.max(0, (value - bottom) / span));
  const count = Math.abs(to - from) / (Math.abs(to - from) < 320 ? 55 : 80);
  const values = marks ?? niceTicks(bottom, bottom + span, count);
  return {at, ticks: values.map((value) => ({at: at(value), text: short(show(value))}))};
}

/// An axis over a swept setting: numbers to scale, anything else one place each.
function settingAxis(field, from, to, isOrdinal = false) {
  const levels = levelsOf(field);
  if (!isOrdinal && levels.length > 1 && levels.every(isNumber))
    return numberAxis(levels[0], levels.at(-1), from, to, levels.length <= 12 ? levels : null);
  const place =
      new Map(levels.map((value, i) => [JSON.stringify(value), (i + 0.5) / levels.length]));
  const at = (value) => from + (to - from) * place.get(JSON.stringify(value));
  return {at, ticks: levels.map((value) => ({at: at(value), text: short(show(value))}))};
}
