// Tables of many rows whose numbers change all the time. A row keeps its elements for as long as it is shown; an update
// writes only the cells whose text changed, and moves only the rows whose place changed.

import { element, paced, setText } from './dom.js';

// columns: [{ name, label, title, heads, number, text(row), link(row), share(row), badge(row), hint, sortable, descending }]
// or, of a cell that is drawn: [{ name, label, make(), paint(node, row) }]; with an image before its text: icon(row), which says
// which, or null, and makeIcon(row)
//   heads: the cell names its row; text: what the cell says; link: where it leads (asked once a row); share: 0..1, drawn
//   as a bar behind the text; hint: the text can be too long for its cell, so it is also a tooltip; descending: the first press on
//   its head puts the greatest on top; badge: { text, title } of a mark behind the text, or null; title: what the column means.
// key(row): what makes a row the same row. onSort(column): a head was pressed.
export class Table {
  constructor({ caption, columns, key, onSort, interval = 1000 }) {
    this.columns = columns;
    this.key = key;
    this.rows = [];
    this.shown = new Map();
    this.heads = new Map();
    const head = element('tr');
    for (const column of columns) {
      const th = element('th', { scope: 'col', class: classOf(column), title: column.title });
      if (onSort && column.sortable)
        th.append(element('button', { type: 'button', onclick: () => onSort(column) }, column.label));
      else th.append(column.label);
      this.heads.set(column.name, th);
      head.append(th);
    }
    this.body = element('tbody');
    this.node = element(
      'table',
      {},
      element('caption', { class: 'unseen' }, caption),
      element('thead', {}, head),
      this.body,
    );
    this.ask = paced(interval, () => this.paint());
  }

  stop() {
    this.ask.stop();
  }

  // Rows in the order in which they are to stand.
  show(rows) {
    this.rows = rows;
    this.ask();
  }

  setSorted(name, ascending) {
    for (const [column, th] of this.heads) {
      if (column === name) th.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
      else th.removeAttribute('aria-sort');
    }
  }

  paint() {
    const before = this.shown;
    this.shown = new Map();
    let place = this.body.firstElementChild;
    for (const row of this.rows) {
      const key = this.key(row);
      if (this.shown.has(key)) continue;
      const kept = before.get(key) ?? this.makeRow(row);
      before.delete(key);
      this.shown.set(key, kept);
      this.fill(kept, row);
      if (kept.node === place) place = place.nextElementSibling;
      else this.body.insertBefore(kept.node, place);
    }
    for (const { node } of before.values()) node.remove();
  }

  makeRow(row) {
    const made = { node: element('tr'), cells: [] };
    for (const column of this.columns) {
      const cell = element(column.heads ? 'th' : 'td', { class: classOf(column), scope: column.heads ? 'row' : null });
      if (column.make) {
        const target = column.make();
        cell.append(target);
        made.cells.push({ target });
        made.node.append(cell);
        continue;
      }
      const bar = column.share ? element('span', { class: 'bar', 'aria-hidden': 'true' }) : null;
      const target = column.link ? element('a', { href: column.link(row) }) : element('bdi');
      cell.append(...(bar ? [bar, target] : [target]));
      const badge = column.badge ? element('span', { class: 'badge', hidden: true }) : null;
      if (badge) cell.append(' ', badge);
      made.cells.push({ target, bar, badge, text: null, icon: null, width: null });
      made.node.append(cell);
    }
    return made;
  }

  fill(made, row) {
    this.columns.forEach((column, i) => {
      const cell = made.cells[i];
      if (column.paint) {
        column.paint(cell.target, row);
        return;
      }
      const text = column.text(row);
      const icon = column.icon?.(row) ?? null;
      if (text !== cell.text || icon !== cell.icon) {
        cell.target.textContent = cell.text = text;
        cell.icon = icon;
        if (icon !== null) cell.target.prepend(column.makeIcon(row), ' ');
        if (column.hint) cell.target.title = text;
      }
      if (cell.badge) {
        const badge = column.badge(row);
        cell.badge.hidden = !badge;
        setText(cell.badge, badge?.text ?? '');
        if (badge) cell.badge.title = badge.title;
      }
      if (!cell.bar) return;
      const width = Math.round(column.share(row) * 200) / 200;
      if (width !== cell.width) {
        cell.width = width;
        cell.bar.style.transform = `scaleX(${width})`;
      }
    });
  }
}

function classOf(column) {
  return [column.number ? 'number' : '', `column-${column.name}`].filter(Boolean).join(' ');
}
