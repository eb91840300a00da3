// Building elements, and painting at a bounded pace. Nothing in this dashboard writes HTML: text from chat can only
// become text nodes.

// element('td', { class: 'number', 'aria-hidden': 'true', onclick: f }, 'text', child, ...)
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// From a view to that of all channels.
export function backLink() {
  return element(
    'a',
    { class: 'back', href: '#/', title: 'All channels' },
    element('span', { 'aria-hidden': 'true' }, '‹'),
    element('span', { class: 'unseen' }, 'All channels'),
  );
}

// Touches the document only where it changes something.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Whether someone's mouse rests on it. A finger that touched it last does not count.
const canHover = matchMedia('(hover: hover)');

export function isPointedAt(node) {
  return canHover.matches && node.matches(':hover');
}

// Returns a function that asks for a paint: it comes with the next frame, but at least `interval` ms after the last
// one, however often it is asked for. Hidden pages get no frames and so do no work.
export function paced(interval, paint) {
  let asked = false;
  let last = -Infinity;
  let timer = 0;
  let frame = 0;

  function run() {
    asked = false;
    last = performance.now();
    paint();
  }
  function ask() {
    if (asked) return;
    asked = true;
    const wait = last + interval - performance.now();
    if (wait > 0) timer = setTimeout(() => (frame = requestAnimationFrame(run)), wait);
    else frame = requestAnimationFrame(run);
  }
  ask.stop = () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    asked = true; // nothing comes after this
  };
  return ask;
}
