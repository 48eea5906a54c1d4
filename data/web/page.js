// SPDX-License-Identifier: GPL-2.0-or-later
// The page of ringcastd. All text of the daemon is written with textContent, so a channel called
// "<b>" stays a text. The data is the JSON of /api/v1/, see doc/page.md.
"use strict";

const PERIOD = 2000; // between two requests, in milliseconds
const SAMPLES = 150; // of a plot
const SAMPLES_MIN = 30; // the width of a plot at the beginning, in samples
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

const page = {
	top: null,	    // the last answer
	names: true,	    // viewers are shown
	paths: [],	    // the paths that this daemon answers
	rates: new Map(),   // key -> the last rates, in bit/s
	rows: new Map(),    // key -> row of the table
	sampled: -PERIOD,   // when the last samples were taken
	sort: {key: "rate", down: true},
	filter: "",
	range: "day",	    // the time for which the quality of one stream is shown
	asking: false,
	again: false,
	timer: null,	    // asks when there is no stream of events
};

// ---- small things ----

function element(name, text, className) {
	const e = document.createElement(name);
	if (text !== undefined && text !== null)
		e.textContent = text;
	if (className)
		e.className = className;
	return e;
}

function setText(e, text) {
	if (e.textContent !== text)
		e.textContent = text;
}

function pairs(list, into) {
	into.replaceChildren(...list.map(([name, value]) => {
		const d = element("div");
		d.append(element("dt", name), element("dd", value));
		return d;
	}));
}

// The last `numbers` columns are aligned to the right.
function table(heads, rows, className, numbers = 0) {
	const t = element("table", null, className), head = element("tr");
	const body = element("tbody");
	const align = (i) => i >= heads.length - numbers ? "num" : "";
	heads.forEach((h, i) => {
		const th = element("th", h, align(i));
		th.scope = "col";
		head.append(th);
	});
	const thead = element("thead");
	thead.append(head);
	rows.forEach((cells) => {
		const tr = element("tr");
		cells.forEach((c, i) => {
			const td = element("td", null, align(i));
			td.append(c instanceof Node ? c : String(c));
			tr.append(td);
		});
		body.append(tr);
	});
	t.append(thead, body);
	return t;
}

function newImage(name, width, label) {
	const svg = document.createElementNS(SVG, "svg");
	svg.setAttribute("class", name);
	svg.setAttribute("viewBox", `0 0 ${width} 24`);
	svg.setAttribute("preserveAspectRatio", "none");
	svg.setAttribute("role", "img");
	svg.setAttribute("aria-label", label);
	return svg;
}

function newBars(n, label) {
	return newImage("bars", n, label);
}

// Adds bar i, whose height is 24 at most.
function addBar(svg, i, height, className) {
	const rect = document.createElementNS(SVG, "rect");
	rect.setAttribute("x", i);
	rect.setAttribute("width", "0.8");
	rect.setAttribute("y", 24 - height);
	rect.setAttribute("height", height);
	rect.setAttribute("class", className);
	svg.append(rect);
}

// The axis below a plot that ends now.
function axis(length) {
	const a = element("div", null, "axis");
	a.append(element("span", length + " ago"), element("span", "now"));
	return a;
}

function megabits(bytes) {
	return bytes === null || bytes === undefined ? "" : (bytes * 8 / 1e6).toFixed(2);
}

function count(n) {
	return Number(n || 0).toLocaleString("en");
}

function duration(ms) {
	const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60);
	const d = Math.floor(h / 24);
	if (d > 0)
		return `${d} d ${h % 24} h`;
	if (h > 0)
		return `${h} h ${m % 60} min`;
	return m > 0 ? `${m} min ${s % 60} s` : `${s} s`;
}

async function ask(path, wanted) {
	const reply = await fetch("/api/v1/" + path, {cache: "no-store", credentials: "omit"});
	const value = await reply.json();
	if (!reply.ok && !wanted)
		throw new Error(value.error || reply.statusText);
	return value;
}

// ---- streams ----

const keyOf = (r) => [r.instance || "", r.group, r.origin].join(" ");
const sourceOf = (r) => r.origin !== "*" ? r.origin : r.last_source || "any";

// what the daemon says of the quality: whose fault it is
const FAULT = {provider: "faults of the provider", router: "faults of this router",
	perhaps: "faults, perhaps of this router", beyond: "faults beyond this router"};

