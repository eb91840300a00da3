// Light, dark, or as the system has it. A classic script in the head, so that the first paint has the right colours.
(() => {
  const choices = ['auto', 'light', 'dark'];
  const key = 'hubbub-theme';
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  let choice = 'auto';

  function apply() {
    const dark = choice === 'dark' || (choice === 'auto' && systemIsDark.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    const button = document.getElementById('theme');
    if (button) button.textContent = `Theme: ${choice}`;
    dispatchEvent(new Event('themechange'));
  }

  try {
    const stored = localStorage.getItem(key);
    if (choices.includes(stored)) choice = stored;
  } catch {
    // Storage can be forbidden; a choice then lasts until the page is left.
  }
  apply();
  systemIsDark.addEventListener('change', apply);
  document.addEventListener('DOMContentLoaded', () => {
    apply();
    document.getElementById('theme').addEventListener('click', () => {
      choice = choices[(choices.indexOf(choice) + 1) % choices.length];
      try {
        localStorage.setItem(key, choice);
      } catch {
        // As above.
      }
      apply();
    });
  });
})();
