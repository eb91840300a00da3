// Light, dark, or as the system has it. A classic script in the head, so that the first paint has the right colours.
(() => {
  const choices = ['auto', 'light', 'dark'];
  const key = 'hubbub-theme';

  function stored() {
    try {
      const choice = localStorage.getItem(key);
      return choices.includes(choice) ? choice : 'auto';
    } catch {
      return 'auto'; // storage can be forbidden
    }
  }

  function apply(choice) {
    document.documentElement.dataset.theme = choice;
    const button = document.getElementById('theme');
    if (button) button.textContent = `Theme: ${choice}`;
    dispatchEvent(new Event('themechange'));
  }

  apply(stored());
  document.addEventListener('DOMContentLoaded', () => {
    apply(stored());
    document.getElementById('theme').addEventListener('click', () => {
      const next = choices[(choices.indexOf(document.documentElement.dataset.theme) + 1) % choices.length];
      try {
        localStorage.setItem(key, next);
      } catch {
        // It then lasts until the page is left.
      }
      apply(next);
    });
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dispatchEvent(new Event('themechange')));
})();