// lamp, word, rank for sorting
function stateOf(r) {
	if (r.refused && r.refused.source)
		return ["bad", "source refused", 0];
	if (FAULT[r.quality])
		return ["warn", FAULT[r.quality], 1];
	if (r.packets_per_s > 0)
		return ["good", r.quality === "clean" ? "clean" : "flows", 3];
	return r.out.length ? ["idle", "no data", 2] : ["idle", "nobody", 4];
}

const VALUE = {
	state: (r) => stateOf(r)[2],
	name: (r) => r.channel || "\uffff",
	group: (r) => r.group,
	source: (r) => sourceOf(r),
	from: (r) => r.in || "",
	to: (r) => r.out.join(", "),
	viewers: (r) => r.members || 0,
	rate: (r) => r.bytes_per_s || 0,
};

function compare(a, b) {
	const x = VALUE[page.sort.key](a), y = VALUE[page.sort.key](b);
	let c = typeof x === "number" ? x - y : x.localeCompare(y, "en", {numeric: true});
	if (page.sort.down)
		c = -c;
	return c || a.group.localeCompare(b.group, "en", {numeric: true});
}

function matches(r) {
	const text = [r.channel, r.group, sourceOf(r), r.in, ...r.out, stateOf(r)[1]].join(" ");
	return page.filter.toLowerCase().split(" ").every((w) => text.toLowerCase().includes(w));
}

function newPlot(label) {
	const svg = newImage("plot", SAMPLES, label);
	svg.append(document.createElementNS(SVG, "polyline"));
	return svg;
}

function draw(svg, rates) {
	const most = Math.max(1, ...rates), n = Math.max(SAMPLES_MIN, rates.length);
	const from = n - rates.length, step = SAMPLES / (n - 1);
	svg.firstChild.setAttribute("points", rates.map((v, i) =>
		`${((from + i) * step).toFixed(1)},${(23 - 22 * v / most).toFixed(1)}`).join(" "));
}

// Plots are drawn only for the rows on the screen and near it.
const watcher = new IntersectionObserver((entries) => {
	for (const e of entries) {
		const row = page.rows.get(e.target.dataset.key);
		if (!row)
			continue;
		row.seen = e.isIntersecting;
		draw(row.cell.svg, row.seen ? page.rates.get(row.key) || [] : []);
	}
}, {rootMargin: "400px"});

function newRow(key) {
	const tr = element("tr"), cell = {};
	tr.dataset.key = key;
	watcher.observe(tr);
	for (const name of [...Object.keys(VALUE), "plot"]) {
		cell[name] = element("td", null, name);
		tr.append(cell[name]);
	}
	cell.viewers.classList.add("num");
	cell.rate.classList.add("num");
	cell.lamp = element("span", "", "lamp");
	cell.state.append(cell.lamp);
	cell.link = element("a");
	cell.name.append(cell.link);
	cell.svg = newPlot("rate of the last minutes");
	cell.plot.append(cell.svg);
	return {key, tr, cell, seen: false};
}

function fillRow(row, r) {
	const [lamp, word] = stateOf(r), c = row.cell;
	c.lamp.className = "lamp " + lamp;
	setText(c.lamp, word);
	setText(c.link, r.channel || r.group);
	c.link.href = "#/stream/" + encodeURIComponent(r.group);
	setText(c.group, r.group);
	setText(c.source, sourceOf(r));
	setText(c.from, r.in || "");
	setText(c.to, r.out.join(", "));
	setText(c.viewers, String(r.members || 0));
	setText(c.rate, megabits(r.bytes_per_s));
	if (row.seen)
		draw(c.svg, page.rates.get(row.key) || []);
}

// Keeps a sample for each period; an answer within a period replaces the last sample.
function remember(rows) {
	const seen = new Set(), now = performance.now();
	const replace = now - page.sampled < PERIOD / 2;
	if (!replace)
		page.sampled = now;
	for (const r of rows) {
		const key = keyOf(r), list = page.rates.get(key) || [];
		if (replace)
			list.pop();
		list.push((r.bytes_per_s || 0) * 8);
		if (list.length > SAMPLES)
			list.shift();
		page.rates.set(key, list);
		seen.add(key);
	}
	for (const key of page.rates.keys())
		if (!seen.has(key))
			page.rates.delete(key);
}

// The viewers of a group are in the rows of all its sources.
function countViewers(rows) {
	const most = new Map();
	for (const r of rows) {
		const key = [r.instance || "", r.group].join(" ");
		most.set(key, Math.max(most.get(key) || 0, r.members || 0));
	}
	return [...most.values()].reduce((n, m) => n + m, 0);
}

