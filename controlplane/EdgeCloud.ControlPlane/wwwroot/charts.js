// Crosshair and range of the charts (Shell/Components/Chart.razor). All charts of a page show the same moment; what is under the pointer
// is read from the points that came with the chart, so hovering costs no message.
(() => {
  'use strict';
  const charts = () => [...document.querySelectorAll('ec-chart')];

  function mark(share) {
    for (const chart of charts()) chart.mark(share);
  }

  class ChartElement extends HTMLElement {
    connectedCallback() {
      this.addEventListener('pointermove', e => { const plot = e.target.closest?.('.ec-chart-plot'); if (plot) mark(this.share(e, plot)); });
      this.addEventListener('pointerleave', () => mark(null));
      this.addEventListener('pointerdown', e => this.press(e));
    }
    share(event, plot) {
      const box = plot.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    }
    time(share) { const from = Number(this.dataset.from); return from + share * (Number(this.dataset.to) - from); }

    mark(share) {
      const cross = this.querySelector('.ec-chart-cross'), at = this.querySelector('.ec-chart-at');
      if (!cross || !at) return;
      cross.hidden = share === null;
      at.textContent = share === null ? '' : window.edgecloudClock(this.time(share));
      if (share !== null) cross.style.left = `${share * 100}%`;
      for (const value of this.parentElement.querySelectorAll('[data-value]')) {
        const points = this.querySelector(`[data-series="${value.dataset.value}"]`)?.dataset.points;
        value.textContent = share === null || !points ? '' : nearest(points, share * 100);
      }
    }

    press(event) {
      const plot = event.target.closest?.('.ec-chart-plot');
      if (!plot || event.button !== 0) return;
      event.preventDefault();
      const begin = this.share(event, plot), pick = this.querySelector('.ec-chart-pick');
      const move = e => {
        const [left, right] = [begin, this.share(e, plot)].sort((a, b) => a - b);
        pick.hidden = false;
        pick.style.left = `${left * 100}%`;
        pick.style.width = `${(right - left) * 100}%`;
      };
      const end = e => {
        removeEventListener('pointermove', move);
        removeEventListener('pointerup', end);
        pick.hidden = true;
        const [from, to] = [begin, this.share(e, plot)].sort((a, b) => a - b).map(s => this.time(s));
        if ((to - from) / (Number(this.dataset.to) - Number(this.dataset.from)) < 0.005) return;
        const url = new URL(location.href);
        url.searchParams.set('from', new Date(from).toISOString());
        url.searchParams.set('to', new Date(to).toISOString());
        window.Blazor?.navigateTo(url.pathname + url.search.replaceAll('%3A', ':'));
      };
      addEventListener('pointermove', move);
      addEventListener('pointerup', end);
    }
  }

  // The point next to a place; nothing where the line is broken.
  function nearest(points, place) {
    let best = null, distance = 1.5;
    for (const point of points.split(' ')) {
      const comma = point.indexOf(','), away = Math.abs(Number(point.slice(0, comma)) - place);
      if (away < distance) { distance = away; best = point.slice(comma + 1); }
    }
    return best === null ? '–' : String(Number(best));
  }
  customElements.define('ec-chart', ChartElement);
})();
