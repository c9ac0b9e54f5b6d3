// Plots and image strips of a session. They draw themselves from the server's figures, so that hovering, crosshair and scrubbing cost no
// message to the server; the cursor and the range are committed through the page's own fields (see PreviewCursor.razor).
(() => {
  'use strict';
  const root = document.documentElement;
  const seriesMax = 6;
  const plots = new Set();
  let hoverNs = null;

  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const two = n => String(n).padStart(2, '0');
  function clock(ns, stepNs) {
    const t = new Date(Number(ns / 1000000n)), utc = root.dataset.zone === 'utc';
    const [h, m, s, ms] = utc
      ? [t.getUTCHours(), t.getUTCMinutes(), t.getUTCSeconds(), t.getUTCMilliseconds()]
      : [t.getHours(), t.getMinutes(), t.getSeconds(), t.getMilliseconds()];
    return `${two(h)}:${two(m)}:${two(s)}` + (stepNs < 1e9 ? `.${String(ms).padStart(3, '0')}` : '');
  }
  function figure(value) {
    if (value === null || value === undefined) return '-';
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(3);
    return Number(value.toPrecision(5)).toString();
  }
  function span(ns) {
    const s = ns / 1e9;
    return s >= 60 ? `${+(s / 60).toPrecision(3)} min` : s >= 1 ? `${+s.toPrecision(3)} s` : s >= 1e-3 ? `${+(s * 1e3).toPrecision(3)} ms` : `${+(s * 1e6).toPrecision(3)} µs`;
  }
  function steps(least, greatest, count) {
    const raw = (greatest - least) / Math.max(1, count), unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(f => f * unit).find(f => f >= raw) ?? raw, found = [];
    for (let v = Math.ceil(least / step) * step; v <= greatest + step * 1e-9; v += step) found.push(Math.abs(v) < step * 1e-9 ? 0 : v);
    return found;
  }
  // A tab that nobody sees asks for nothing.
  const seen = signal => !document.hidden ? Promise.resolve() : new Promise((go, stop) => {
    const end = then => { document.removeEventListener('visibilitychange', shown); signal.removeEventListener('abort', aborted); then(); };
    const shown = () => { if (!document.hidden) end(go); };
    const aborted = () => end(() => stop(signal.reason));
    document.addEventListener('visibilitychange', shown);
    signal.addEventListener('abort', aborted);
  });
  document.addEventListener('visibilitychange', () => {
    const box = document.querySelector('input[data-preview="hidden"]');
    if (!box) return;
    box.checked = document.hidden;
    box.dispatchEvent(new Event('change', { bubbles: true }));
  });
  const pause = (ms, signal) => new Promise(go => { setTimeout(go, ms); signal.addEventListener('abort', go, { once: true }); });
  async function problem(answer) {
    const body = await answer.json().catch(() => null);
    return body?.detail || body?.title || `The server answered ${answer.status}.`;
  }
  function commit(field, value) {
    const input = document.querySelector(`input[data-preview="${field}"]`);
    if (!input) return;
    input.value = value;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }

  // --- plots -------------------------------------------------------------------------------------------------------------------
  const left = 64, right = 10, top = 8, bottom = 20, stripHeight = 190;

  class PlotElement extends HTMLElement {
    static observedAttributes = ['src', 'cursor'];
    connectedCallback() {
      if (!this.body) this.build();
      plots.add(this);
      this.resizing = new ResizeObserver(() => { if (this.width() !== this.drawnWidth) this.load(); });
      this.resizing.observe(this);
      this.load();
    }
    disconnectedCallback() {
      plots.delete(this);
      this.resizing?.disconnect();
      this.asking?.abort();
    }
    attributeChangedCallback(name, before, after) {
      if (!this.body || before === after) return;
      if (name === 'src') this.load(); else this.overlay();
    }
    width() { return Math.max(120, Math.floor(this.clientWidth)); }
    build() {
      this.status = make('div', 'ec-plot-status');
      this.status.setAttribute('role', 'status');
      this.body = make('div', 'ec-plot-body');
      this.key = make('table', 'ec-table ec-plot-key');
      this.notes = make('ul', 'ec-plot-notes');
      const scroll = make('div', 'ec-scroll');
      scroll.tabIndex = 0;
      scroll.append(this.key);
      this.append(this.status, this.body, scroll, this.notes);
    }
    async load() {
      this.asking?.abort();
      const src = this.getAttribute('src');
      if (!src) return;
      const asking = this.asking = new AbortController();
      this.drawnWidth = this.width();
      const columns = Math.min(4000, Math.max(60, this.drawnWidth - left - right));
      // A plot that is being replaced stays, dimmed: no flicker while zooming.
      this.body.classList.add('ec-stale');
      const begun = performance.now();
      try {
        for (let wait = 250; ; wait = 2500) {
          await seen(asking.signal);
          const answer = await fetch(`${src}&columns=${columns}&wait_ms=${wait}`, { signal: asking.signal, headers: { accept: 'application/json' } });
          if (answer.status === 503) {
            this.fail(`${await problem(answer)} The plot goes on by itself.`);
            await pause(1000 * (Number(answer.headers.get('retry-after')) || 5), asking.signal);
            continue;
          }
          if (!answer.ok) { this.fail(await problem(answer)); return; }
          const text = await answer.text(), data = JSON.parse(text);
          // A number of a script is too coarse for nanoseconds since 1970.
          data.from = BigInt(/"from_ns":(\d+)/.exec(text)[1]);
          data.to = BigInt(/"to_ns":(\d+)/.exec(text)[1]);
          this.show(data, performance.now() - begun);
          if (data.complete) return;
        }
      } catch (error) {
        if (error.name === 'AbortError') return;
        this.fail('The server cannot be reached; the plot loads again when you change it.');
        // An error of this script is not the network's: it belongs into the console.
        if (navigator.onLine && !(error instanceof TypeError && /fetch/i.test(error.message))) throw error;
      }
    }
    fail(words) {
      this.data = null;
      this.body.replaceChildren();
      this.key.replaceChildren();
      this.notes.replaceChildren();
      this.status.className = 'ec-plot-status ec-bad';
      this.status.textContent = words;
    }
    show(data, ms) {
      this.data = data;
      this.body.classList.remove('ec-stale');
      this.status.className = 'ec-plot-status';
      const pixel = Number(data.to - data.from) / data.columns;
      this.status.textContent = data.complete
        ? `1 px = ${span(pixel)}; least and greatest value of each; read ${(data.read.bytes / 1048576).toPrecision(3)} MiB in ${data.read.requests} requests, ${Math.round(ms)} ms`
        : `Reading: ${data.segments_read} of ${data.segments} segments. What is drawn is right as far as it goes.`;
      this.dataset.complete = data.complete;
      const units = [...new Set(data.series.map(s => s.unit))];
      this.strips = units.map(unit => new Strip(this, unit, data.series.map((s, i) => ({ ...s, i })).filter(s => s.unit === unit)));
      this.body.replaceChildren(...this.strips.map(s => s.box));
      this.legend();
      this.draw();
      this.notes.replaceChildren(...data.holes.slice(0, 20).map(h => make('li', '', `${clock(BigInt(h.from_ns), 1e9)} to ${clock(BigInt(h.to_ns), 1e9)}: ${h.reason}`)));
    }
    draw() { this.strips?.forEach(s => s.draw()); this.overlay(); }
    overlay() { this.strips?.forEach(s => s.overlay()); this.values(); }
    legend() {
      const head = make('tr'), body = make('tbody');
      for (const [words, number] of [['Series'], ['At cursor', true], ['Least', true], ['Greatest', true], ['Unit'], ['Values', true], ['NaN', true], ['Lost', true]]) {
        const cell = make('th', number ? 'ec-num' : '', words);
        cell.scope = 'col';
        head.append(cell);
      }
      this.cells = this.data.series.map((s, i) => {
        const row = make('tr'), name = make('td'), swatch = make('i', `ec-swatch ec-series-${i % seriesMax}`);
        name.append(swatch, make('code', '', `${s.topic} ${s.field}`));
        const at = make('td', 'ec-num', '-'), lost = s.losses.reduce((n, l) => n + l.messages, 0);
        row.append(name, at, make('td', 'ec-num', figure(s.min)), make('td', 'ec-num', figure(s.max)), make('td', '', s.unit || '-'),
          make('td', 'ec-num', String(s.count)), make('td', 'ec-num', String(s.not_finite)), make('td', `ec-num${lost ? ' ec-lost' : ''}`, String(lost)));
        lost && (row.lastChild.title = s.losses.map(l => `${l.messages} near ${clock(BigInt(l.from_ns), 1e9)} (${l.cause})`).join('\n'));
        body.append(row);
        return at;
      });
      const header = make('thead');
      header.append(head);
      this.key.replaceChildren(header, body);
      this.values();
    }
    cursorNs() { const text = this.getAttribute('cursor'); return text ? BigInt(text) : null; }
    values() {
      if (!this.data || !this.cells) return;
      const ns = hoverNs ?? this.cursorNs();
      this.data.series.forEach((s, i) => {
        const at = ns === null ? -1 : nearest(s.t, Number(ns - this.data.from));
        this.cells[i].textContent = at < 0 ? '-' : s.v[at] === null ? 'none' : figure(s.v[at]);
      });
    }
  }

  function nearest(times, t) {
    if (times.length === 0) return -1;
    let low = 0, high = times.length - 1;
    while (low < high) { const middle = (low + high) >> 1; if (times[middle] < t) low = middle + 1; else high = middle; }
    return low > 0 && t - times[low - 1] < times[low] - t ? low - 1 : low;
  }

  // The series of one unit, with their own axis.
  class Strip {
    constructor(plot, unit, series) {
      Object.assign(this, { plot, unit, series });
      this.box = make('div', 'ec-plot-strip');
      this.picture = make('canvas');
      this.cover = make('canvas');
      this.picture.setAttribute('role', 'img');
      this.picture.setAttribute('aria-label', `Plot of ${series.map(s => `${s.topic} ${s.field}`).join(', ')}${unit ? ` in ${unit}` : ''}; the table below has its figures`);
      this.cover.setAttribute('aria-hidden', 'true');
      this.box.append(this.picture, this.cover);
      this.cover.addEventListener('pointermove', e => this.moved(e));
      this.cover.addEventListener('pointerleave', () => { hoverNs = null; for (const p of plots) p.overlay(); });
      this.cover.addEventListener('pointerdown', e => { this.cover.setPointerCapture(e.pointerId); this.from = this.x(e); });
      this.cover.addEventListener('pointerup', e => this.released(e));
      this.cover.addEventListener('wheel', e => this.wheel(e), { passive: false });
    }
    get w() { return this.plot.drawnWidth - left - right; }
    get h() { return stripHeight - top - bottom; }
    x(event) { return Math.min(this.w, Math.max(0, event.clientX - this.cover.getBoundingClientRect().left - left)); }
    nsAt(x) { const d = this.plot.data; return d.from + BigInt(Math.round(Number(d.to - d.from) * x / this.w)); }
    xAt(ns) { const d = this.plot.data; return left + Number(ns - d.from) * this.w / Number(d.to - d.from); }
    moved(event) {
      this.now = this.x(event);
      hoverNs = this.nsAt(this.now);
      for (const p of plots) p.overlay();
    }
    released(event) {
      const from = this.from, to = this.x(event);
      this.from = undefined;
      if (from === undefined) return;
      if (Math.abs(to - from) < 4) { commit('cursor', String(this.nsAt(to))); return; }
      commit('range', `${this.nsAt(Math.min(from, to))} ${this.nsAt(Math.max(from, to))}`);
    }
    wheel(event) {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const d = this.plot.data, at = this.nsAt(this.x(event)), factor = event.deltaY > 0 ? 2 : 0.5;
      const scale = n => BigInt(Math.round(Number(n) * factor));
      clearTimeout(this.wheeling);
      this.wheeling = setTimeout(() => commit('range', `${at - scale(at - d.from)} ${at + scale(d.to - at)}`), 120);
    }
    prepare(canvas) {
      const ratio = devicePixelRatio || 1, width = this.plot.drawnWidth;
      canvas.width = width * ratio;
      canvas.height = stripHeight * ratio;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${stripHeight}px`;
      const c = canvas.getContext('2d');
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      c.clearRect(0, 0, width, stripHeight);
      c.font = '12px system-ui, sans-serif';
      return c;
    }
    draw() {
      const c = this.prepare(this.picture), d = this.plot.data;
      const some = this.series.filter(s => s.min !== null);
      let least = Math.min(...some.map(s => s.min)), greatest = Math.max(...some.map(s => s.max));
      if (some.length === 0) [least, greatest] = [0, 1];
      if (least === greatest) { const pad = Math.abs(least) * 0.01 || 1; least -= pad; greatest += pad; }
      const pad = (greatest - least) * 0.05;
      least -= pad; greatest += pad;
      const y = v => top + (greatest - v) * this.h / (greatest - least);
      this.axes(c, least, greatest, y);
      c.save();
      c.beginPath();
      c.rect(left, top, this.w, this.h);
      c.clip();
      for (const h of d.holes) this.band(c, h.from_ns, h.to_ns, css('--ec-sunken'));
      for (const s of this.series) this.line(c, s, y);
      for (const s of this.series) for (const l of s.losses) this.loss(c, l);
      c.restore();
    }
    axes(c, least, greatest, y) {
      const d = this.plot.data, range = Number(d.to - d.from);
      c.strokeStyle = css('--ec-line');
      c.fillStyle = css('--ec-muted');
      c.lineWidth = 1;
      c.textAlign = 'right';
      c.textBaseline = 'middle';
      for (const v of steps(least, greatest, 4)) {
        c.beginPath();
        c.moveTo(left, Math.round(y(v)) + 0.5);
        c.lineTo(left + this.w, Math.round(y(v)) + 0.5);
        c.stroke();
        c.fillText(figure(v), left - 6, y(v));
      }
      if (this.unit) { c.textAlign = 'left'; c.fillText(this.unit, 2, top + 4); }
      c.textBaseline = 'top';
      const count = Math.max(2, Math.floor(this.w / 130));
      for (let i = 0; i <= count; i++) {
        c.textAlign = i === 0 ? 'left' : i === count ? 'right' : 'center';
        c.fillText(clock(d.from + BigInt(Math.round(range * i / count)), range / count), left + this.w * i / count, top + this.h + 5);
      }
    }
    band(c, fromNs, toNs, colour) {
      const from = this.xAt(BigInt(fromNs));
      c.fillStyle = colour;
      c.fillRect(from, top, Math.max(1, this.xAt(BigInt(toNs)) - from), this.h);
    }
    line(c, s, y) {
      const range = Number(this.plot.data.to - this.plot.data.from), x = t => left + t * this.w / range;
      c.strokeStyle = c.fillStyle = css(`--ec-series-${s.i % seriesMax}`);
      c.lineWidth = 1.25;
      c.lineJoin = 'round';
      c.beginPath();
      for (let i = 0; i < s.t.length; i++) {
        if (s.v[i] === null) continue;
        const begins = i === 0 || s.v[i - 1] === null, ends = i === s.t.length - 1 || s.v[i + 1] === null;
        // One value between two breaks is no line, and must be seen all the same.
        if (begins && ends) c.rect(x(s.t[i]) - 1.5, y(s.v[i]) - 1.5, 3, 3);
        else if (begins) c.moveTo(x(s.t[i]), y(s.v[i]));
        else c.lineTo(x(s.t[i]), y(s.v[i]));
      }
      c.stroke();
    }
    loss(c, l) {
      const from = this.xAt(BigInt(l.from_ns)), to = this.xAt(BigInt(l.to_ns));
      c.fillStyle = css('--ec-loss');
      c.fillRect(from, top, Math.max(3, to - from), 3);
    }
    overlay() {
      if (!this.plot.data) return;
      const c = this.prepare(this.cover), cursor = this.plot.cursorNs();
      if (this.from !== undefined && this.now !== undefined) {
        c.fillStyle = css('--ec-accent-soft');
        c.globalAlpha = 0.6;
        c.fillRect(left + Math.min(this.from, this.now), top, Math.abs(this.now - this.from), this.h);
        c.globalAlpha = 1;
      }
      if (cursor !== null) this.mark(c, cursor, css('--ec-accent'), []);
      if (hoverNs !== null) {
        this.mark(c, hoverNs, css('--ec-muted'), [3, 3]);
        const x = this.xAt(hoverNs);
        c.fillStyle = css('--ec-text');
        c.textBaseline = 'top';
        c.textAlign = x > left + this.w - 110 ? 'right' : 'left';
        c.fillText(clock(hoverNs, 1), x + (c.textAlign === 'left' ? 5 : -5), top + 4);
      }
    }
    mark(c, ns, colour, dash) {
      const x = Math.round(this.xAt(ns)) + 0.5;
      if (x < left || x > left + this.w + 1) return;
      c.strokeStyle = colour;
      c.setLineDash(dash);
      c.beginPath();
      c.moveTo(x, top);
      c.lineTo(x, top + this.h);
      c.stroke();
      c.setLineDash([]);
    }
  }
  customElements.define('ec-plot', PlotElement);
  new MutationObserver(() => { for (const p of plots) if (p.data) { p.draw(); } }).observe(root, { attributeFilter: ['data-theme', 'data-zone'] });

  // --- images: one large, and a strip to scrub along ------------------------------------------------------------------------------
  class FilmElement extends HTMLElement {
    static observedAttributes = ['src', 'from', 'to', 'cursor'];
    connectedCallback() {
      if (!this.image) this.build();
      this.resizing = new ResizeObserver(() => { if (this.count() !== this.thumbs.childElementCount) this.strip(); });
      this.resizing.observe(this);
      this.strip();
      this.look(this.at());
    }
    disconnectedCallback() { this.resizing?.disconnect(); }
    attributeChangedCallback(name, before, after) {
      if (!this.image || before === after) return;
      if (name !== 'cursor') this.strip();
      this.look(this.at());
    }
    at() { return BigInt(this.getAttribute('cursor') || this.getAttribute('from')); }
    count() { return Math.max(4, Math.min(24, Math.floor(this.clientWidth / 130))); }
    address(ns, width) { return `${this.getAttribute('src')}&at_ns=${ns}&width=${width}`; }
    build() {
      this.image = make('img', 'ec-film-image');
      this.words = make('div', 'ec-plot-status');
      this.words.setAttribute('role', 'status');
      this.thumbs = make('div', 'ec-film-strip');
      this.append(this.image, this.words, this.thumbs);
      this.image.addEventListener('load', () => this.told());
      this.image.addEventListener('error', () => this.told());
      this.thumbs.addEventListener('pointermove', e => { if (e.buttons === 1) this.scrub(e); });
      this.thumbs.addEventListener('pointerup', e => { if (this.scrubbed) { commit('cursor', String(this.scrubbed)); this.scrubbed = null; } });
      this.thumbs.addEventListener('dragstart', e => e.preventDefault());
    }
    strip() {
      const from = BigInt(this.getAttribute('from')), to = BigInt(this.getAttribute('to')), count = this.count();
      this.thumbs.replaceChildren(...Array.from({ length: count }, (_, i) => {
        const ns = from + (to - from) * BigInt(2 * i + 1) / BigInt(2 * count), button = make('button', 'ec-film-frame'), image = make('img');
        button.type = 'button';
        button.setAttribute('aria-label', `Image at ${clock(ns, 1e9)}`);
        image.alt = '';
        image.src = this.address(ns, 160);
        button.append(image, make('span', '', clock(ns, 1e9)));
        button.addEventListener('click', () => commit('cursor', String(ns)));
        return button;
      }));
    }
    scrub(event) {
      const box = this.thumbs.getBoundingClientRect(), from = BigInt(this.getAttribute('from')), to = BigInt(this.getAttribute('to'));
      const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      this.scrubbed = from + BigInt(Math.round(Number(to - from) * part));
      this.look(this.scrubbed);
    }
    // One image at a time: while it loads, only the last wish is remembered.
    look(ns) {
      this.wanted = ns;
      if (this.loading) return;
      this.loading = this.address(ns, 960);
      this.shown = ns;
      this.image.alt = `Image of ${this.getAttribute('topic')} at ${clock(ns, 1)}`;
      this.image.src = this.loading;
    }
    async told() {
      const address = this.loading;
      this.loading = null;
      if (this.wanted !== this.shown) { this.look(this.wanted); return; }
      // The same address again, which the browser has: for the words that came with the image.
      const answer = await fetch(address).catch(() => null);
      if (this.loading || !answer) return;
      const bad = !answer.ok;
      this.image.hidden = bad;
      this.words.className = bad ? 'ec-plot-status ec-bad' : 'ec-plot-status';
      if (bad) { this.words.textContent = await problem(answer); return; }
      const ns = BigInt(answer.headers.get('X-Log-Time-Ns'));
      this.words.textContent = `${clock(ns, 1)} · ${answer.headers.get('X-Frame-Description')} · ${ns} ns`;
      this.dataset.shown = String(ns);
    }
  }
  customElements.define('ec-film', FilmElement);
})();
