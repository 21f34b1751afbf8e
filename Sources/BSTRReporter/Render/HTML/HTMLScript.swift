// What the page does with scripts: sort and filter the list, copy a rule, draw the flame graph. All
// text of the program is set as text, never as markup.

/// The script.
enum HTMLScript {
  /// Its text.
  static let text = """
    'use strict';
    (() => {
    const $ = (id) => document.getElementById(id);
    const make = (name, properties, ...children) => {
      const element = Object.assign(document.createElement(name), properties);
      element.append(...children);
      return element;
    };

    // The list.
    const list = $('list');
    const heads = list ? [...list.tHead.rows[0].cells] : [];
    const titles = heads.map((head) => head.textContent);
    // What stands in a second body is not laid out until it is asked for.
    const rows = list ? [...list.tBodies].flatMap((body) => [...body.rows]) : [];
    const firstRows = list ? list.tBodies[0].rows.length : 0;
    const cell = (row, column) => row.cells[column] ? row.cells[column].textContent : '';
    let order = rows, limit = firstRows, isShown = () => true;
    const show = () => {
      const shown = order.filter(isShown);
      list.tBodies[0].replaceChildren(...shown.slice(0, limit));
      list.tBodies[1]?.remove();
      const texts = [];
      if (shown.length < rows.length) texts.push(shown.length + ' of ' + rows.length + ' findings: totals and graphs are of all');
      if (shown.length > limit) texts.push(limit + ' rows are shown');
      $('shown').textContent = texts.join('; ');
      $('more').textContent = 'Show all ' + shown.length;
      $('more').hidden = shown.length <= limit;
    };
    let direction = 1, sorted = -1;
    const sort = (column) => {
      direction = sorted === column ? -direction : heads[column].className === 'n' ? -1 : 1;
      sorted = column;
      const isNumber = heads[column].className === 'n' || titles[column] === '#';
      const key = (row) => isNumber ? Number(cell(row, column)) : cell(row, column);
      const keyed = rows.map((row, index) => [key(row), index, row]);
      keyed.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) * direction || a[1] - b[1]);
      order = keyed.map((entry) => entry[2]);
      show();
      heads.forEach((head, index) => {
        if (index === column) head.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
        else head.removeAttribute('aria-sort');
      });
    };
    const form = $('filter');
    if (form) {
      heads.forEach((head, column) => {
        const button = make('button', {type: 'button', textContent: titles[column]});
        button.onclick = () => sort(column);
        head.replaceChildren(button);
      });
      const search = make('input', {type: 'search', placeholder: 'Search', ariaLabel: 'Search the findings'});
      form.append(search);
      const selects = [];
      for (const title of ['Kind', 'Rule', 'Module', 'Function', 'Process', 'Scope']) {
        const column = titles.indexOf(title);
        const values = column < 0 ? [] : [...new Set(rows.map((row) => cell(row, column)))].filter(Boolean).sort();
        if (values.length < 2) continue;
        const select = make('select', {ariaLabel: title}, make('option', {value: '', textContent: title + ': all'}));
        for (const value of values.slice(0, 500)) select.append(make('option', {value, textContent: value}));
        select.onchange = () => filter();
        form.append(select);
        selects.push([select, column]);
      }
      // What a finding's section says is found, too.
      const section = (row) => $('f' + cell(row, 0));
      const texts = new Map();
      const text = (row) => {
        if (!texts.has(row)) texts.set(row, (row.textContent + (section(row)?.textContent ?? '')).toLowerCase());
        return texts.get(row);
      };
      const filter = () => {
        const wanted = search.value.toLowerCase();
        isShown = (row) => text(row).includes(wanted)
          && selects.every(([select, column]) => !select.value || cell(row, column) === select.value);
        limit = firstRows;
        show();
        for (const row of rows) {
          const full = section(row);
          if (full) full.hidden = !isShown(row);
        }
      };
      search.oninput = filter;
      form.onsubmit = (event) => event.preventDefault();
      form.hidden = rows.length < 2;
      const showAll = () => { limit = rows.length; show(); };
      $('more').onclick = showAll;
      addEventListener('beforeprint', showAll);
      show();
    }

    // Copying.
    for (const button of document.querySelectorAll('.copy')) {
      button.hidden = false;
      button.onclick = async () => {
        const code = button.parentElement.querySelector('code');
        try {
          await navigator.clipboard.writeText(code.textContent);
          button.textContent = 'Copied';
        } catch {
          getSelection().selectAllChildren(code);
          button.textContent = 'Selected';
        }
        setTimeout(() => { button.textContent = 'Copy'; }, 1500);
      };
    }

    // The flame graph.
    const graph = $('graph');
    if (!graph) return;
    const profile = JSON.parse($('profile').textContent);
    const names = profile.names.map((name) => {
      const [text, module] = name.split('\\n');
      return {text, module};
    });
    const option = (select, value, textContent) => select.append(make('option', {value, textContent}));
    const what = make('select', {ariaLabel: 'Strings'});
    const hasLeaks = profile.stacks.some((value, index) => index % 8 === 2 && value > 0);
    if (hasLeaks) option(what, 2, 'Leaked');
    option(what, 4, 'Live at the end');
    if (profile.knowsFreed) option(what, 6, 'All allocations');
    if (!hasLeaks && profile.knowsFreed) what.value = 6;
    const unit = make('select', {ariaLabel: 'Unit'});
    option(unit, 1, 'Bytes');
    option(unit, 0, 'BSTRs');
    const by = make('select', {ariaLabel: 'Grouped by'});
    option(by, 'caller', 'By caller');
    option(by, 'owner', 'By owner');
    const search = make('input', {type: 'search', placeholder: 'Search functions', ariaLabel: 'Search functions'});
    const reset = make('button', {type: 'button', textContent: 'Whole graph'});
    const found = make('output', {});
    const bar = make('form', {}, what, unit, by, search, reset, found);
    bar.onsubmit = (event) => event.preventDefault();
    const detail = make('p', {id: 'detail'});
    detail.setAttribute('role', 'status');
    const flame = make('div', {className: 'flame'});
    graph.append(bar, detail, flame);
    graph.hidden = false;

    const child = (node, key, name) => {
      let next = node.children.get(key);
      if (!next) node.children.set(key, next = {name, children: new Map(), value: 0, parent: node, depth: node.depth + 1});
      return next;
    };
    const build = () => {
      const root = {name: {text: 'all', module: ''}, children: new Map(), value: 0, parent: null, depth: 0};
      const {nodes, stacks} = profile;
      const offset = Number(what.value) + Number(unit.value);
      for (let at = 0; at < stacks.length; at += 8) {
        const value = stacks[at + offset];
        if (!value) continue;
        const path = [];
        for (let node = stacks[at]; node >= 0; node = nodes[2 * node]) path.push(nodes[2 * node + 1]);
        let node = root;
        root.value += value;
        let last = path.length - 1;
        if (by.value === 'owner') {
          const owner = stacks[at + 1];
          if (owner < 0) {
            node = child(node, -1, {text: '(owner uncertain)', module: ''});
            node.value += value;
          } else last = owner;
        }
        for (; last >= 0; last -= 1) {
          node = child(node, path[last], names[path[last]]);
          node.value += value;
        }
      }
      return root;
    };
    const label = (node) => {
      const {text, module} = node.name;
      const share = root.value ? Math.round(1000 * node.value / root.value) / 10 : 0;
      const thing = unit.value === '1' ? ' byte' : ' BSTR';
      const amount = node.value.toLocaleString('en') + thing + (node.value === 1 ? '' : 's');
      return text + (module ? ', ' + module : '') + ': ' + amount + ' (' + share + ' %)';
    };
    const hue = (text) => {
      let hash = 7;
      for (let index = 0; index < text.length && index < 40; index += 1) hash = (hash * 31 + text.charCodeAt(index)) | 0;
      return 20 + Math.abs(hash) % 35;
    };
    const matches = (node) => search.value !== '' && node.name.text.toLowerCase().includes(search.value.toLowerCase());
    let root, zoom;
    const height = 20;
    const draw = () => {
      flame.replaceChildren();
      let deepest = 0, sum = 0;
      const cells = [];
      const place = (node, left, width, counted) => {
        const hit = matches(node);
        if (hit && !counted) sum += node.value;
        deepest = Math.max(deepest, node.depth);
        cells.push([node, left, width, hit]);
        let x = left;
        const children = [...node.children.values()].sort((a, b) => b.value - a.value);
        for (const next of children) {
          const share = width * next.value / node.value;
          if (share > 0.12) place(next, x, share, counted || hit);
          else if (search.value !== '' && !counted && !hit) sum += foundIn(next);
          x += share;
        }
      };
      const foundIn = (node) => matches(node) ? node.value
        : [...node.children.values()].reduce((sum, next) => sum + foundIn(next), 0);
      for (let node = zoom.parent; node; node = node.parent) cells.push([node, 0, 100, false, true]);
      if (zoom.value) place(zoom, 0, 100, false);
      for (const [node, left, width, hit, above] of cells) {
        const cell = make('button', {type: 'button', textContent: node.name.text, title: label(node)});
        cell.style.left = left + '%';
        cell.style.width = width + '%';
        cell.style.top = node.depth * height + 'px';
        cell.style.background = node.depth ? 'hsl(' + hue(node.name.text) + ' 85% 72%)' : '#c8d0d8';
        cell.className = (hit ? 'hit' : '') + (above ? ' above' : '');
        cell.tabIndex = node === zoom ? 0 : -1;
        cell.node = node;
        flame.append(cell);
      }
      flame.style.height = (deepest + 1) * height + 'px';
      const share = root.value ? Math.round(1000 * sum / root.value) / 10 : 0;
      found.textContent = search.value === '' ? '' : 'found in ' + share + ' % of all';
      detail.textContent = root.value ? label(zoom) : 'There are none.';
      reset.disabled = zoom === root;
    };
    const enter = (node) => { zoom = node; draw(); flame.querySelector('[tabindex="0"]')?.focus({preventScroll: true}); };
    const rebuild = () => { root = zoom = build(); draw(); };
    flame.onclick = (event) => { if (event.target.node) enter(event.target.node); };
    const tell = (event) => { if (event.target.node) detail.textContent = label(event.target.node); };
    flame.onmouseover = tell;
    flame.addEventListener('focusin', tell);
    flame.onkeydown = (event) => {
      const node = event.target.node;
      if (!node) return;
      const siblings = node.parent ? [...node.parent.children.values()].sort((a, b) => b.value - a.value) : [node];
      const at = siblings.indexOf(node);
      const next = {
        ArrowUp: node.parent, Escape: 'reset',
        ArrowDown: [...node.children.values()].sort((a, b) => b.value - a.value)[0],
        ArrowLeft: siblings[at - 1], ArrowRight: siblings[at + 1],
      }[event.key];
      if (next === 'reset') return enter(root);
      if (!next) return;
      event.preventDefault();
      for (const cell of flame.children) if (cell.node === next) return cell.focus();
    };
    for (const select of [what, unit, by]) select.onchange = rebuild;
    search.oninput = draw;
    reset.onclick = () => enter(root);
    rebuild();
    })();

    """
}
