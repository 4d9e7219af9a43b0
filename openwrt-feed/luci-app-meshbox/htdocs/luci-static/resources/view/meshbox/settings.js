'use strict';
'require view';
'require form';
'require uci';
'require meshbox.box as box';
'require meshbox.rules as rules';

/*
 * The options of /etc/config/meshbox that an owner changes: names, network, prices, packages, chain, channels. All options are in
 * docs/configuration.md. Saving commits the file; procd then tells the service, which answers a mistake in its log and
 * goes on with what it has.
 */

/* Sections a file may hold once; a file without one gets it when something in it is saved. */
const SINGLE = { main: 'meshbox', token: 'token', hotspot: 'hotspot', owner: 'owner', tariff: 'tariff', chain: 'chain', photon: 'photon' };

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
		this.renderChain(map);
		this.renderChannels(map);
		return map.render();
	},

	renderMain: function(map) {
		const s = map.section(form.NamedSection, 'main', 'meshbox', _('The box'));
		let o;

		option(s, form.Value, 'name', _('Name'), _('Name of the place; guests see it on the page and on vouchers.'), 'MeshBox', rules.line(48));

		o = option(s, form.MultiValue, 'roles', _('Roles'), _('What this box does. Takes effect at the next start of the service.'), null, null);
		o.value('hotspot', _('Hotspot: sells Wi-Fi'));
		o.value('light', _('Chain: checks blocks'));
		o.value('sealer', _('Chain: checks and makes blocks'));
		o.value('photon', _('Payment channels: needs a chain'));

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
		option(s, form.Value, 'burner_cap', _('Most spent on a page without TLS'), _('Of what is paid by the second; 0: the price of an hour.'), '0', price);
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

		o = option(s, form.Value, 'tokens', _('Worth in tokens'), _('For the guest\'s own payment channel; then neither time nor data, and only printed.'), null, rules.price(decimals));
		o.modalonly = true;

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
	},

	/* Who may connect: the address and port it listens at, and from where the router's firewall lets others in. */
	renderDoor: function(s, address, port) {
		option(s, form.Value, 'listen_address', _('Address for other boxes'), _('Without it the box connects to others, and nobody to it.'), null, address);
		option(s, form.Value, 'listen_port', _('Port for other boxes'), '', port, rules.whole(1, 65535));
		const o = option(s, form.MultiValue, 'listen_zones', _('Open to'), _('From where the firewall lets others in: only beside an address, and for a port from 49152 up.'), null, null);
		o.value('mesh', _('the mesh'));
		o.value('wan', _('the Internet'));
	},

	renderChain: function(map) {
		const s = map.section(form.NamedSection, 'chain', 'chain', _('Chain'), _('Which chain the box checks or makes blocks of, and with whom. Takes effect at the next start of the service.'));
		let o;

		o = option(s, form.Value, 'network', _('Which one'), _('A public chain, or the join file of a community\'s own.'), 'none', rules.chain);
		for (const name of [ 'mainnet', 'testnet', 'devnet' ])
			o.value(name);
		option(s, form.Value, 'coinbase', _('Owner\'s wallet'), _('What blocks earn goes there; needed to make blocks.'), null, rules.account);
		option(s, form.DynamicList, 'peers', _('Always connected to'), '', null, rules.enode);
		this.renderDoor(s, rules.ip, '60303');
		option(s, form.Value, 'rpc_address', _('Address for wallets'), _('JSON-RPC, on the owner\'s side.'), null, rules.ownAddress);
		option(s, form.Value, 'rpc_port', _('Port for wallets'), '', '18545', rules.whole(1, 65535));
		o = option(s, form.Flag, 'guest_rpc', _('Guests may ask the chain'), _('While they are on line.'), null, null);
		o.default = '1';
	},

	renderChannels: function(map) {
		const price = rules.price(+(uci.get('meshbox', 'token', 'decimals') || 18));
		const s = map.section(form.NamedSection, 'photon', 'photon', _('Payment channels'), _('With other boxes and with guests. Takes effect at the next start of the service.'));
		option(s, form.Value, 'contract', _('Channel contract'), _('A community\'s new chain has one.'), null, rules.account);
		option(s, form.DynamicList, 'tokens', _('Tokens known by name'), '', null, rules.token);
		option(s, form.DynamicList, 'peers', _('Always connected to'), '', null, rules.box);
		this.renderDoor(s, rules.ownAddress, '60402');
		option(s, form.Value, 'fee_constant', _('Fee for carrying a payment'), '', '0', price);
		option(s, form.Value, 'fee_ppm', _('Fee of the amount (millionths)'), '', '100', rules.whole(0, 1000000));
		option(s, form.Value, 'max_offline_exposure', _('Most taken while the chain is out of view'), _('From each partner, who could take it back.'), '0', price);
		option(s, form.Value, 'top_up_per_day', _('Put into channels by itself in a day'), _('0: never.'), '0', price);
		option(s, form.Value, 'watch_reward', _('Reward for being guarded'), _('0: nobody is asked.'), '0', price);
		option(s, form.Value, 'watch_min_reward', _('Least reward for guarding'), _('0: it guards nobody.'), '0', price);
		option(s, form.Value, 'stream_token', _('Token for minutes by the second'), _('Left out: they are not sold.'), null, rules.account);
		option(s, form.Value, 'stream_price_per_minute', _('Price of a minute by the second'), _('0: as minutes sold singly.'), '0', price);
		option(s, form.Value, 'stream_min_deposit', _('Least in a guest\'s channel'), '', '0', price);
		option(s, form.Value, 'order_fee', _('Fee for an order of a guest'), _('That the box sends for him and pays the gas of; 0: none is taken.'), '0', price);
		option(s, form.Value, 'core_min_deposit', _('Least deposit of a channel that carries for others'), '', '0', price);
		option(s, form.Value, 'v1_contract', _('Contract of the original Photon'), _('For nodes of it on the owner\'s network. Read docs/photon-v1.md first.'), null, rules.account);
		option(s, form.Value, 'v1_listen_address', _('Address for original nodes'), _('Needed beside that contract.'), null, rules.ownAddress4);
		const o = option(s, form.Flag, 'rest', _('Door for programs'), _('REST of the original Photon at the dashboard\'s address; its token is in the file photon-token.'), null, null);
		o.default = '0';
	}
});
