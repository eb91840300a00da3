// Images of Twitch's emotes, if the reader turns them on. They come from Twitch's servers, and until then nothing is asked
// of those. Whoever shows some listens to 'emoteschange': the choice, or the theme, is another one.

import { element } from './dom.js';
import { harmless } from './format.js';

const host = 'https://static-cdn.jtvnw.net/emoticons/v2'; // the one that the Content-Security-Policy allows
const key = 'hubbub-emotes';
const plainId = /^[A-Za-z0-9_]{1,100}$/; // what can stand in an address as it is
const inMessage = 200; // at most
const namesKept = 2000;
const failuresKept = 500;

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const ids = new Map(); // an emote's name -> its id, of messages that were shown
const failed = new Set(); // ids whose image did not come: not asked for again
let on = false;
try {
  on = localStorage.getItem(key) === 'images';
} catch {
  // Storage can be forbidden; the choice then lasts until the page is left.
}
addEventListener('themechange', tell);

function tell() {
  if (on) dispatchEvent(new Event('emoteschange'));
}

// The switch; a view has one.
export function makeEmoteSwitch() {
  const button = element(
    'button',
    {
      type: 'button',
      class: 'quiet',
      'aria-pressed': String(on),
      title: 'Twitch’s emotes as images. They come from Twitch’s servers, which see who asks.',
      onclick: () => {
        on = !on;
        failed.clear();
        button.setAttribute('aria-pressed', String(on));
        try {
          localStorage.setItem(key, on ? 'images' : 'text');
        } catch {
          // As above.
        }
        dispatchEvent(new Event('emoteschange'));
      },
    },
    'Emote images',
  );
  return button;
}

function address(id) {
  return `${host}/${id}/${calm.matches ? 'static' : 'default'}/${document.documentElement.dataset.theme}/1.0`;
}

// Where the image of an emote is, as far as messages told; else null.
export function addressOf(name) {
  const id = on ? ids.get(name) : undefined;
  return id === undefined || failed.has(id) ? null : address(id);
}

// The image of an emote that addressOf() knows, beside its name.
export function makeIcon(name) {
  return makeEmote(ids.get(name), name, '');
}

// alt: what stands there for those who do not see it, and if it does not come.
function makeEmote(id, name, alt = name) {
  const image = element('img', {
    class: 'emote',
    src: address(id),
    alt: harmless(alt),
    title: harmless(name),
    width: 22,
    height: 22,
    loading: 'lazy',
    decoding: 'async',
    onerror: () => {
      if (failed.size >= failuresKept) failed.clear();
      failed.add(id);
      image.replaceWith(image.alt);
    },
  });
  return image;
}

function note(name, id) {
  ids.delete(name);
  ids.set(name, id);
  if (ids.size > namesKept) ids.delete(ids.keys().next().value);
}

// Puts a message's text into an element: row.emotes says where it names emotes, in code points.
export function fillText(node, row) {
  if (!on || !Array.isArray(row.emotes)) {
    node.textContent = harmless(row.text);
    return;
  }
  const points = Array.from(String(row.text ?? ''));
  const between = (from, to) => points.slice(from, to).join('');
  const pieces = [];
  let at = 0;
  for (const { id, begin, end } of row.emotes.slice(0, inMessage)) {
    const placed = Number.isInteger(begin) && Number.isInteger(end) && begin >= at && begin < end && end <= points.length;
    if (!placed || !plainId.test(id)) continue;
    const name = between(begin, end);
    note(name, id);
    if (failed.has(id)) continue;
    pieces.push(harmless(between(at, begin)), makeEmote(id, name));
    at = end;
  }
  node.replaceChildren(...pieces, harmless(between(at)));
}
