// SPDX-License-Identifier: GPL-2.0-or-later
'use strict';
'require view';
'require form';
'require tools.widgets as widgets';

/* The options that /etc/init.d/ringcast reads; doc/openwrt.md describes them. */

function addList(section, name, title, description, datatype) {
	const o = section.option(form.DynamicList, name, title, description);

	o.datatype = datatype;
	o.modalonly = true;
	return o;
}

function addDaemon(map) {
	const s = map.section(form.TypedSection, 'ringcast', _('Daemon'));
	let o;

	s.anonymous = true;

	o = s.option(form.Flag, 'quickleave', _('Leave at once'),
		_('Leave a group at the provider as soon as the last member has left it.'));
	o.rmempty = false;

	o = s.option(form.ListValue, 'verbose', _('Log'));
	o.value('1', _('notices'));
	o.value('2', _('more'));
	o.value('3', _('everything'));
	o.default = '1';

	o = s.option(form.DynamicList, 'keyword', _('Further lines'),
		_('Lines of ringcast.conf, such as: refresh-interval 60'));

	o = s.option(form.Value, 'conffile', _('Finished file'),
		_('A configuration file that is used instead of everything on this page.'));
	o.datatype = 'file';
	o.placeholder = '/etc/ringcast.conf';
}

function addNetworks(map) {
	const s = map.section(form.GridSection, 'phyint', _('Networks'),
		_('Streams come from the upstream and are sent to each downstream with a member. The firewall does not affect them; the lists below do.'));
	let o;

	s.anonymous = true;
	s.addremove = true;
	s.nodescriptions = true;

	o = s.option(widgets.NetworkSelect, 'network', _('Network'));
	o.nocreate = true;
	o.rmempty = false;

	o = s.option(form.ListValue, 'direction', _('Direction'));
	o.value('upstream', _('upstream: to the provider'));
	o.value('downstream', _('downstream: to hosts'));
	o.value('disabled', _('disabled'));
	o.default = 'downstream';
	o.rmempty = false;

	o = s.option(form.Value, 'threshold', _('TTL threshold'),
		_('Only datagrams with a larger TTL are sent here.'));
	o.datatype = 'range(1,255)';
	o.placeholder = '1';
	o.modalonly = true;

	addList(s, 'altnet', _('Further senders'),
		_('Networks from which streams may come, in addition to that of the interface.'), 'cidr');
	addList(s, 'whitelist', _('Only these groups'), '', 'cidr');
	addList(s, 'blacklist', _('Not these groups'), '', 'cidr');

	o = s.option(form.Flag, 'fw_drop_ssdp', _('No SSDP'),
		_('Refuse 239.255.255.250, by which devices look for each other.'));
	o.depends('direction', 'downstream');
	o.default = o.enabled;
	o.rmempty = false;
	o.modalonly = true;

	addList(s, 'keyword', _('Further keywords'),
		_('Keywords of an interface in ringcast.conf, such as: max-groups 64'));
}

return view.extend({
	render: function() {
		const map = new form.Map('ringcast', _('Multicast proxy'),
			_('ringcast asks a provider for the multicast streams that hosts want, such as television, and sends them to their networks.'));

		addDaemon(map);
		addNetworks(map);
		return map.render();
	}
});
