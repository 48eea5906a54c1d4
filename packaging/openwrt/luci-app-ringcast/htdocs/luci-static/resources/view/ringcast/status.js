// SPDX-License-Identifier: GPL-2.0-or-later
'use strict';
'require view';
'require rpc';
'require poll';
'require dom';

/*
 * What the daemon says is a child in an array everywhere: of that LuCI makes text. A string
 * that is the only child, without an array, would be markup.
 */

const INTERVAL_S = 5;
const ROWS_MAX = 500;

function declare(method, params) {
	return rpc.declare({
		object: 'ringcast',
		method: method,
		params: params,
		expect: { '': { error: _('No answer from rpcd. Is the package ringcast installed?') } }
	});
}

const callInterfaces = declare('interfaces');
const callStreams = declare('streams');
const callGroups = declare('groups');
const callExplain = declare('explain', [ 'group' ]);

function ask() {
	return Promise.all([ callInterfaces(), callStreams(), callGroups() ]);
}

function list(answer, key) {
	return Array.isArray(answer[key]) ? answer[key] : [];
}

/* 1500 -> "1.5 k" */
function scaled(n) {
	const units = [ '', ' k', ' M', ' G', ' T' ];
	let i = 0;

	if (typeof(n) !== 'number')
		return '-';
	for (; n >= 999.5 && i < units.length - 1; i++)
		n /= 1000;
	return (i && n < 99.95 ? n.toFixed(1) : n.toFixed(0)) + units[i];
}

function seconds(ms) {
	return typeof(ms) === 'number' ? (ms / 1000).toFixed(0) + ' s' : '-';
}

function row(tag, cells) {
	return E('tr', { 'class': tag === 'th' ? 'tr table-titles' : 'tr' }, cells.map(function(c) {
		return E(tag, { 'class': tag }, [ c == null || c === '' ? '-' : c ]);
	}));
}

function table(titles, rows, nothing) {
	const shown = rows.slice(0, ROWS_MAX);
	const nodes = [ E('table', { 'class': 'table' },
		[ row('th', titles) ].concat(shown.map(function(r) { return row('td', r); }))) ];

	if (!rows.length)
		nodes.push(E('p', {}, [ E('em', {}, [ nothing ]) ]));
	if (rows.length > ROWS_MAX)
		nodes.push(E('p', {}, [ _('Further rows: '), rows.length - ROWS_MAX ]));
	return E('div', {}, nodes);
}

function stateOf(i) {
	if (!i.present)
		return _('missing');
	if (!i.up)
		return _('down');
	return i.error || _('up');
}

function warning(text) {
	return E('div', { 'class': 'alert-message warning' }, [ text ]);
}

/* Errors of the three answers, the same one once, and what other daemons disturb. */
function warnings(answers) {
	const texts = answers.map(function(a) { return a.error; }).concat(
		list(answers[0], 'rivals').map(function(r) {
			return r.advice && [ r.program || r.kind, r.advice ].join(': ');
		}));

	return texts.filter(function(t, i) { return t && texts.indexOf(t) === i; }).map(warning);
}

function tables(answers) {
	return warnings(answers).concat([
		E('h3', {}, [ _('Interfaces') ]),
		table([ _('Interface'), _('Role'), _('State'), _('Packets in'), _('Packets out') ],
			list(answers[0], 'interfaces').map(function(i) {
				return [ i.name, i.role, stateOf(i), scaled(i.rx_packets), scaled(i.tx_packets) ];
			}), _('The daemon has no interface.')),
		E('h3', {}, [ _('Streams') ]),
		table([ _('Group'), _('Source'), _('From'), _('To'), _('Packets'), _('Bit/s') ],
			list(answers[1], 'mfc').map(function(s) {
				return [ s.group, s.last_source || s.origin, s.in, list(s, 'out').join(', '),
					scaled(s.packets),
					scaled(typeof(s.bytes_per_s) === 'number' ? s.bytes_per_s * 8 : null) ];
			}), _('No stream is wanted at the moment.')),
		E('h3', {}, [ _('Groups') ]),
		table([ _('Interface'), _('Group'), _('Last report of'), _('Hosts'), _('Ends in') ],
			list(answers[2], 'groups').map(function(g) {
				return [ g.interface, g.group, g.last_reporter, list(g, 'hosts').length,
					seconds(g.timer_ms) ];
			}), _('No host has joined a group.'))
	]);
}

/* "refuse", the summary, and each check that is not passed with its advice */
function explained(answer) {
	if (answer.error)
		return [ warning(answer.error) ];
	return [
		E('p', {}, [ E('strong', {}, [ answer.verdict ]), ' ', answer.summary ]),
		table([ _('Check'), _('Interface'), _('Verdict'), _('Finding'), _('Advice') ],
			list(answer, 'checks').map(function(c) {
				return [ c.check, c.interface, c.verdict, c.text, c.advice ];
			}), _('There is nothing to check.'))
	];
}

function explainForm() {
	const answer = E('div', {});
	const group = E('input', { 'type': 'text', 'class': 'cbi-input-text',
		'placeholder': '239.1.2.3', 'aria-label': _('Group') });
	const button = E('button', { 'class': 'btn cbi-button cbi-button-action', 'click': function() {
		return callExplain(group.value.trim()).then(function(a) {
			dom.content(answer, explained(a));
		}, function(e) {
			dom.content(answer, [ warning(e.message) ]);
		});
	} }, [ _('Explain') ]);

	return E('div', {}, [
		E('h3', {}, [ _('Why does a stream not arrive?') ]),
		E('p', {}, [ group, ' ', button ]),
		answer
	]);
}

return view.extend({
	load: ask,

	render: function(answers) {
		const live = E('div', {}, tables(answers));

		poll.add(function() {
			return ask().then(function(a) { dom.content(live, tables(a)); });
		}, INTERVAL_S);
		return E('div', {}, [ E('h2', {}, [ _('Multicast proxy') ]), live, explainForm() ]);
	},

	handleSaveApply: null,
	handleSave: null,
	handleReset: null
});
