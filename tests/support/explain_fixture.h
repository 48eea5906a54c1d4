/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A stream that arrives, for the tests of explain.c. Each test changes some facts. */

#include "control/report/explain.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define FLOWS "it arrives and is sent to every interface that asks for it"

#define N_LANS 4

/* wan and wan2 are inputs, lan1 has members, lan2 to lan4 have none; nothing is wrong.
 * n_input and n_output say how many of them exist. */
struct situation {
	struct explain_facts f;
	struct explain_input in[2];
	struct explain_output out[N_LANS];
	struct explain_refusal refused[2][4], copies[4], joins[N_LANS][2];
};

static inline void arrives(struct situation *s)
{
	*s = (struct situation){
		.f = {.group = a("239.1.2.3"),
			.has_source = true,
			.source = a("10.9.0.1"),
			.seen = true,
			.packets = 100,
			.age_ms = 0,
			.last_source = a("10.9.0.1"),
			.last_input = "wan",
			.n_input = 1,
			.n_output = 2},
	};
	for (unsigned i = 0; i < 2; i++)
		s->in[i] = (struct explain_input){
			.i = {.has_role = true,
				.present = true,
				.up = true,
				.family = true,
				.group_ok = true},
			.upstream = true,
			.receive = true,
			.source_ok = true,
			.report_up = true,
			.policy_ok = true,
			.asked = true,
			.asked_this = true,
			.version = 3,
			.names_sources = true,
			.query_heard = true,
			.querier = a("10.0.0.1"),
			.query_age_ms = 5000,
			.query_expected_ms = 260000,
		};
	for (unsigned i = 0; i < N_LANS; i++) {
		s->out[i] = (struct explain_output){
			.i = {.has_role = true,
				.present = true,
				.up = true,
				.family = true,
				.group_ok = true},
			.allowed = true,
			.querier = true,
			.forwards = true,
			.threshold = 1,
			.mtu = 1500,
		};
		snprintf(s->out[i].i.name, IFNAMSIZ, "lan%u", i + 1);
	}
	strcpy(s->in[0].i.name, "wan");
	strcpy(s->in[1].i.name, "wan2");
	s->out[0].has_group = s->out[0].wants = s->out[0].in_table = true;
	s->out[0].n_hosts = 2;
}

static inline void judge(struct situation *s, struct explain *e)
{
	s->f.input = s->in;
	s->f.output = s->out;
	explain(&s->f, e);
}
