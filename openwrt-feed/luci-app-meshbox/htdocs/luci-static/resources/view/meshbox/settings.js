'use strict';
'require view';
'require form';
'require uci';
'require meshbox.box as box';
'require meshbox.rules as rules';

/*
 * The options of /etc/config/meshbox that an owner changes: names, network, prices, packages. All options are in
 * docs/configuration.md. Saving commits the file; procd then tells the service, which answers a mistake in its log and
 * goes on with what it has.
 */

/* Sections a file may hold once; a file without one gets it when something in it is saved. */
const SINGLE = { main: 'meshbox', token: 'token', hotspot: 'hotspot', owner: 'owner', tariff: 'tariff' };

function option(section, kind, name, title, description, placeholder, validate) {
	const made = section.option(kind, name, title, description);
	if (placeholder !== null)
		made.placeholder = placeholder;
	if (validate)
		made.validate = (id, value) => validate(value === null || value === undefined ? '' : String(value));
	return made;
}

function firstFreeSlot() {
	const taken = uci.sections('meshbox', 'package').map(({ slot }) => +slot);
	for (let slot = 0; slot < 16; slot++)
		if (!taken.includes(slot))
			return String(slot);
	return '';
}

return view.extend({
	load: function() {
		return uci.load('meshbox').then(() => {
			for (const [ name, type ] of Object.entries(SINGLE))
				if (!uci.get('meshbox', name))
					uci.add('meshbox', type, name);
		});
	},

	render: function() {
		const dashboard = box.dashboard();
		const map = new form.Map('meshbox', _('MeshBox'), dashboard === null ? '' :
			E('span', {}, [ _('Prices and packages are also on the'), ' ', E('a', { 'href': dashboard, 'target': '_blank', 'rel': 'noopener noreferrer' }, [ _('dashboard') ]), '.' ]));

		this.renderMain(map);
		this.renderTariff(map);
		this.renderPackages(map);
		this.renderHotspot(map);
		this.renderOwner(map);
		return map.render();
	},

	renderMain: function(map) {
		const s = map.section(form.NamedSection, 'main', 'meshbox', _('The box'));
		let o;

		option(s, form.Value, 'name', _('Name'), _('Name of the place; guests see it on the page and on vouchers.'), 'MeshBox', rules.line(48));

		o = option(s, form.MultiValue, 'roles', _('Roles'), _('What this box does. Takes effect at the next start of the service.'), null, null);
		o.value('hotspot', _('Hotspot: sells Wi-Fi'));

		o = option(s, form.ListValue, 'log_level', _('Log'), _('The least important messages that are logged.'), null, null);
		o.value('debug', _('everything'));
		o.value('info', _('normal'));
		o.value('warn', _('warnings'));
		o.value('error', _('errors'));
		o.default = 'info';
	},

	renderTariff: function(map) {
		const decimals = +(uci.get('meshbox', 'token', 'decimals') || 18);
		const price = rules.price(decimals);
		const t = map.section(form.NamedSection, 'token', 'token', _('Token'));
		option(t, form.Value, 'symbol', _('Symbol'), _('What prices are written in, as guests read it. Takes effect at the next start of the service.'), 'token', rules.symbol);

		const s = map.section(form.NamedSection, 'tariff', 'tariff', _('Prices'), _('Time and data sold singly, and the free trial.'));
		option(s, form.Value, 'price_per_minute', _('Price of a minute'), _('0: time is not sold singly. "1 token = 10 minutes" is 0.1.'), '0', price);
		option(s, form.Value, 'price_per_mib', _('Price of a MiB'), _('0: data is not charged.'), '0', price);
		option(s, form.Value, 'trial_minutes', _('Free minutes'), _('For each device and day; 0: no trial.'), '0', rules.whole(0, 1440));
		option(s, form.Value, 'trial_mib', _('Data of the free trial (MiB)'), '', _('no limit'), rules.whole(1, 1048576));
		option(s, form.Value, 'down_kbps', _('Download rate (kbit/s)'), _('Of trials and of minutes sold singly; a package has its own.'), _('no limit'), rules.whole(8, 10000000));
		option(s, form.Value, 'up_kbps', _('Upload rate (kbit/s)'), '', _('no limit'), rules.whole(8, 10000000));
	},

	renderPackages: function(map) {
		const decimals = +(uci.get('meshbox', 'token', 'decimals') || 18);
		const s = map.section(form.GridSection, 'package', _('Packages'), _('What guests buy, or find printed on vouchers: time, data or both, for a price. At most 16.'));
		let o;
		s.addremove = true;
		s.sortable = true;
		s.nodescriptions = true;
		s.modaltitle = (id) => _('Package %s').format(id);

		o = option(s, form.Value, 'label', _('Label'), _('What guests read, such as "30 minutes".'), null, rules.line(48));
		o.rmempty = false;
		o = option(s, form.Value, 'price', _('Price'), '', null, rules.price(decimals));
		o.rmempty = false;

		o = option(s, form.Value, 'seconds', _('Time (seconds)'), '', _('no limit'), rules.whole(1, 31622400));
		o.value('1800', _('half an hour'));
		o.value('3600', _('an hour'));
		o.value('86400', _('a day'));
		o.value('604800', _('a week'));
		o = option(s, form.Value, 'bytes', _('Data (bytes)'), '', _('no limit'), rules.whole(1, 1125899906842624));
		o.value('104857600', '100 MiB');
		o.value('1073741824', '1 GiB');
		o.value('10737418240', '10 GiB');

		option(s, form.Value, 'devices', _('Devices'), _('That may use it at the same time.'), '1', rules.whole(1, 16));
		o = option(s, form.Flag, 'offered', _('On the guest page'), _('Off: it is only printed on vouchers.'), null, null);
		o.default = '1';

		o = option(s, form.Value, 'down_kbps', _('Download rate (kbit/s)'), '', _('no limit'), rules.whole(8, 10000000));
		o.modalonly = true;
		o = option(s, form.Value, 'up_kbps', _('Upload rate (kbit/s)'), '', _('no limit'), rules.whole(8, 10000000));
		o.modalonly = true;

		o = s.option(form.Value, 'slot', _('Number on vouchers'), _('Do not give it to another package while old vouchers are about.'));
		o.modalonly = true;
		o.rmempty = false;
		/* A new package has its number before anybody opened its form; it is written even if nobody changes it. */
		o.forcewrite = true;
		o.cfgvalue = (id) => uci.get('meshbox', id, 'slot') || firstFreeSlot();
		o.validate = (id, value) => {
			const shape = rules.whole(0, 15)(value);
			if (shape !== true)
				return shape;
			const twin = uci.sections('meshbox', 'package').find((other) => other['.name'] !== id && other.slot === value);
			return twin === undefined ? true : _('the package %s has this number').format(twin['.name']);
		};
	},

	renderHotspot: function(map) {
		const s = map.section(form.NamedSection, 'hotspot', 'hotspot', _('Guest network'), _('Interfaces, names and ports take effect at the next start of the service.'));
		let o;

		option(s, form.Value, 'guest_interface', _('Guest bridge'), _('Bridge the guests are on.'), 'br-guest', rules.interfaceName);
		option(s, form.DynamicList, 'uplink_interfaces', _('Uplinks'), _('Interfaces that lead to the Internet; needed for upload rates.'), null, rules.interfaceName);
		option(s, form.Value, 'portal_host', _('Name of the guest page'), '', 'meshbox.lan', rules.portalHost);
		option(s, form.Value, 'max_sessions', _('Sessions at once'), '', '1000', rules.whole(1, 4096));
		option(s, form.Value, 'trials_per_day', _('Free trials in a day'), _('Over all devices.'), '200', rules.whole(0, 100000));
		option(s, form.Value, 'idle_pause_minutes', _('Pause after idle minutes'), _('0: never.'), '0', rules.whole(0, 1440));
		o = option(s, form.Flag, 'client_isolation', _('Isolation'), _('Keep guests\' devices from reaching each other.'), null, null);
		o.default = '1';
		option(s, form.DynamicList, 'walled_garden_domains', _('Free domains'), _('Unpaid guests may reach them, with all below them.'), null, rules.hostName);
		option(s, form.DynamicList, 'walled_garden_addresses', _('Free addresses'), '', null, rules.prefix);
		option(s, form.Value, 'venue_url', _('Page about the place'), _('Shown by phones next to the network.'), null, rules.url);
	},

	renderOwner: function(map) {
		const s = map.section(form.NamedSection, 'owner', 'owner', _('Dashboard'), _('Takes effect at the next start of the service.'));
		option(s, form.Value, 'address', _('Address'), _('One address of the box on the owner\'s side. Never one of the guests\' network.'), '127.0.0.1', rules.ownAddress);
		option(s, form.Value, 'port', _('Port'), '', '2090', rules.whole(1, 65535));
		option(s, form.Value, 'session_minutes', _('Log out after idle minutes'), '', '30', rules.whole(1, 1440));
	}
});
