// The portal's own script: what must not cost a message to the server (times, ages, copying, theme, keys), and the state of the
// connection. Loaded before the body, so that nothing is painted in the wrong theme or without its times.
(() => {
  'use strict';
  const root = document.documentElement;
  const year = 60 * 60 * 24 * 365;
  const remember = (name, value) => { document.cookie = `${name}=${value};path=/;max-age=${year};samesite=lax`; };
  const recall = name => document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1];

  // --- theme: light, dark, or what the system says -----------------------------------------------------------------------------
  const darkSystem = matchMedia('(prefers-color-scheme: dark)');
  function applyTheme() {
    const chosen = recall('ec-theme');
    const dark = chosen === 'dark' || (chosen !== 'light' && darkSystem.matches);
    root.dataset.theme = dark ? 'dark' : 'light';
    for (const link of document.querySelectorAll('link[data-theme-css]'))
      link.media = (link.dataset.themeCss === 'dark') === dark ? 'all' : 'not all';
  }
  applyTheme();
  darkSystem.addEventListener('change', applyTheme);

  // --- times -------------------------------------------------------------------------------------------------------------------
  let utc = recall('ec-zone') === 'utc';
  root.dataset.zone = utc ? 'utc' : 'local';
  const two = n => String(n).padStart(2, '0');
  const three = n => String(n).padStart(3, '0');
  function parts(t) {
    return utc
      ? { date: `${t.getUTCFullYear()}-${two(t.getUTCMonth() + 1)}-${two(t.getUTCDate())}`, clock: `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`, ms: three(t.getUTCMilliseconds()) }
      : { date: `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`, clock: `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`, ms: three(t.getMilliseconds()) };
  }
  function age(seconds) {
    if (seconds < 1) return 'now';
    return seconds < 60 ? `${Math.floor(seconds)} s ago` : `${Math.floor(seconds / 60)} min ago`;
  }
  function write(t, mode) {
    const p = parts(t);
    if (mode === 'age') {
      const seconds = (Date.now() - t) / 1000;
      if (seconds < 3600) return age(seconds);
    }
    if (mode === 'clock') return p.date === parts(new Date()).date ? p.clock : `${p.date} ${p.clock}`;
    return mode === 'full' ? `${p.date} ${p.clock}.${p.ms}` : `${p.date} ${p.clock}`;
  }
  const shownTimes = new Set();
  class MomentElement extends HTMLElement {
    static observedAttributes = ['datetime', 'mode', 'ns'];
    connectedCallback() { shownTimes.add(this); this.show(); }
    disconnectedCallback() { shownTimes.delete(this); }
    attributeChangedCallback() { if (this.isConnected) this.show(); }
    show() {
      const text = this.getAttribute('datetime');
      if (!text) return;
      let time = this.firstElementChild;
      if (!time) { time = document.createElement('time'); this.append(time); }
      const at = new Date(text), words = write(at, this.getAttribute('mode') || 'full'), ns = this.getAttribute('ns');
      if (time.textContent !== words) time.textContent = words;
      time.dateTime = text;
      time.title = `${text.replace('T', ' ').replace('Z', '')} UTC` + (ns ? `\n${ns} ns` : '');
    }
  }
  customElements.define('ec-time', MomentElement);
  setInterval(() => { for (const t of shownTimes) if (t.getAttribute('mode') === 'age') t.show(); }, 1000);

  // --- clicks: theme, zone, copying, menus ---------------------------------------------------------------------------------------
  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const icon = button.querySelector('.rzi');
    if (icon) icon.textContent = 'check';
    say('Copied');
    setTimeout(() => { if (icon) icon.textContent = 'content_copy'; }, 1500);
  }
  function say(words) {
    const status = document.getElementById('ec-announcer');
    if (status) status.textContent = words;
  }
  document.addEventListener('click', event => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest('button');
    if (button?.dataset.copy !== undefined) copy(button);
    if (button?.dataset.action === 'theme') {
      remember('ec-theme', root.dataset.theme === 'dark' ? 'light' : 'dark');
      applyTheme();
    }
    if (button?.dataset.action === 'zone') {
      utc = !utc;
      remember('ec-zone', utc ? 'utc' : 'local');
      root.dataset.zone = utc ? 'utc' : 'local';
      for (const t of shownTimes) t.show();
    }
    if (button?.dataset.action === 'reload') location.reload();
    if (button?.dataset.action === 'help') document.getElementById('ec-help')?.showModal();
    for (const menu of document.querySelectorAll('details.ec-menu[open]'))
      if (!menu.contains(target) || target.closest('a')) menu.open = false;
      else if (menu.matches('.ec-row-menu') && target.closest('button')) close(menu, true);
  });

  // --- menus of rows: beside their button, over whatever is there; gone when the row moves or the focus leaves ---------------------
  function close(menu, keepFocus = false) {
    menu.open = false;
    if (keepFocus) menu.querySelector('summary').focus();
  }
  const openRowMenus = () => document.querySelectorAll('.ec-row-menu[open]');
  document.addEventListener('toggle', event => {
    const menu = event.target;
    if (!(menu instanceof Element) || !menu.matches('.ec-row-menu[open]')) return;
    const button = menu.querySelector('summary').getBoundingClientRect(), below = innerHeight - button.bottom > 240;
    menu.style.setProperty('--ec-menu-right', `${innerWidth - button.right}px`);
    menu.style.setProperty('--ec-menu-top', below ? `${button.bottom + 2}px` : 'auto');
    menu.style.setProperty('--ec-menu-bottom', below ? 'auto' : `${innerHeight - button.top + 2}px`);
  }, true);
  document.addEventListener('focusin', event => { for (const menu of openRowMenus()) if (!menu.contains(event.target)) close(menu); });
  for (const moved of ['scroll', 'resize']) addEventListener(moved, () => { for (const menu of openRowMenus()) close(menu); }, true);

  // For the other scripts: a moment in the viewer's zone, and a word for screen readers.
  window.edgecloudClock = ms => write(new Date(ms), 'full');
  window.edgecloudSay = say;

  // --- keys: / search, j k rows, e export, ? help; those of the timeline are in timeline.js ------------------------------------------------------------------------------------------
  function moveRow(step) {
    const links = [...document.querySelectorAll('main .ec-row-link')];
    if (links.length === 0) return;
    const at = links.findIndex(l => l.closest('tr')?.contains(document.activeElement));
    links[Math.min(links.length - 1, Math.max(0, at < 0 ? 0 : at + step))].focus();
  }
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') for (const menu of document.querySelectorAll('details.ec-menu[open]')) { menu.open = false; menu.querySelector('summary').focus(); }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable], .rz-dialog, dialog')) return;
    if (event.key === '/') { const box = document.getElementById('ec-search'); if (box) { box.focus(); event.preventDefault(); } }
    else if (event.key === 'j') moveRow(1);
    else if (event.key === 'k') moveRow(-1);
    else if (event.key === 'e') document.querySelector('[data-key="e"]')?.click();
    else if (event.key === '?') document.getElementById('ec-help')?.showModal();
  });

  // --- the connection: Blazor sets classes on #components-reconnect-modal -----------------------------------------------------------
  function watchConnection() {
    const bar = document.getElementById('components-reconnect-modal');
    if (!bar) return;
    let wasLost = false, asking = 0;
    new MutationObserver(() => {
      const has = name => bar.classList.contains(`components-reconnect-${name}`);
      const lost = has('show') || has('failed') || has('rejected');
      if (lost && !wasLost) {
        const frozen = document.getElementById('ec-frozen-at');
        if (frozen) frozen.textContent = parts(new Date()).clock;
      }
      wasLost = lost;
      root.classList.toggle('ec-disconnected', lost);
      // The server no longer knows this page: only a fresh one helps, as soon as somebody answers.
      if (has('rejected')) location.reload();
      if (has('failed') && !asking)
        asking = setInterval(() => fetch('/healthz', { cache: 'no-store' }).then(() => location.reload(), () => { }), 5000);
    }).observe(bar, { attributes: true, attributeFilter: ['class'] });
  }
  document.addEventListener('DOMContentLoaded', () => { applyTheme(); watchConnection(); });

  // Called by the layout when its circuit stands: from then on buttons do something. Returns where the browser is.
  window.edgecloudIsLive = () => { root.dataset.live = ''; return location.href; };
})();
