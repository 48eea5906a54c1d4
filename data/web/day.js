// SPDX-License-Identifier: GPL-2.0-or-later
// The view of the last 24 hours: viewers, what was watched most, faults, and events. The helpers are
// those of page.js.
"use strict";

const HISTORY_PERIOD = 15000; // between two requests for minutes, in milliseconds

let historyAsked = -HISTORY_PERIOD;

const clock = (ms) => new Date(ms).toLocaleString();

const blameOf = (f) => f.provider_seconds > 0 && f.router_seconds > 0 ? "the provider and this router"
	: f.router_seconds > 0 ? "this router" : "the provider";

function showDayViewers(viewers, minutes) {
	const known = viewers.filter((n) => n !== null), most = Math.max(0, ...known);
	const facts = element("dl", null, "facts"), svg = newBars(viewers.length,
		`viewers over the last 24 hours in parts of ${minutes} minutes, ${most} at most`);
	pairs([[`last ${minutes} minutes`, count(known.at(-1))], ["most", count(most)]], facts);
	viewers.forEach((n, i) => addBar(svg, i, 1 + 23 * n / Math.max(1, most),
		n === null ? "none" : "level"));
	svg.classList.add("big");
	byId("day-viewers").replaceChildren(facts, svg, axis("24 hours"));
}

function streamLink(x) {
	const a = element("a", x.channel || x.group, "wrap");
	a.href = "#/stream/" + encodeURIComponent(x.group);
	return a;
}

function faultRow(f) {
	// the daemon's record of a minute has no room for longer gaps
	const pause = f.gap_ms >= 65535 ? "over 65 s" : f.gap_ms > 0 ? `${f.gap_ms} ms` : "-";
	return [clock(f.unix_ms), streamLink(f), f.in || "", blameOf(f),
		duration(1000 * Math.max(f.provider_seconds, f.router_seconds)), pause,
		count(f.lost)];
}

const hours = (minutes) => duration(minutes * 60000).replace(/ 0 s$/, "");

function showFaults(h) {
	const list = h.faults.length
		? [table(["Since", "Channel", "From", "Whose fault", "Bad time", "Longest pause", "Lost"],
			h.faults.map(faultRow), "", 3)]
		: [element("p", "None.", "quiet")];
	if (h.forgotten > 0)
		list.push(element("p", `${count(h.forgotten)} older ones are not shown.`, "quiet"));
	byId("faults").replaceChildren(...list);
}

function showHistory(h) {
	if (h.error) {
		for (const id of ["day-viewers", "watched", "faults"])
			byId(id).replaceChildren(element("p", h.error, "quiet"));
		return;
	}
	showDayViewers(h.viewers, h.block_minutes);
	byId("watched").replaceChildren(h.watched.length
		? table(["Channel", "Group", "Most viewers", "Viewing time"], h.watched.map((w) => [
			streamLink(w), w.group, count(w.viewers), hours(w.viewer_minutes)]), "", 2)
		: element("p", "Nothing.", "quiet"));
	showFaults(h);
}

async function showEvents() {
	const answer = await ask("day");
	byId("events").replaceChildren(answer.events.length
		? table(["Time", "Interface", "Channel", "Event"], answer.events.map((e) => [
			clock(e.unix_ms), e.interface || "", e.channel || e.group || "",
			e.host ? `${e.host}: ${e.text}` : e.text]),
		"words")
		: element("p", "Nothing has happened yet.", "quiet"));
}

async function showDay() {
	const now = performance.now();
	// keep a link that has the focus
	const reading = document.activeElement?.closest("#watched a, #faults a");
	if (!reading && page.paths.includes("history") && now - historyAsked >= HISTORY_PERIOD) {
		historyAsked = now;
		showHistory(await ask("history", true));
	}
	await showEvents();
}