function showStreams() {
	if (!page.top)
		return;
	const list = page.top.rows.filter(matches).sort(compare);
	const body = byId("streams").tBodies[0], rows = list.map((r) => {
		const key = keyOf(r), row = page.rows.get(key) || newRow(key);
		page.rows.set(key, row);
		fillRow(row, r);
		return row.tr;
	});
	// move only rows whose place has changed, so that focus and scrolling stay
	rows.forEach((tr, i) => {
		if (body.children[i] !== tr)
			body.insertBefore(tr, body.children[i] || null);
	});
	while (body.children.length > rows.length)
		body.lastChild.remove();
	for (const [key, row] of page.rows)
		if (!page.rates.has(key)) {
			watcher.unobserve(row.tr);
			page.rows.delete(key);
		}
	const none = byId("no-streams");
	none.hidden = rows.length > 0;
	setText(none, page.filter ? "No stream matches the filter."
				  : "Nobody has joined a group.");
	const rate = page.top.rows.reduce((n, r) => n + (r.bytes_per_s || 0), 0);
	pairs([["streams", rows.length === page.top.total ? count(page.top.total)
		: `${count(rows.length)} of ${count(page.top.total)}`],
	["viewers", count(countViewers(page.top.rows))], ["Mbit/s", megabits(rate)],
	["up", duration(page.top.uptime_ms)]], byId("sums"));
	document.querySelectorAll("#streams th[data-key]").forEach((th) => {
		if (th.dataset.key === page.sort.key)
			th.setAttribute("aria-sort", page.sort.down ? "descending" : "ascending");
		else
			th.removeAttribute("aria-sort");
	});
}

// ---- network ----

// what a reason means, and what to do
const DROPS = {
	no_group: "Frames of groups that nobody has joined. Normal if the provider sends them anyway.",
	source_filtered: "Members asked for the group, but not from this source.",
	wrong_input: "The source is in no subnet or altnet of the interface. Add an altnet.",
	acl: "A boundary, whitelist or blacklist refuses the group.",
	ttl_expired: "The stream arrives with TTL 1, so it must not be forwarded. The sender must raise it.",
	empty_output: "All members are where the stream comes from.",
	not_multicast: "Unicast that passed by. Normal.",
	link_local_scope: "Groups that never leave their link. Normal.",
	control: "IGMP, MLD and PIM, which are not streams. Normal.",
	own_mac: "Our own frames that came back. Look for a loop.",
	otherhost: "Frames for other stations. Normal.",
	vlan_mismatch: "Frames of another VLAN on the same link.",
	ttl_threshold: "The TTL is not above the threshold of the output.",
	mtu_df: "Too large for the output, and must not be fragmented. Raise its MTU.",
	port_down: "The link of the output is down.",
	tx_full: "The output cannot take more: the link is full, or the queue is too short.",
	tx_queue: "The queue of the output is full.",
	tx_size: "The output takes no frames of this size. Compare its MTU with that of the upstream.",
	tx_error: "The kernel refused to send.",
	frag_failed: "The datagram could not be cut into fragments.",
	checksum_unfixable: "A partial checksum that could not be completed. Turn off transmit checksums at the sender.",
	truncated: "Too large for the receive ring. Lower the sender's MTU, or turn off generic-receive-offload.",
	superframe: "Longer than the MTU of the interface, and could not be cut: ethtool -K INTERFACE gro off lro off.",
	bad_version: "Damaged: the IP version is wrong. Look for the fault before this router.",
	bad_ihl: "Damaged: the length of the IP header is wrong.",
	bad_length: "Damaged: the frame is shorter than its header says.",
	bad_ip_checksum: "Damaged: the checksum of the IP header is wrong.",
	martian_source: "The source address cannot be that of a sender.",
	source_route: "The packet carries a source route, which no router follows. Change the sender.",
};

function queriers(i) {
	return Object.entries(i.querier || {}).map(([family, state]) =>
		`${family}: ${state === "active" ? "we ask" : state === "standby"
			? "another router asks" : "nobody asks"}`).join(", ");
}

function portState(i) {
	if (i.error)
		return ["bad", i.error];
	if (!i.present)
		return ["bad", "there is no such interface"];
	return i.up ? ["good", "up"] : ["bad", "the link is down"];
}

