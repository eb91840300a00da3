// Any range: two times to choose, behind a button.

import { element } from './dom.js';

const pad = (number) => String(number).padStart(2, '0');

// As an input of local times takes it.
function local(s) {
  const date = new Date(s * 1000);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

export class RangePicker {
  // onPick(fromS, toS)
  constructor(onPick) {
    const input = (label) => element('input', { type: 'datetime-local', required: true, 'aria-label': label });
    this.from = input('From');
    this.to = input('To');
    this.summary = element('summary', {}, 'Pick');
    this.node = element(
      'details',
      { class: 'pick' },
      this.summary,
      element(
        'form',
        {
          onsubmit: (event) => {
            event.preventDefault();
            const times = [this.from, this.to].map(({ value }) => new Date(value).getTime() / 1000);
            if (times.some(Number.isNaN)) return;
            this.node.open = false;
            onPick(Math.min(...times), Math.max(...times));
          },
        },
        element('label', {}, 'From ', this.from),
        element('label', {}, 'To ', this.to),
        element('button', { type: 'submit', class: 'quiet' }, 'Show'),
      ),
    );
    this.node.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.node.open = false;
      this.summary.focus();
    });
  }

  // The span that is shown, and whether it was picked.
  show({ fromS, toS }, picked) {
    if (picked) this.summary.setAttribute('aria-current', 'true');
    else this.summary.removeAttribute('aria-current');
    if (this.node.open) return;
    this.from.value = local(fromS);
    this.to.value = local(toS);
  }
}
