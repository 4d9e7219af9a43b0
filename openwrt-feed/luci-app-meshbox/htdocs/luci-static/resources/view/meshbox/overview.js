'use strict';
'require view';
'require dom';
'require poll';
'require ui';
'require uci';
'require meshbox.box as box';

/*
 * State, earnings, sessions and vouchers at a glance, for who is in LuCI anyway. Everything else is on the owner's
 * dashboard, to which this page leads.
 *
 * Texts of guests and of the configuration always stand in an array of children: LuCI's E() takes a bare text for HTML.
 */

const SESSIONS_SHOWN = 50;
const DAYS_SHOWN = 30;

function statesOf(session) {
	switch (session.state) {
	case 'active': return [ 'ok', _('online') ];
	case 'paused': return [ 'warn', _('paused') ];
	case 'ended':
	case 'credited': return [ 'off', _('ended') ];
	default: return [ 'off', _('opening') ];
	}
}

function badge(level, text) {
	return E('span', { 'class': 'meshbox-badge meshbox-' + level }, [ text ]);
}

function partName(part) {
	switch (part) {
	case 'gate': return _('Gate');
	case 'store': return _('Books');
	case 'dnsmasq': return _('Addresses and names');
	case 'clock': return _('Clock');
	case 'disk': return _('Storage');
	case 'memory': return _('Memory');
	case 'portal-tls': return _('Guest page over TLS');
	case 'setup': return _('Set-up');
	case 'backup': return _('Backup');
	case 'channels': return _('Payment channels');
	default: return part;
	}
}

function row(cells) {
	return E('tr', { 'class': 'tr' }, cells.map(([ title, content ]) =>
		E('td', { 'class': 'td', 'data-title': title }, Array.isArray(content) ? content : [ content ])));
}

function table(titles, rows, empty) {
	return E('table', { 'class': 'table' }, [
		E('tr', { 'class': 'tr table-titles' }, titles.map((title) => E('th', { 'class': 'th' }, [ title ]))),
		...(rows.length > 0 ? rows : [ E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, [ empty ]) ]) ])
	]);
}

/* A bar for each day; its numbers are on the dashboard. */
function plot(days) {
	const NS = 'http://www.w3.org/2000/svg';
	const svg = document.createElementNS(NS, 'svg');
	const most = Math.max(...days.map(({ all }) => +all.text), 0);
	svg.setAttribute('class', 'meshbox-plot');
	svg.setAttribute('viewBox', '0 0 %d 40'.format(days.length * 10));
	svg.setAttribute('preserveAspectRatio', 'none');
	svg.setAttribute('role', 'img');
	svg.setAttribute('aria-label', _('Earnings of the last %d days').format(days.length));
	days.forEach(({ day, all }, index) => {
		const height = most > 0 ? Math.max(+all.text > 0 ? 1 : 0, 40 * +all.text / most) : 0;
		const bar = document.createElementNS(NS, 'rect');
		const title = document.createElementNS(NS, 'title');
		bar.setAttribute('x', index * 10 + 1);
		bar.setAttribute('width', 8);
		bar.setAttribute('y', 40 - height);
		bar.setAttribute('height', height);
		title.textContent = '%s: %s'.format(day, all.text);
		bar.appendChild(title);
		svg.appendChild(bar);
	});
	return svg;
}

