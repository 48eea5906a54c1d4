// SPDX-License-Identifier: GPL-2.0-or-later
'use strict';
/*
 * The part of LuCI that a view uses, so that the view runs in node: elements, ubus,
 * polling, forms. As in LuCI, a child in an array becomes text, and a string without an
 * array markup.
 *
 * usage: node luci_stub.js VIEW SCENARIO
 *
 * SCENARIO is JSON. `answers` has a list of ubus answers for each method: the first is
 * for the first call, the last for all calls after the list ends; with {"reject": TEXT}
 * the call fails. `polls` is how often the page refreshes, `group` what the user types
 * and explains. Prints JSON: the calls, the contents of a form, and what the page
 * shows.
 */

const fs = require('fs');
const scenario = JSON.parse(fs.readFileSync(process.argv[3], 'utf8'));
const calls = [], polled = [];

// ---- elements

class Element {
	constructor(tag) {
		Object.assign(this, { tag: tag, attributes: {}, listeners: {}, children: [],
			markup: null, value: '' });
	}

	texts() {
		return [].concat.apply([], this.children.map(function(c) {
			return c instanceof Element ? c.texts() : [ c ];
		}));
	}

	/* the element and all below it that match */
	all(match) {
		return this.children.reduce(function(found, c) {
			return c instanceof Element ? found.concat(c.all(match)) : found;
		}, match(this) ? [ this ] : []);
	}

	tagged(tag) {
		return this.all(function(e) { return e.tag === tag; });
	}
}

const dom = {
	append: function(node, children) {
		if (Array.isArray(children))
			children.forEach(function(c) {
				if (c != null)
					node.children.push(c instanceof Element ? c : String(c));
			});
		else if (children instanceof Element)
			node.children.push(children);
		else if (children != null)
			node.markup = String(children);
	},
	content: function(node, children) {
		node.children = [];
		node.markup = null;
		dom.append(node, children);
	}
};

function E(tag, attributes, children) {
	const e = new Element(tag);

	Object.keys(attributes).forEach(function(k) {
		if (typeof(attributes[k]) === 'function')
			e.listeners[k] = attributes[k];
		else
			e.attributes[k] = String(attributes[k]);
	});
	dom.append(e, children);
	return e;
}

// ---- ubus and polling

const rpc = {
	declare: function(o) {
		return function() {
			const given = Array.prototype.slice.call(arguments), params = {};
			const answers = scenario.answers[o.method];
			const answer = answers.length > 1 ? answers.shift() : answers[0];

			(o.params || []).forEach(function(name, i) { params[name] = given[i]; });
			calls.push([ o.object, o.method, params ]);
			if (answer.reject)
				return Promise.reject(new Error(answer.reject));
			/* an error of ubus is a number where an object is expected */
			return Promise.resolve(typeof(answer) === 'object' ? answer : o.expect['']);
		};
	}
};

const poll = { add: function(f, seconds) { polled.push([ f, seconds ]); } };

// ---- forms

class Option {
	constructor(kind, name) {
		Object.assign(this, { kind: kind, name: name, values: [], needs: {}, enabled: '1' });
	}

	value(key) { this.values.push(key); }

	depends(name, value) { this.needs[name] = value; }
}

function kinds(names) {
	const known = {};

	names.forEach(function(n) { known[n] = n; });
	return new Proxy(known, { get: function(target, name) {
		if (!(name in target))
			throw new Error('LuCI has no ' + String(name));
		return target[name];
	} });
}

class FormMap {
	constructor(config) { Object.assign(this, { config: config, sections: [] }); }

	section(kind, type) {
		const s = { kind: kind, type: type, options: [], option: function(k, name) {
			const o = new Option(k, name);

			s.options.push(o);
			return o;
		} };

		this.sections.push(s);
		return s;
	}

	render() { return Promise.resolve(this); }
}

const form = kinds([ 'TypedSection', 'GridSection', 'Value', 'Flag', 'ListValue',
	'DynamicList', 'Map' ]);
const modules = {
	view: { extend: function(members) { return members; } },
	rpc: rpc, poll: poll, dom: dom,
	form: new Proxy(form, { get: function(target, name) {
		return name === 'Map' ? FormMap : target[name];
	} }),
	'tools.widgets': kinds([ 'NetworkSelect' ])
};

// ---- the view, as LuCI's loader runs it

function load(path) {
	const source = fs.readFileSync(path, 'utf8'), names = [], values = [];
	const required = /^'require ([\w.]+)(?: as (\w+))?';$/gm;
	let m;

	while ((m = required.exec(source))) {
		if (!(m[1] in modules))
			throw new Error('LuCI has no module ' + m[1]);
		names.push(m[2] || m[1]);
		values.push(modules[m[1]]);
	}
	return Function.apply(null, names.concat([ '_', 'E', source ])).apply(null,
		values.concat([ function(text) { return text; }, E ]));
}

/* The page as a person sees it. */
function shown(page) {
	return {
		alerts: page.all(function(e) {
			return /\balert-message\b/.test(e.attributes['class']);
		}).map(function(e) { return e.texts().join(''); }),
		markup: page.all(function(e) { return e.markup !== null; }).map(function(e) {
			return e.markup;
		}),
		tables: page.tagged('table').map(function(t) {
			return t.tagged('tr').map(function(r) {
				return r.children.map(function(c) { return c.texts().join(''); });
			});
		}),
		text: page.texts().join('\n')
	};
}

async function main() {
	const view = load(process.argv[2]);
	const page = await view.render(view.load ? await view.load() : undefined);
	const pages = [];

	if (page instanceof FormMap) {
		console.log(JSON.stringify(page));
		return;
	}
	pages.push(shown(page));
	for (let i = 0; i < (scenario.polls || 0); i++) {
		await polled[0][0]();
		pages.push(shown(page));
	}
	if (scenario.group !== undefined) {
		page.tagged('input')[0].value = scenario.group;
		await page.tagged('button')[0].listeners.click();
		pages.push(shown(page));
	}
	console.log(JSON.stringify({ calls: calls, pages: pages,
		intervals: polled.map(function(p) { return p[1]; }) }));
}

main().catch(function(e) {
	console.error(e.stack);
	process.exit(1);
});