function portCard(i) {
	const card = element("article", null, "card"), h = element("h3"), dl = element("dl");
	const [lamp, word] = portState(i), rows = [["Groups", count(i.groups)],
		["Datagrams in", count(i.rx_packets)], ["Datagrams out", count(i.tx_packets)],
		["Lost in the ring", count(i.ring_drops)], ["Dropped", count(i.dropped)],
		["Not sent", count(i.refused)]];
	h.append(i.name, element("span", i.role === "upstream" ? "provider" : "LAN"));
	for (const f of i.upstream || []) {
		rows.push([`${f.family} asked`, f.last_query_ms === null ? "never"
			: `${duration(f.last_query_ms)} ago`]);
		rows.push([`${f.family} reports`, count(f.reports_sent)]);
	}
	if (i.querier)
		rows.push(["Querier", queriers(i)]);
	for (const [name, value] of rows)
		dl.append(element("dt", name), element("dd", value));
	card.append(h, element("span", word, "lamp " + lamp), dl);
	return card;
}

function showNetwork() {
	if (!page.top)
		return;
	byId("ports").replaceChildren(...page.top.interfaces.map(portCard));
	const drops = Object.entries(page.top.drops).filter(([, n]) => n > 0)
		.sort((a, b) => b[1] - a[1]);
	byId("drops").replaceChildren(drops.length
		? table(["Reason", "Frames", "Meaning"],
			drops.map(([k, n]) => [k, count(n), DROPS[k] || ""]), "words")
		: element("p", "Nothing.", "quiet"));
}

// ---- which view ----

function view() {
	const [, name, arg] = location.hash.split("/");
	if (name === "stream" && arg)
		return ["stream", decodeURIComponent(arg)];
	return [name === "network" || name === "day" ? name : "streams", ""];
}

async function show() {
	const [name, arg] = view();
	for (const s of document.querySelectorAll("main > section"))
		s.hidden = s.id !== "view-" + name;
	for (const a of document.querySelectorAll("nav a")) {
		const here = a.id === "nav-" + (name === "stream" ? "streams" : name);
		if (here)
			a.setAttribute("aria-current", "page");
		else
			a.removeAttribute("aria-current");
	}
	if (name === "streams")
		showStreams();
	else if (name === "network")
		showNetwork();
	else if (name === "day")
		await showDay();
	else
		await showStream(arg);
}

// ---- asking ----

function setState(className, text) {
	byId("state").className = className;
	setText(byId("state"), text);
}

async function refresh() {
	if (page.asking) {
		page.again = true;
		return;
	}
	page.asking = true;
	try {
		do {
			page.again = false;
			page.top = await ask("top?sort=rate&limit=500");
			remember(page.top.rows);
			await show();
			setState("live", "live");
		} while (page.again);
	} catch (e) {
		setState("lost", `no answer: ${e.message}`);
	}
	page.asking = false;
}

function refreshIfSeen() {
	if (!document.hidden)
		refresh();
}

function poll(wanted) {
	if (wanted && page.timer === null) {
		page.timer = setInterval(refreshIfSeen, PERIOD);
	} else if (!wanted) {
		clearInterval(page.timer);
		page.timer = null;
	}
}

// The daemon says when to ask. If it refuses a further stream of events, a timer does.
function follow() {
	const events = new EventSource("/api/v1/events");
	events.onopen = () => {
		poll(false);
		refresh();
	};
	events.onmessage = refreshIfSeen;
	events.onerror = () => {
		poll(true);
		if (events.readyState === EventSource.CLOSED)
			setTimeout(follow, 10 * PERIOD);
	};
}

async function begin() {
	byId("filter").addEventListener("input", (e) => {
		page.filter = e.target.value.trim();
		showStreams();
	});
	document.querySelectorAll("#streams th[data-key]").forEach((th) => {
		th.firstElementChild.addEventListener("click", () => {
			const same = page.sort.key === th.dataset.key;
			page.sort = {key: th.dataset.key, down: same ? !page.sort.down
				: th.classList.contains("num")};
			showStreams();
		});
	});
	beginStream();
	addEventListener("hashchange", () => {
		show().catch((e) => setState("lost", `no answer: ${e.message}`));
		byId("main").focus();
	});
	try {
		const about = await ask("");
		page.names = about.names;
		page.paths = about.paths;
	} catch (e) {
		setState("lost", `no answer: ${e.message}`);
	}
	show().catch(() => {});
	refresh();
	follow();
	document.addEventListener("visibilitychange", refreshIfSeen);
}

begin();
