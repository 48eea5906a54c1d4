/* SPDX-License-Identifier: GPL-2.0-or-later */

/* State for the next process: times are those of the clock that both have. */

#include "base/state.h"
#include "test.h"

static void times_are_of_the_system(void **state)
{
	mono_t now = mono_from_ms(5000), system_now = mono_from_ms(305000);
	struct state_out o;
	struct state_in in;

	(void)state;
	state_out_init(&o, now, system_now);
	state_put_time(&o, mono_from_ms(5100));
	state_put_time(&o, MONO_NEVER);
	state_put_time(&o, MONO_UNSET);
	assert_int_equal(state_out_seal(&o), 0);
	/* what was written in the future is refused */
	assert_int_not_equal(state_in_init(&in, o.buf, o.n, now, 1000), 0);
	assert_int_equal(state_in_init(&in, o.buf, o.n, system_now, 1000), 0);
	assert_int_equal(state_get_time(&in).ns, mono_from_ms(305100).ns);
	assert_int_equal(state_get_time(&in).ns, MONO_NEVER.ns);
	assert_int_equal(state_get_time(&in).ns, MONO_UNSET.ns);
	assert_false(state_is_bad(&in));
	state_out_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(times_are_of_the_system)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
