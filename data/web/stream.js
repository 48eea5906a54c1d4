// SPDX-License-Identifier: GPL-2.0-or-later
// The view of one stream: its figures, its viewers, its quality, the zaps into it, and whether it
// arrives. The helpers are those of page.js.
"use strict";

// the kinds of bars of the quality
const RANGES = {
	day: {seconds: 86400, blocks: 96, name: "24 hours", part: "15 minutes"},
	month: {seconds: 30 * 86400, blocks: 180, name: "30 days", part: "4 hours"},
};
const ZAPS_SHOWN = 20;

function showFacts(row) {
	pairs([["state", stateOf(row)[1]], ["source", sourceOf(row)], ["from", row.in || "-"],
		["to", row.out.join(", ") || "-"], ["viewers", row.members || 0],
		["Mbit/s", megabits(row.bytes_per_s) || "-"],
		["datagrams", count(row.packets)], ["wrong source", count(row.wrong)]],
	byId("facts"));
	let svg = byId("big-plot").firstChild;
	if (!svg) {
		svg = newPlot("rate since this page was opened");
		svg.classList.add("big");
		byId("big-plot").append(svg);
	}
	draw(svg, page.rates.get(keyOf(row)) || []);
}

// An answer may come when another view is already shown.
function isShown(group) {
	const [name, arg] = view();
	return name === "stream" && arg === group;
}

const hostOf = (address, name) => name ? `${name} (${address})` : address;

async function showViewers(group) {
	const groups = (await ask("groups?filter=" + encodeURIComponent(group))).groups
		.filter((x) => x.group === group);
	const viewers = groups.flatMap((x) => page.names
		? x.hosts.map((h) => [x.interface, hostOf(h.address, h.name), duration(x.uptime_ms)])
		: [[x.interface, `${x.n_hosts} hosts`, duration(x.uptime_ms)]]);
	if (!isShown(group))
		return;
	byId("viewers").replaceChildren(viewers.length
		? table(["LAN", page.names ? "Host" : "Hosts", "Group there since"], viewers)
		: element("p", groups.length ? "Members that do not say who they are."
			: "Nobody has joined it.", "quiet"));
}

// ---- quality, where the daemon measures it ----

function bars(blocks, range) {
	const bad = blocks.filter((b) => b && b.verdict !== "clean" && b.verdict !== "unknown");
	const svg = newBars(blocks.length, `the last ${range.name} in parts of ${range.part}, `
		+ `${bad.length} of them with faults`);
	blocks.forEach((b, i) => addBar(svg, i, b ? 24 : 4,
		!b ? "none" : FAULT[b.verdict] ? "warn" : "good"));
	return svg;
}

function qualityRow(q, range) {
	const r = q.range, ms = (v) => v === null || v === undefined ? "-" : `${Math.round(v)} ms`;
	const box = element("div"), facts = element("dl", null, "facts");
	pairs([["what", q.kind], ["port", q.port],
		["now", FAULT[q.verdict] || q.verdict], [`lost in ${range.name}`, count(r.lost)],
		["bad seconds", `${count(r.provider_seconds)} of the provider, `
			+ `${count(r.router_seconds)} of this router`],
		["longest pause", ms(r.gap_ms)], ["jitter", ms(q.jitter_ms)]], facts);
	box.append(facts, bars(q.blocks, range), axis(range.name));
	if (q.fault)
		box.append(element("p", `Last fault ${duration(q.fault.age_ms)} ago: ${q.fault.text}. `
			+ q.fault.advice));
	return box;
}

async function showQuality(group) {
	const at = byId("quality"), range = RANGES[page.range], g = encodeURIComponent(group);
	if (!page.paths.includes("quality"))
		return;
	for (const b of document.querySelectorAll("#range button"))
		b.setAttribute("aria-pressed", String(b.dataset.range === page.range));
	const q = await ask(`quality?since=${range.seconds}&blocks=${range.blocks}&filter=${g}`, true);
	if (range !== RANGES[page.range] || !isShown(group))
		return;
	at.replaceChildren(...(q.error ? [element("p", q.error, "quiet")]
		: q.quality.length ? q.quality.map((row) => qualityRow(row, range))
			: [element("p", "Nothing has been forwarded yet.", "quiet")]));
}

// ---- zaps ----

function median(list) {
	const sorted = list.filter((v) => v !== null).sort((a, b) => a - b);
	return sorted.length ? `${Math.round(sorted[sorted.length >> 1])} ms` : "-";
}

function zapRow(z) {
	const wait = (v) => v !== null ? `${Math.round(v)} ms` : z.done ? "-" : "...";
	const who = page.names ? [hostOf(z.host, z.name)] : [];
	return [duration(z.age_ms), z.interface || "", ...who, wait(z.report_ms), wait(z.first_ms),
		wait(z.pat_ms), wait(z.random_access_ms)];
}

async function showZaps(group) {
	const at = byId("zaps");
	if (!page.paths.includes("zaps"))
		return;
	const answer = await ask("zaps?filter=" + encodeURIComponent(group), true);
	const zaps = (answer.zaps || []).filter((z) => z.group === group);
	if (!isShown(group))
		return;
	if (!zaps.length) {
		at.replaceChildren(element("p", answer.error || "Nobody has zapped to it since the start "
			+ "of the daemon, or that is long ago.", "quiet"));
		return;
	}
	const facts = element("dl", null, "facts"), who = page.names ? ["Host"] : [];
	pairs([["zaps", count(zaps.length)], ["first datagram", median(zaps.map((z) => z.first_ms))],
		["picture", median(zaps.map((z) => z.random_access_ms))]], facts);
	const heads = ["Ago", "LAN", ...who, "Our report", "First datagram", "PAT", "Picture"];
	at.replaceChildren(facts, table(heads, zaps.slice(0, ZAPS_SHOWN).map(zapRow), "", 4));
}

// ---- does it arrive? ----

async function showExplain(group) {
	if (!page.paths.includes("explain")) {
		byId("explain").replaceChildren(element("p",
			"web-names is off, so hosts and the checks that name them are not shown.",
			"quiet"));
		return;
	}
	const e = await ask("explain?group=" + encodeURIComponent(group), true), list = e.checks || [];
	const lamp = {pass: "good", refuse: "bad", note: "idle"};
	if (!isShown(group))
		return;
	byId("explain").replaceChildren(element("p", e.summary || e.error),
		table(["Check", "Interface", "Result"], list.map((c) => {
			const text = element("div", c.text);
			if (c.advice)
				text.append(element("div", c.advice, "advice"));
			return [element("span", c.check, "lamp " + (lamp[c.verdict] || "warn")),
				c.interface || "", text];
		}), "words"));
}

async function showStream(group) {
	const row = page.top && page.top.rows.find((r) => r.group === group);
	setText(byId("h-stream"), row && row.channel ? `${row.channel} (${group})` : group);
	if (row) {
		showFacts(row);
	} else {
		byId("facts").replaceChildren();
		byId("big-plot").replaceChildren();
	}
	await showViewers(group);
	await showQuality(group);
	await showZaps(group);
	await showExplain(group);
}

function beginStream() {
	for (const b of document.querySelectorAll("#range button"))
		b.addEventListener("click", () => {
			page.range = b.dataset.range;
			showQuality(view()[1]).catch((e) => setState("lost", `no answer: ${e.message}`));
		});
}
