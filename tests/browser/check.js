// Runs in a wrapper page, around the report in frames of the wanted widths. Writes what is wrong, a line each.
const problems = [];
const inside = (name, document, window) => {
  const wrong = (what, element) => problems.push(`${name}: ${what}: ${(element.textContent || '').trim().slice(0, 60)} <${element.tagName} class="${element.getAttribute('class') || ''}">`);
  const page = document.scrollingElement;
  if (page.scrollWidth > window.innerWidth) problems.push(`${name}: the page is ${page.scrollWidth} wide in ${window.innerWidth}`);
  document.querySelectorAll('details').forEach(details => details.open = true);
  if (page.scrollWidth > window.innerWidth) problems.push(`${name}: unfolded, the page is ${page.scrollWidth} wide in ${window.innerWidth}`);
  const may = element => element.closest('.scroll');
  for (const element of document.querySelectorAll('main *:not(svg *)')) {
    if (element.clientWidth && !may(element) && element.scrollWidth > element.clientWidth + 1) wrong('cut or overflowing', element);
    const box = element.getBoundingClientRect();
    if (box.width && !may(element) && (box.right > window.innerWidth + 1 || box.left < -1)) wrong('outside of the page', element);
  }
  let charts = 0;
  for (const chart of document.querySelectorAll('svg.chart')) {
    const frame = chart.getBoundingClientRect();
    if (!frame.width) continue;
    charts += 1;
    if (!/virtual time|range of time|range/.test([...chart.querySelectorAll('text')].map(text => text.textContent).join(' '))) wrong('a chart without the name of its axis', chart);
    if (!chart.getAttribute('aria-label') || !chart.querySelector('title')) wrong('a chart without a name', chart);
    const words = [...chart.querySelectorAll('text')].map(text => [text, text.getBoundingClientRect()]);
    for (const [text, box] of words) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) wrong('words outside of their chart', text);
    }
    words.sort((a, b) => a[1].top - b[1].top || a[1].left - b[1].left);
    words.forEach(([text, box], at) => {
      for (let next = at + 1; next < words.length && words[next][1].top < box.bottom - 4; next += 1) {
        const other = words[next][1];
        if (other.left < box.right - 1 && other.right > box.left + 1) wrong(`words over "${words[next][0].textContent}"`, text);
      }
    });
  }
  if (!charts) problems.push(`${name}: no chart is shown`);
  const seen = document.body.innerText + [...document.querySelectorAll('svg.chart text, svg.chart title')].map(text => text.textContent).join('\n');
  for (const label of LABELS) if (!seen.includes(label)) problems.push(`${name}: "${label}" is nowhere`);
  contrast(name, document, window);
};
// The contrast of words on what lies behind them, by WCAG.
const contrast = (name, document, window) => {
  const parse = text => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(window.getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const told = new Set();
  for (const element of document.querySelectorAll('main *')) {
    const owns = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!owns || ['TITLE', 'title'].includes(element.tagName)) continue;
    const style = window.getComputedStyle(element);
    const ink = parse(element.closest('svg') ? style.fill : style.color);
    const halo = element.closest('svg') && style.stroke.startsWith('rgb') ? parse(style.stroke) : behind(element);
    const found = ratio(ink, halo);
    const key = `${element.tagName}.${element.getAttribute('class')}`;
    if (found < 4.5 && !told.has(key)) { told.add(key); problems.push(`${name}: contrast ${found.toFixed(1)} of ${key}`); }
  }
};
window.onload = () => {
  for (const frame of document.querySelectorAll('iframe')) {
    const window = frame.contentWindow;
    if (window.innerWidth !== Number(frame.dataset.width)) problems.push(`the frame is ${window.innerWidth} wide`);
    const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
    if (dark !== DARK) problems.push(`the scheme is ${dark ? 'dark' : 'light'}`);
    inside(`${window.innerWidth} ${dark ? 'dark' : 'light'}`, frame.contentDocument, window);
  }
  const list = document.createElement('pre');
  list.id = 'problems';
  list.textContent = problems.length ? problems.join('\n') : 'none';
  document.body.replaceChildren(list);
};
