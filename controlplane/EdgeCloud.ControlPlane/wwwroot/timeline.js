// Pointer and keys of the coverage timeline, and the bar under it that is dragged. The lanes themselves come from the server; what
// happens here is drawn over them at once and ends in an address (Blazor.navigateTo), so that the range, the cursor and the way back are
// in the address bar and nowhere else.
(() => {
  'use strict';
  const shortestMs = 1;

  function go(change, replace) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(change)) {
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    // Commas and colons are legible in a query; URLSearchParams would escape them.
    window.Blazor?.navigateTo(url.pathname + url.search.replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/'), { replaceHistoryEntry: replace });
  }

  class TimelineElement extends HTMLElement {
    static observedAttributes = ['data-from', 'data-to', 'data-cursor'];

    connectedCallback() {
      this.addEventListener('pointerdown', e => this.press(e));
      this.addEventListener('pointermove', e => this.hover(e));
      this.addEventListener('pointerleave', () => this.hush());
      this.addEventListener('wheel', e => this.turn(e), { passive: false });
      this.sizes = new ResizeObserver(() => this.settle());
      this.sizes.observe(this);
    }
    disconnectedCallback() { this.sizes?.disconnect(); clearTimeout(this.turning); }
    attributeChangedCallback(name) { if (name !== 'data-cursor') this.wanted = null; if (this.isConnected) requestAnimationFrame(() => this.settle()); }

    get range() { return this.wanted ?? { from: Number(this.dataset.from), to: Number(this.dataset.to) }; }
    get whole() { return { from: Number(this.dataset.wholeFrom), to: Number(this.dataset.wholeTo) }; }
    part(name) { return this.querySelector(name); }
    get lanes() { return this.part('.ec-tl-lanes'); }
    get plot() { return this.lanes?.querySelector('.ec-tl-area')?.getBoundingClientRect(); }

    // Time under a pointer, in the scale of the area that it is over.
    timeAt(event, area) {
      const box = area.getBoundingClientRect(), scale = area.dataset.area === 'whole' ? this.whole : { from: Number(this.dataset.from), to: Number(this.dataset.to) };
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      return scale.from + share * (scale.to - scale.from);
    }

    // Places what belongs to a moment: the cursor, and how much a pixel stands for.
    settle() {
      const plot = this.plot, cursor = this.part('.ec-tl-cursor');
      if (!plot || !cursor) return;
      const from = Number(this.dataset.from), to = Number(this.dataset.to), at = Number(this.dataset.cursor) / 1e6;
      cursor.hidden = !(this.dataset.cursor && at >= from && at <= to);
      cursor.style.left = `${this.offset(plot) + (at - from) / (to - from) * plot.width}px`;
      cursor.style.height = `${this.lanes.scrollHeight}px`;
      const perPixel = this.parentElement?.querySelector('[data-per-pixel]');
      if (perPixel && plot.width > 0) {
        const words = duration((to - from) / plot.width);
        if (perPixel.textContent !== words) perPixel.textContent = words;
      }
    }
    offset(plot) { return plot.left - this.lanes.getBoundingClientRect().left; }

    hover(event) {
      const area = event.target.closest?.('.ec-tl-area');
      if (!area || event.pointerType === 'touch') { if (!this.dragging) this.hush(); return; }
      const at = this.timeAt(event, area), hint = this.part('.ec-tl-hint'), cross = this.part('.ec-tl-cross');
      const lane = area.closest('[data-lane]')?.dataset.lane, state = event.target.closest('[data-state]')?.dataset.state;
      const title = event.target.querySelector?.('title')?.textContent ?? event.target.closest('[data-title]')?.dataset.title;
      hint.textContent = [window.edgecloudClock(at), lane, title ?? state].filter(Boolean).join('\n');
      hint.hidden = false;
      const me = this.getBoundingClientRect(), left = event.clientX - me.left;
      hint.style.left = `${left + 14 + hint.offsetWidth > me.width ? left - hint.offsetWidth - 10 : left + 14}px`;
      hint.style.top = `${event.clientY - me.top + 14}px`;
      if (area.dataset.area !== 'whole' && this.plot) {
        cross.hidden = false;
        cross.style.left = `${event.clientX - this.lanes.getBoundingClientRect().left}px`;
        cross.style.height = `${this.lanes.scrollHeight}px`;
      }
    }
    hush() { for (const name of ['.ec-tl-hint', '.ec-tl-cross']) { const part = this.part(name); if (part) part.hidden = true; } }

    press(event) {
      const area = event.target.closest?.('.ec-tl-area');
      if (!area || event.button !== 0 || event.target.closest('a, button')) return;
      const begin = event.clientX, from = this.timeAt(event, area), isWhole = area.dataset.area === 'whole';
      const box = area.getBoundingClientRect(), pick = this.part('.ec-tl-pick');
      this.dragging = true;
      event.preventDefault();
      const move = e => {
        if (isWhole || !this.lanes) return;
        const [left, right] = [begin, Math.min(box.right, Math.max(box.left, e.clientX))].sort((a, b) => a - b);
        pick.hidden = right - left < 4;
        pick.style.left = `${left - this.lanes.getBoundingClientRect().left}px`;
        pick.style.width = `${right - left}px`;
        pick.style.height = `${this.lanes.scrollHeight}px`;
      };
      const end = e => {
        removeEventListener('pointermove', move);
        removeEventListener('pointerup', end);
        removeEventListener('pointercancel', stop);
        this.dragging = false;
        pick.hidden = true;
        const to = this.timeAt(e, area);
        if (Math.abs(e.clientX - begin) >= 4) this.show(Math.min(from, to), Math.max(from, to), false);
        else if (isWhole) this.centre(from, false);
        else go({ t: BigInt(Math.round(from)) * 1000000n }, true);
      };
      const stop = () => { this.dragging = false; pick.hidden = true; removeEventListener('pointermove', move); removeEventListener('pointerup', end); };
      addEventListener('pointermove', move);
      addEventListener('pointerup', end);
      addEventListener('pointercancel', stop, { once: true });
    }

    turn(event) {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const area = event.target.closest?.('.ec-tl-area');
      if (area) this.zoom(Math.exp(event.deltaY * 0.0015), area.dataset.area === 'whole' ? null : this.timeAt(event, area));
    }

    // Around a moment; without one around the cursor, or the middle.
    zoom(factor, at) {
      const { from, to } = this.range, cursor = Number(this.dataset.cursor) / 1e6;
      const around = at ?? (cursor > from && cursor < to ? cursor : (from + to) / 2);
      const wanted = this.wanted = this.within(around - (around - from) * factor, around + (to - around) * factor);
      clearTimeout(this.turning);
      // Whatever the server says meanwhile.
      this.turning = setTimeout(() => this.show(wanted.from, wanted.to, true), 120);
    }
    within(from, to) {
      const { from: first, to: last } = this.whole;
      if (to - from < shortestMs) { const middle = (from + to) / 2; from = middle - shortestMs / 2; to = middle + shortestMs / 2; }
      return { from: Math.max(first, from), to: Math.min(last, to) };
    }
    show(from, to, replace) {
      const whole = this.whole, range = this.within(from, to);
      const all = range.from <= whole.from && range.to >= whole.to;
      go({ from: all ? null : new Date(range.from).toISOString(), to: all ? null : new Date(range.to).toISOString(), page: null }, replace);
    }
    centre(at, replace) {
      const { from, to } = this.range, whole = this.whole, width = to - from;
      const begin = Math.min(Math.max(whole.from, at - width / 2), whole.to - width);
      this.show(begin, begin + width, replace);
    }

    // To the next gap or loss, or the one before.
    jump(step) {
      const marks = (this.dataset.marks || '').split(' ').filter(Boolean).map(Number).sort((a, b) => a - b);
      if (marks.length === 0) { window.edgecloudSay('No gaps and no losses'); return; }
      const { from, to } = this.range, cursor = Number(this.dataset.cursor) / 1e6, here = cursor >= from && cursor <= to ? cursor : step > 0 ? from : to;
      const next = step > 0 ? marks.find(m => m > here + 0.5) : marks.findLast(m => m < here - 0.5);
      if (next === undefined) { window.edgecloudSay(step > 0 ? 'No further gap or loss' : 'No earlier gap or loss'); return; }
      const whole = this.whole, width = to - from, begin = Math.min(Math.max(whole.from, next - width / 2), whole.to - width);
      const range = this.within(begin, begin + width), all = range.from <= whole.from && range.to >= whole.to;
      go({
        t: BigInt(Math.round(next)) * 1000000n,
        from: all ? null : new Date(range.from).toISOString(),
        to: all ? null : new Date(range.to).toISOString(),
      }, true);
      window.edgecloudSay(`Gap or loss at ${window.edgecloudClock(next)}`);
    }
  }
  customElements.define('ec-timeline', TimelineElement);

  function duration(ms) {
    if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    return ms < 60000 ? `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s` : `${(ms / 60000).toFixed(1)} min`;
  }

  // --- the bar between lanes and panels: its place is the reader's taste, so it is remembered here and not in the address -------------
  const least = 90, most = 1200;
  class SplitterElement extends HTMLElement {
    connectedCallback() {
      this.addEventListener('pointerdown', e => this.press(e));
      this.addEventListener('keydown', e => {
        const step = { ArrowUp: -24, ArrowDown: 24, PageUp: -120, PageDown: 120 }[e.key];
        if (step) { e.preventDefault(); this.set(this.height + step); }
      });
      this.set(Number(localStorage.getItem('ec-lanes')) || 340);
    }
    get height() { return Number(this.getAttribute('aria-valuenow')) || 340; }
    set(height) {
      const kept = Math.min(most, Math.max(least, Math.round(height)));
      document.documentElement.style.setProperty('--ec-lanes-height', `${kept}px`);
      this.setAttribute('aria-valuenow', kept);
      localStorage.setItem('ec-lanes', kept);
    }
    press(event) {
      event.preventDefault();
      const lanes = document.querySelector('.ec-tl-lanes');
      // Lanes that are lower than what they may be begin to move at once.
      const begin = event.clientY, height = lanes ? lanes.offsetHeight : this.height;
      const move = e => this.set(height + e.clientY - begin);
      const end = () => { removeEventListener('pointermove', move); removeEventListener('pointerup', end); };
      addEventListener('pointermove', move);
      addEventListener('pointerup', end);
    }
  }
  customElements.define('ec-splitter', SplitterElement);

  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable], .rz-dialog, dialog')) return;
    const timeline = document.querySelector('ec-timeline');
    if (!timeline) return;
    if (event.key === ']') timeline.jump(1);
    else if (event.key === '[') timeline.jump(-1);
    else if (event.key === '+' || event.key === '=') timeline.zoom(0.5);
    else if (event.key === '-') timeline.zoom(2);
    else return;
    event.preventDefault();
  });
})();
