// The last half hour of a channel as a small line, scaled to its own greatest minute.

const svg = 'http://www.w3.org/2000/svg';
const height = 20; // units of the drawing; style.css says how large they are

export function makeSpark() {
  const node = document.createElementNS(svg, 'svg');
  node.setAttribute('class', 'spark');
  node.setAttribute('preserveAspectRatio', 'none');
  node.setAttribute('aria-hidden', 'true');
  for (const name of ['spark-fill', 'spark-line']) {
    const path = document.createElementNS(svg, 'path');
    path.setAttribute('class', name);
    node.append(path);
  }
  return node;
}

export function paintSpark(node, values) {
  const drawn = Array.isArray(values) && values.length > 1 ? String(values) : '';
  if (node.drawn === drawn) return;
  node.drawn = drawn;
  node.toggleAttribute('hidden', drawn === '');
  if (drawn === '') return;
  const most = Math.max(1, ...values);
  const points = values.map((value, i) => `${i} ${(height - 1 - ((height - 2) * value) / most).toFixed(1)}`).join('L');
  node.setAttribute('viewBox', `0 0 ${values.length - 1} ${height}`);
  node.firstChild.setAttribute('d', `M0 ${height}L${points}L${values.length - 1} ${height}Z`);
  node.lastChild.setAttribute('d', `M${points}`);
}
