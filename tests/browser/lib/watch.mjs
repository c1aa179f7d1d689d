// Notes in a page what changed in it and when; to be given to `open` as `watch`, before the page's own scripts.

/** Runs in the page. `window.noted`: { t, part, text, percent, title }, one for each change of a fixed element. */
export function note() {
  if (window.top !== window && window.noted) return;
  window.noted = [];
  window.born = Date.now();
  const parts = ['state', 'tick', 'steps', 'acts', 'say', 'shout', 'pulse', 'disks', 'system', 'job', 'technical'];
  const partOf = (node) => {
    for (let e = node; e; e = e.parentNode) if (parts.includes(e.id)) return e;
    return null;
  };
  const look = (mutations) => {
    const t = Date.now();
    const touched = new Map();
    for (const { target, type, attributeName, oldValue } of mutations) {
      // htmx marks what it works on with classes; nobody sees them. What is set to what it was has not changed.
      if (type === 'attributes' && (attributeName === 'class' || target.getAttribute(attributeName) === oldValue)) continue;
      const part = partOf(target);
      touched.set(part, part ? part.id : `${target.nodeName} ${type} ${attributeName ?? ''}`);
    }
    for (const [part, id] of touched) add(t, part, id);
  };
  const add = (t, part, id) => {
    const bar = part && part.querySelector('progress');
    const text = part ? part.innerText : '';
    window.noted.push({ t, part: id, text: text.trim(), percent: bar ? bar.value : null, title: document.title, fixed: Boolean(part) });
  };
  document.addEventListener('DOMContentLoaded', () => {
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeOldValue: true });
    // What was there at the beginning.
    for (const id of parts) if (document.getElementById(id)) add(Date.now(), document.getElementById(id), id);
    window.nodes = Object.fromEntries(parts.map((id) => [id, document.getElementById(id)]));
  });
}

export const noted = (tab) => tab.page.evaluate(() => window.noted ?? []);
