// Sends the text, shows what comes back, and lets pointer and keyboard go from entity to entity.
'use strict';

const at = (id) => document.getElementById(id);
const form = at('question'), text = at('text'), results = at('results'), fault = at('fault'), count = at('count');
const summary = at('summary');
const limit = Number(text.dataset.limit);
const figure = (n) => n.toLocaleString('en-US');
const characters = () => [...text.value].length;  // code points, as the server counts, not UTF-16 units
let asked = new AbortController(), said = summary.textContent, pointed;

function tell(message, ofText = false) {
  fault.textContent = message;
  fault.hidden = !message;
  text.setAttribute('aria-invalid', ofText);
}

function measure() {
  const length = characters();
  count.textContent = `${figure(length)} of ${figure(limit)} characters`;
  count.classList.toggle('over-limit', length > limit);
}

async function answer(signal) {
  const body = JSON.stringify({text: text.value});
  const response = await fetch('/entities', {method: 'POST', headers: {'Content-Type': 'application/json'}, body, signal});
  const found = await response.json();
  return response.ok ? found : {fault: found.error, ofText: response.status < 500};
}

async function ask() {
  asked.abort();
  const mine = asked = new AbortController();
  const slow = setTimeout(() => { summary.textContent = 'Reading…'; }, 400);
  results.setAttribute('aria-busy', 'true');
  try {
    const found = await answer(mine.signal);
    tell(found.fault ?? '', found.ofText);
    if (found.html !== undefined) {
      pointed = undefined;
      results.innerHTML = found.html;  // escaped by the server's template
      said = found.summary;
    }
  } catch (error) {
    if (mine.signal.aborted) return;  // a newer question is on its way
    tell('The server does not answer. Start it again with make demo, then try once more.');
  } finally {
    clearTimeout(slow);
  }
  if (summary.textContent !== said) summary.textContent = said;
  results.removeAttribute('aria-busy');
}

function point(target) {
  const place = (target ?? document.activeElement)?.closest('#results [data-place]')?.dataset.place;
  if (place === pointed) return;
  pointed = place;
  for (const one of results.querySelectorAll('[data-place]')) one.classList.toggle('here', one.dataset.place === place);
  for (const line of results.querySelectorAll('.detail')) {
    const own = [...line.parentElement.querySelectorAll('mark.here')].map((one) => one.dataset.detail);
    line.textContent = place === undefined ? line.dataset.else : own.join('; ') || 'not asked: none of its types';
    line.classList.toggle('told', place !== undefined);
  }
}

function walk(event) {
  const mark = event.target.closest('mark[data-place]');
  if (!mark) return;
  const marks = [...mark.parentElement.querySelectorAll('mark')], i = marks.indexOf(mark);
  const next = {ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: marks.length - 1}[event.key];
  if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const chosen = marks[next];
  if (!chosen) return;
  mark.tabIndex = -1;
  chosen.tabIndex = 0;
  chosen.focus();
}

form.addEventListener('submit', (event) => { event.preventDefault(); ask(); });
form.addEventListener('click', (event) => {
  if (event.target.dataset.text === undefined) return;
  text.value = event.target.dataset.text;
  measure();
  ask();
});
text.addEventListener('input', measure);
text.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); }
});
results.addEventListener('keydown', walk);
results.addEventListener('focusin', (event) => point(event.target));
results.addEventListener('focusout', () => point(document.body));
results.addEventListener('pointerover', (event) => point(event.target.closest('[data-place]')));
results.addEventListener('pointerleave', () => point(null));