return view.extend({
	load: function() {
		return Promise.all([ uci.load('meshbox'), this.ask(true) ]);
	},

	/* What the service says now; a refusal is part of the answer, because the page has to show something. */
	ask: function(withEarnings) {
		return Promise.all([
			box.status(),
			box.sessions('open', SESSIONS_SHOWN),
			withEarnings ? box.earnings(DAYS_SHOWN) : null
		]).then(
			([ status, sessions, earnings ]) => ({ status: status, sessions: sessions, earnings: earnings }),
			(refusal) => ({ refusal: refusal.message }));
	},

	render: function([ , answer ]) {
		/* null: LuCI cannot tell; then the box decides when it is asked. */
		this.mayChange = L.hasViewPermission() !== false;
		this.parts = {
			trouble: E('div'), title: E('h2', {}, [ _('MeshBox') ]), setup: E('div'), earnings: E('div'),
			sessions: E('div'), health: E('div')
		};

		let turn = 0;
		poll.add(() => this.ask(++turn % 6 === 0).then((next) => this.show(next)), 5);
		this.show(answer);

		return E('div', { 'class': 'meshbox' }, [
			E('link', { 'rel': 'stylesheet', 'href': L.resource('view/meshbox/meshbox.css') }),
			this.parts.title,
			E('div', { 'class': 'cbi-map-descr' }, this.renderDashboardLink()),
			this.parts.trouble,
			this.parts.setup,
			this.renderSection(_('Earnings'), [ this.parts.earnings ]),
			this.renderSection(_('Guests online'), [ this.parts.sessions ]),
			this.mayChange ? this.renderSection(_('New vouchers'), this.renderVoucherForm()) : '',
			this.renderSection(_('Health'), [ this.parts.health ])
		]);
	},

	renderSection: function(title, children) {
		return E('div', { 'class': 'cbi-section' }, [ E('h3', {}, [ title ]), ...children ]);
	},

	renderDashboardLink: function() {
		const address = box.dashboard();
		if (address !== null)
			return [ E('a', { 'class': 'btn cbi-button cbi-button-action', 'href': address, 'target': '_blank', 'rel': 'noopener noreferrer' }, [ _('Open the dashboard') ]),
				' ', _('Voucher sheets, prices, refunds and statements are there.') ];

		const port = uci.get('meshbox', 'owner', 'port') || '2090';
		return [ _('The dashboard listens for the box itself only. Give it an address of the owner\'s network under Settings, or come through a tunnel:'), ' ',
			E('code', {}, [ 'ssh -L %s:127.0.0.1:%s root@%s'.format(port, port, window.location.hostname) ]) ];
	},

	show: function(answer) {
		/* Everything is drawn anew; who works with the keyboard stays where he was. */
		const focused = document.activeElement && document.activeElement.id;
		this.draw(answer);
		const again = focused ? document.getElementById(focused) : null;
		if (again !== null && again !== document.activeElement)
			again.focus();
	},

	draw: function(answer) {
		const { parts } = this;
		if (answer.refusal !== undefined) {
			dom.content(parts.trouble, [ E('div', { 'class': 'alert-message warning', 'role': 'alert' }, [ answer.refusal ]) ]);
			return;
		}
		dom.content(parts.trouble, []);
		dom.content(parts.title, [ answer.status.name ]);
		dom.content(parts.setup, this.renderSetup(answer.status));
		dom.content(parts.sessions, this.renderSessions(answer.sessions, answer.status));
		dom.content(parts.health, this.renderHealth(answer.status));
		if (answer.earnings !== null)
			dom.content(parts.earnings, this.renderEarnings(answer.earnings));
	},

	renderSetup: function(status) {
		if (status.setup.passwordSet)
			return [];
		return [ E('div', { 'class': 'alert-message notice' }, [
			E('h4', {}, [ _('This box has no owner yet') ]),
			E('p', {}, [ _('Open the dashboard: it asks for the set-up code, the name of your place, the price and a password.') ]),
			E('p', {}, [ _('The set-up code is in the system log (Status, System Log), and on the console:'), ' ', E('code', {}, [ 'ssh root@%s meshbox status'.format(window.location.hostname) ]) ])
		]) ];
	},

	renderEarnings: function(earnings) {
		const { symbol } = earnings.token;
		const figure = (title, sum) => E('div', { 'class': 'meshbox-figure' }, [
			E('span', {}, [ title ]),
			E('strong', {}, [ sum === null ? '–' : '%s %s'.format(sum.all.text, symbol) ]),
			sum === null || sum.all.units === sum.owner.units ? '' : E('small', {}, [ _('%s of it yours').format(sum.owner.text) ])
		]);
		return [
			E('div', { 'class': 'meshbox-figures' }, [
				figure(earnings.clockTrusted ? _('Today') : _('Since switched on'), earnings.earnedToday),
				figure(_('This month'), earnings.earnedMonth),
				figure(_('Ever'), earnings.earnedTotal)
			]),
			earnings.days.some(({ all }) => all.units !== '0') ? plot(earnings.days) : ''
		];
	},

	renderSessions: function({ sessions, nextBeforeId }, status) {
		const rows = sessions.map((session) => {
			const [ level, word ] = statesOf(session);
			const left = [];
			if (session.secondsLeft !== null)
				left.push(box.duration(session.secondsLeft));
			if (session.bytesLeft !== null)
				left.push(box.bytes(session.bytesLeft));
			return row([
				[ _('Package'), [ session.label, ' ', badge(level, word) ] ],
				[ _('Devices'), session.devices.map(({ mac, ip4 }) => E('div', {}, [ ip4 === null ? mac : '%s %s'.format(mac, ip4) ])) ],
				[ _('Left'), left.join(', ') ],
				[ _('Used'), '%s ↓ %s ↑ %s'.format(box.duration(session.secondsUsed), box.bytes(session.downBytes), box.bytes(session.upBytes)) ],
				[ '', this.mayChange ? this.renderActions(session) : '' ]
			]);
		});
		return [
			E('p', {}, [ _('%d online, %d paused, %d unused vouchers').format(status.sessions.active, status.sessions.paused, status.vouchersUnused) ]),
			table([ _('Package'), _('Devices'), _('Left'), _('Used'), '' ], rows, _('Nobody is online.')),
			nextBeforeId === null ? '' : E('p', {}, [ _('Only the newest %d are shown; the dashboard has all.').format(SESSIONS_SHOWN) ])
		];
	},

	renderActions: function(session) {
		const button = (action, style, text, run) => !session.actions.includes(action) ? '' :
			E('button', { 'id': 'meshbox-%s-%s'.format(action, session.id), 'class': 'btn cbi-button cbi-button-' + style, 'click': ui.createHandlerFn(this, run, session, action) }, [ text ]);
		return E('div', { 'class': 'meshbox-actions' }, [
			button('pause', 'neutral', _('Pause'), 'handleAct'),
			button('resume', 'neutral', _('Resume'), 'handleAct'),
			button('kick', 'negative', _('End'), 'handleEnd')
		]);
	},

	renderHealth: function(status) {
		const words = { ok: _('good'), warn: _('look at it'), bad: _('bad') };
		const list = (lines) => table([ _('Part'), _('State'), _('What') ], lines.map(({ part, level, text, advice }) => row([
			[ _('Part'), partName(part) ],
			[ _('State'), badge(level, words[level] || level) ],
			[ '', [ text, advice === undefined ? '' : E('div', {}, [ E('em', {}, [ advice ]) ]) ] ]
		])), '');
		const good = status.health.filter(({ level }) => level === 'ok');
		const others = status.health.filter(({ level }) => level !== 'ok');
		/* Drawn anew every few seconds: what was folded out stays so. */
		const folded = this.parts.health.querySelector('details');
		const isOpen = folded !== null && folded.open;
		return [
			others.length > 0 ? list(others) : '',
			E('details', isOpen ? { 'open': '' } : {}, [ E('summary', {}, [ _('%d parts are good').format(good.length) ]), list(good) ]),
			E('p', {}, [ _('Version %s, running for %s, %s of memory').format(status.version, box.duration(status.uptimeSeconds), box.bytes(status.facts.memory.rssBytes)) ])
		];
	},

	renderVoucherForm: function() {
		const packages = uci.sections('meshbox', 'package');
		if (packages.length === 0)
			return [ E('p', {}, [ _('There is no package to print on vouchers; make one under Settings.') ]) ];

		const symbol = uci.get('meshbox', 'token', 'symbol') || 'token';
		const field = (title, input) => E('div', { 'class': 'cbi-value' }, [
			E('label', { 'class': 'cbi-value-title', 'for': input.id }, [ title ]),
			E('div', { 'class': 'cbi-value-field' }, [ input ])
		]);
		this.voucherFields = {
			package: E('select', { 'id': 'meshbox-package', 'class': 'cbi-input-select' },
				packages.map((section) => E('option', { 'value': section['.name'] }, [ '%s, %s %s'.format(section.label || section['.name'], section.price || '?', symbol) ]))),
			count: E('input', { 'id': 'meshbox-count', 'type': 'number', 'class': 'cbi-input-text', 'min': 1, 'max': 100, 'value': 8 }),
			validUntil: E('input', { 'id': 'meshbox-until', 'type': 'date', 'class': 'cbi-input-text' }),
			note: E('input', { 'id': 'meshbox-note', 'type': 'text', 'class': 'cbi-input-text', 'maxlength': 48 })
		};
		return [
			field(_('Package'), this.voucherFields.package),
			field(_('How many (up to 100)'), this.voucherFields.count),
			field(_('Last day of first use'), this.voucherFields.validUntil),
			field(_('Text on the voucher'), this.voucherFields.note),
			E('div', { 'class': 'meshbox-actions' }, [
				E('button', { 'class': 'btn cbi-button cbi-button-add', 'click': ui.createHandlerFn(this, 'handleCreate') }, [ _('Make vouchers') ])
			])
		];
	},

	complain: function(error) {
		ui.addNotification(null, E('p', {}, [ error.message ]), 'danger');
	},

	handleAct: function(session, action) {
		return box.act(session.id, action)
			.then(() => this.ask(false).then((answer) => this.show(answer)))
			.catch((error) => this.complain(error));
	},

	handleEnd: function(session) {
		ui.showModal(_('End this session?'), [
			E('p', {}, [ '%s, %s'.format(session.label, session.devices.map(({ mac }) => mac).join(', ')) ]),
			E('p', {}, [ _('The guest is cut off at once. What is left is not kept and not paid back; for a refund use the dashboard.') ]),
			E('div', { 'class': 'right' }, [
				E('button', { 'class': 'btn', 'click': ui.hideModal }, [ _('Cancel') ]), ' ',
				E('button', { 'class': 'btn cbi-button cbi-button-negative', 'click': ui.createHandlerFn(this, () => {
					ui.hideModal();
					return this.handleAct(session, 'kick');
				}) }, [ _('End') ])
			])
		]);
	},

	handleCreate: function() {
		const fields = this.voucherFields;
		const count = +fields.count.value;
		if (!Number.isInteger(count) || count < 1 || count > 100) {
			this.complain(new Error(_('How many: a whole number from 1 to 100')));
			return;
		}
		return box.createVouchers(fields.package.value, count, fields.validUntil.value || undefined, fields.note.value.trim() || undefined)
			.then(({ batch, vouchers }) => {
				ui.showModal(_('%d new vouchers').format(vouchers.length), [
					E('p', {}, [ _('Codes are worth money: whoever has one can use it. The dashboard prints this sheet (%s) with QR codes.').format(batch) ]),
					E('textarea', { 'class': 'cbi-input-textarea meshbox-codes', 'readonly': '', 'rows': Math.min(12, vouchers.length), 'aria-label': _('Voucher codes') },
						[ vouchers.map(({ code }) => code).join('\n') ]),
					E('div', { 'class': 'right' }, [ E('button', { 'class': 'btn', 'click': ui.hideModal }, [ _('Close') ]) ])
				]);
				return this.ask(false).then((answer) => this.show(answer));
			})
			.catch((error) => this.complain(error));
	},

	handleSaveApply: null,
	handleSave: null,
	handleReset: null
});
