'use strict';
'require baseclass';

/*
 * What the service takes as values of /etc/config/meshbox, so that a mistake is named at the field and not only after
 * saving. The rules are those of src/config/schema.ts and rules.ts; test/unit/luci compares them value by value.
 * Each check gives true, or a sentence for the person at the field, as LuCI's form.Value.validate wants it.
 */

/* Patterns stand behind a bracket or a comma only: LuCI's build squeezes this file with a tool that takes the slash of
   a pattern for a division elsewhere. */
function fits(pattern, text) {
	return pattern.test(text);
}

/* 4 or 16 bytes, or null. */
function addressBytes(text) {
	if (!text.includes(':'))
		return fits(/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/, text) && text.split('.').every((part) => +part <= 255)
			? text.split('.').map(Number) : null;

	const halves = text.split('::');
	if (halves.length > 2 || text.length > 45)
		return null;

	const bytes = halves.map((half, which) => {
		const parts = half === '' ? [] : half.split(':');
		const list = [];
		for (const [index, part] of parts.entries()) {
			const quad = which === halves.length - 1 && index === parts.length - 1 && part.includes('.') ? addressBytes(part) : null;
			if (quad !== null)
				list.push(...quad);
			else if (fits(/^[0-9a-fA-F]{1,4}$/, part))
				list.push(parseInt(part, 16) >> 8, parseInt(part, 16) & 255);
			else
				return null;
		}
		return list;
	});
	if (bytes.includes(null))
		return null;
	if (halves.length === 1)
		return bytes[0].length === 16 ? bytes[0] : null;

	const missing = 16 - bytes[0].length - bytes[1].length;
	return missing < 2 ? null : [ ...bytes[0], ...new Array(missing).fill(0), ...bytes[1] ];
}

function isHostName(text) {
	return text.length <= 253 && addressBytes(text) === null && text.split('.').length >= 2 &&
		text.split('.').every((label) => fits(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, label));
}

function isPrefix(text) {
	const match = text.match(/^([^\/]+)(?:\/(0|[1-9]\d{0,2}))?$/);
	const bytes = match && addressBytes(match[1]);
	if (!bytes || match[2] === undefined)
		return !!bytes;
	const length = +match[2];
	return length <= bytes.length * 8 &&
		bytes.every((byte, index) => (byte & (255 >> Math.min(8, Math.max(0, length - index * 8)))) === 0);
}

function isUrl(text) {
	try {
		return new URL(text) !== null;
	}
	catch (e) {
		return false;
	}
}

/* Of an account or a contract; not that of nobody. */
function isAccount(text) {
	return fits(/^0x[0-9a-fA-F]{40}$/, text) && !fits(/^0x0{40}$/, text);
}

/* enode://PUBLICKEY@HOST:PORT */
function isEnode(text) {
	const match = text.match(/^enode:\/\/[0-9a-f]{128}@(\[[0-9a-fA-F:.]+\]|[0-9.]+):([1-9]\d{0,4})(\?discport=\d{1,5})?$/);
	return match !== null && addressBytes(match[1].replace(/^\[|\]$/g, '')) !== null && +match[2] <= 65535;
}

/* ACCOUNT@/ip4/…/tcp/… */
function isBox(text) {
	const at = Math.max(text.indexOf('@'), 0);
	const where = text.slice(at + 1);
	return isAccount(text.slice(0, at)) && where.length <= 255 &&
		fits(/^\/(ip4|ip6|dns4|dns6)\/[0-9a-zA-Z.:-]+\/tcp\/[1-9]\d{0,4}(\/p2p\/[0-9A-Za-z]+)?$/, where);
}

function isPath(text) {
	return fits(/^\/[^\u0000-\u001f\u007f]+$/, text) && new TextEncoder().encode(text).length <= 255 &&
		!text.split('/').some((part) => part === '.' || part === '..');
}

/* The largest price in smallest units: 2^128 - 1, over 2^40 (MAX_PRICE of the service). */
const MAX_PRICE = BigInt('0xffffffffffffffffffffff');

/* Total: every check answers every text. An empty text is an option left out, which has its default. */
function check(allowed, words) {
	return (text) => text === '' || allowed(text) ? true : words();
}

return baseclass.extend({
	/* Visible text of 1 to `max` characters on one line, no blank at either end. */
	line: (max) => check(
		(text) => text.length <= max * 8 && text.trim() === text && !fits(/[\p{Control}\p{Line_Separator}\p{Paragraph_Separator}]/u, text) && [ ...text ].length <= max,
		() => _('1 to %d characters on one line, no blank at either end').format(max)),

	whole: (min, max) => check(
		(text) => fits(/^(0|[1-9]\d{0,15})$/, text) && +text >= min && +text <= max,
		() => _('a whole number from %d to %d').format(min, max)),

	/* A price in whole tokens with at most so many digits after the point. */
	price: (decimals) => check(
		(text) => {
			const match = text.length <= 80 ? text.match(/^(\d+)(?:\.(\d+))?$/) : null;
			const fraction = match && match[2] || '';
			return match !== null && fraction.length <= decimals && BigInt(match[1] + fraction.padEnd(decimals, '0')) <= MAX_PRICE;
		},
		() => _('a price such as 0.5, with at most %d digits after the point').format(decimals)),

	account: check(isAccount, () => _('an address: 0x and 40 hex digits')),

	enode: check(isEnode, () => _('an address of a node that begins with enode://')),

	box: check(isBox, () => _('account and address of a box, as meshbox channel status shows them')),

	token: check(
		(text) => {
			const parts = text.split(':');
			return parts.length === 3 && isAccount(parts[0]) && fits(/^[A-Za-z0-9]{1,12}$/, parts[1]) && fits(/^\d{1,2}$/, parts[2]) && +parts[2] <= 36;
		},
		() => _('address:symbol:decimals, such as 0x…:SMT:18')),

	chain: check(
		(text) => [ 'none', 'mainnet', 'testnet', 'devnet' ].includes(text) || isPath(text),
		() => _('none, mainnet, testnet, devnet, or the path of a join file')),

	ip: check((text) => addressBytes(text) !== null, () => _('an IP address')),

	symbol: check(
		(text) => fits(/^[^\s\p{Control}]{1,12}$/u, text),
		() => _('1 to 12 characters without blanks')),

	interfaceName: check(
		(text) => fits(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/, text),
		() => _('a name of an interface, such as br-guest')),

	hostName: check(isHostName, () => _('a lower-case host name with at least one dot')),

	portalHost: check(
		(text) => isHostName(text) && !text.endsWith('.local'),
		() => _('a lower-case host name with at least one dot, not ending in .local')),

	prefix: check(isPrefix, () => _('an address, or a network such as 192.0.2.0/24')),

	/* An address of the box itself: not one that means all of them. */
	ownAddress: check(
		(text) => {
			const bytes = addressBytes(text);
			const isMapped = bytes !== null && bytes.length === 16 && bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
			return bytes !== null && (isMapped ? bytes.slice(12) : bytes).some((byte) => byte !== 0);
		},
		() => _('one address of the box, not 0.0.0.0 or ::')),

	ownAddress4: check(
		(text) => {
			const bytes = addressBytes(text);
			return bytes !== null && bytes.length === 4 && bytes.some((byte) => byte !== 0);
		},
		() => _('one IPv4 address of the box, not 0.0.0.0')),

	url: check(
		(text) => text.length <= 255 && fits(/^https?:\/\/[\x21-\x7e]+$/, text) && isUrl(text),
		() => _('an address that begins with http:// or https://, at most 255 characters'))
});
