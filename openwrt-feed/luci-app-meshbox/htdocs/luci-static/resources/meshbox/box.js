'use strict';
'require baseclass';
'require rpc';
'require uci';

/*
 * The service as the pages see it: the methods of the ubus object `meshbox` (docs/luci.md), and how its numbers are
 * written for people. A refusal of the service, a missing permission and a broken answer all come as a rejected promise
 * with a sentence to show.
 */

function declare(method, params, reply) {
	const call = rpc.declare({ object: 'meshbox', method: method, params: params || [] });
	return (...values) => call(...values).then((answer) => {
		if (answer !== null && typeof(answer) === 'object' && answer.error === undefined && (reply === undefined || answer[reply] !== undefined))
			return answer;
		if (answer !== null && typeof(answer) === 'object' && typeof(answer.message) === 'string')
			throw new Error(answer.message);
		/* rpc.js gives the bare ubus code when there is no answer: 4 is "no such object", 6 "permission denied". */
		throw new Error(typeof(answer) === 'number' ? rpc.getStatusText(answer) : _('The service gave no answer.'));
	});
}

return baseclass.extend({
	status: declare('status', [], 'health'),
	sessions: declare('sessions', [ 'state', 'limit' ], 'sessions'),
	act: declare('session', [ 'id', 'action' ]),
	earnings: declare('earnings', [ 'days' ], 'days'),
	createVouchers: declare('voucher', [ 'package', 'count', 'valid_until', 'note' ], 'vouchers'),

	/* Whole minutes and larger, the two largest: "1d 4h", "35min". Below a minute seconds. */
	duration: function(seconds) {
		const parts = [ [ Math.floor(seconds / 86400), 'd' ], [ Math.floor(seconds / 3600) % 24, 'h' ], [ Math.floor(seconds / 60) % 60, 'min' ] ]
			.filter(([ count ]) => count > 0)
			.slice(0, 2)
			.map(([ count, unit ]) => '%d%s'.format(count, unit));
		return parts.length > 0 ? parts.join(' ') : '%ds'.format(Math.max(0, Math.floor(seconds)));
	},

	bytes: function(count) {
		return '%1024.1mB'.format(count);
	},

	/*
	 * Where the owner's dashboard is, or null when it listens for the box itself only. Its door compares the host name
	 * it is called by, so the link has the configured address and not the one this page came from.
	 */
	dashboard: function() {
		const address = uci.get('meshbox', 'owner', 'address') || '127.0.0.1';
		const port = uci.get('meshbox', 'owner', 'port') || '2090';
		if (address.startsWith('127.') || address === '::1' || address === 'localhost')
			return null;
		return 'http://%s:%s/'.format(address.includes(':') ? '[' + address + ']' : address, port);
	}
});
