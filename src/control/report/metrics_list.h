/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The only list of all families of metrics: X(id, type, name, labels, help), as in
 * struct metrics_family; only the documentation names the labels. It has no guard,
 * because files define X() and include it, some several times. doc/metrics.md shows the
 * same table, and tests/golden/test_metrics_doc.c keeps the two equal. A name that has
 * been published keeps its meaning.
 */

#define IF	  "interface"
#define IF_FAMILY "interface, family"
#define ENTRY	  "group, source, proxy, channel"
#define STREAM	  "group, source, port, interface"

/* clang-format off */
X(METRIC_BUILD, INFO, "build", "version, release, machine",
	"Version of the daemon, release and machine of the kernel")
X(METRIC_DATAPLANE, INFO, "dataplane", "transmit, receive, receive_offload",
	"How frames are sent and received")
X(METRIC_HEALTHY, GAUGE, "healthy", "",
	"1 when ringcastctl health reports no problem")
X(METRIC_CONFIG_RELOADS, COUNTER, "config_reloads", "result",
	"Reloads of the configuration, taken or refused")
X(METRIC_CONFIG_LAST_RELOAD_SUCCESSFUL, GAUGE, "config_last_reload_successful", "",
	"0 when the last reload was refused and the older configuration stays in "
	"force")

X(METRIC_PROCESS_START_TIME, GAUGE, "process_start_time_seconds", "",
	"Start of the daemon, in seconds since 1970")
X(METRIC_PROCESS_CPU, COUNTER, "process_cpu_seconds", "",
	"Processor time of all threads, user and system")
X(METRIC_PROCESS_RESIDENT_MEMORY, GAUGE, "process_resident_memory_bytes", "",
	"Memory of the process that is in RAM, receive rings included")
X(METRIC_PROCESS_OPEN_FDS, GAUGE, "process_open_fds", "",
	"Open file descriptors")
X(METRIC_PROCESS_MAX_FDS, GAUGE, "process_max_fds", "",
	"File descriptors that may be open")

X(METRIC_INTERFACE, INFO, "interface", "interface, role, transmit, proxy",
	"Role of an interface, how copies are sent there, and the instance it belongs "
	"to if that has a name")
X(METRIC_INTERFACE_PRESENT, GAUGE, "interface_present", IF,
	"1 when there is an interface of that name")
X(METRIC_INTERFACE_UP, GAUGE, "interface_up", IF,
	"1 when data can pass")
X(METRIC_INTERFACE_ERROR, GAUGE, "interface_error", IF,
	"1 when sockets of the interface could not be opened; show interfaces has the "
	"reason")
X(METRIC_INTERFACE_MTU, GAUGE, "interface_mtu_bytes", IF,
	"Longest packet")
X(METRIC_INTERFACE_RECEIVE_PACKETS, COUNTER, "interface_receive_packets", IF,
	"Datagrams from here that passed the source check")
X(METRIC_INTERFACE_RECEIVE_BYTES, COUNTER, "interface_receive_bytes", IF,
	"Bytes of datagrams from here that passed the source check, from the IP header "
	"on")
X(METRIC_INTERFACE_TRANSMIT_PACKETS, COUNTER, "interface_transmit_packets", IF,
	"Copies sent here")
X(METRIC_INTERFACE_TRANSMIT_BYTES, COUNTER, "interface_transmit_bytes", IF,
	"Bytes of copies sent here, from the IP header on")
X(METRIC_INTERFACE_TRANSMIT_MESSAGES, COUNTER, "interface_transmit_messages", IF,
	"Messages in which the copies were handed to the kernel: fewer than copies "
	"where datagrams were joined")
X(METRIC_FRAMES, COUNTER, "frames", "interface, verdict",
	"Received frames by what became of them; each has one verdict")
X(METRIC_COPIES_DROPPED, COUNTER, "copies_dropped", "interface, verdict",
	"Copies that were due and not sent, by reason")

X(METRIC_RING_PACKETS, COUNTER, "ring_packets", IF,
	"Frames that the kernel had for the receive rings, drops included")
X(METRIC_RING_DROPS, COUNTER, "ring_drops", IF,
	"Frames that found the receive ring full")
X(METRIC_RING_FREEZES, COUNTER, "ring_freezes", IF,
	"Times that a receive ring filled up")
X(METRIC_RING_SIZE, GAUGE, "ring_size_bytes", "interface, family, thread",
	"Memory of a receive ring")
X(METRIC_RING_USED, GAUGE, "ring_used_ratio", "interface, family, thread",
	"Part of a receive ring that waits for its thread, 0 to 1")
X(METRIC_TRANSMIT_QUEUE, GAUGE, "transmit_queue_bytes", IF,
	"Kernel memory of copies that wait to be sent")
X(METRIC_TRANSMIT_QUEUE_LIMIT, GAUGE, "transmit_queue_limit_bytes", IF,
	"Limit of that memory; further copies are dropped as tx_full")

X(METRIC_FORWARD_DELAY, HISTOGRAM, "forward_latency_seconds", "frame, le",
	"From the kernel's receive time stamp until the copies are with "
	"the kernel, of the oldest and the newest frame of each burst")
X(METRIC_THREAD_CPU, COUNTER, "thread_cpu_seconds", "thread",
	"Processor time of a thread, control or the number of a data-plane thread")
X(METRIC_THREAD_ASLEEP, GAUGE, "thread_asleep", "thread",
	"1 while a data-plane thread waits for frames")
X(METRIC_THREAD_TURNS, COUNTER, "thread_turns", "thread",
	"Turns of a data-plane thread's loop: a thread that neither sleeps nor turns "
	"hangs")
X(METRIC_THREAD_WAKEUPS, COUNTER, "thread_wakeups", "thread",
	"Times that a data-plane thread woke up")
X(METRIC_THREAD_BURSTS, COUNTER, "thread_bursts", "thread",
	"Bursts of frames that were forwarded together")
X(METRIC_THREAD_BLOCKS, COUNTER, "thread_blocks", "thread",
	"Blocks, or runs of frames, taken from receive rings")
X(METRIC_THREAD_BLOCK_TIMEOUTS, COUNTER, "thread_block_timeouts", "thread",
	"Blocks that the kernel handed over because their time was up")
X(METRIC_THREAD_FRAMES, COUNTER, "thread_frames", "thread",
	"Frames received")
X(METRIC_THREAD_COPIES, COUNTER, "thread_copies", "thread",
	"Copies sent")

X(METRIC_ENTRIES, GAUGE, "forwarding_entries", "",
	"Entries of the forwarding table")
X(METRIC_ENTRIES_MEMORY, GAUGE, "forwarding_memory_bytes", "",
	"Memory of the forwarding table")
X(METRIC_ENTRIES_TRUNCATED, GAUGE, "group_entries_truncated", "",
	"Forwarding entries without metrics of their own: beyond metrics-groups")
X(METRIC_STREAMS, GAUGE, "streams", "",
	"Streams whose quality is known")
X(METRIC_STREAMS_TRUNCATED, GAUGE, "stream_entries_truncated", "",
	"Streams without metrics of their own: beyond metrics-groups, those that were "
	"judged longest ago")
X(METRIC_ENTRY_RECEIVE_PACKETS, COUNTER, "group_receive_packets", ENTRY,
	"Datagrams received and accepted for a forwarding entry; source * is every "
	"source without an entry of its own")
X(METRIC_ENTRY_RECEIVE_BYTES, COUNTER, "group_receive_bytes", ENTRY,
	"Bytes of datagrams accepted for a forwarding entry, from the IP header on")
X(METRIC_ENTRY_WRONG_INPUT, COUNTER, "group_wrong_input_packets", ENTRY,
	"Datagrams refused because their source is not allowed on the interface they "
	"came from")
X(METRIC_ENTRY_OUTPUTS, GAUGE, "group_outputs", ENTRY,
	"Interfaces that a forwarding entry names")

X(METRIC_STREAM_SECONDS, COUNTER, "stream_judged_seconds", STREAM ", verdict",
	"Seconds of a stream by verdict: clean, provider, router, perhaps, beyond")
X(METRIC_STREAM_FAULTY, GAUGE, "stream_faulty", STREAM,
	"1 until a minute has passed since the last second with faults")
X(METRIC_STREAM_VIEWERS, GAUGE, "stream_viewers", STREAM,
	"Hosts that get a stream, at least one for each interface")
X(METRIC_STREAM_MISSING, COUNTER, "stream_rtp_missing", STREAM,
	"Sequence numbers of RTP that were skipped")
X(METRIC_STREAM_REORDERED, COUNTER, "stream_rtp_reordered", STREAM,
	"Sequence numbers of RTP that were skipped and came later; the others are lost")
X(METRIC_STREAM_CONTINUITY, COUNTER, "stream_continuity_errors", STREAM,
	"Continuity errors of MPEG-TS")
X(METRIC_STREAM_OUTAGES, COUNTER, "stream_outages", STREAM,
	"Times that nothing came for more than a second")
X(METRIC_STREAM_MEDIA, COUNTER, "stream_media_bytes", STREAM,
	"Bytes of the media, without headers of RTP and duplicates")
X(METRIC_STREAM_DELAY_FACTOR, GAUGE, "stream_delay_factor_seconds", STREAM,
	"How much a receiver must buffer to play evenly, in the last second (RFC "
	"4445)")
X(METRIC_ZAP, HISTOGRAM, "zap_wait_seconds", "interface, wait, le",
	"From the report of a host to the first datagram (first) or random access "
	"point (random), and from a leave to the last datagram (leave)")

X(METRIC_GROUPS, GAUGE, "groups", IF,
	"Groups with members on a downstream")
X(METRIC_GROUPS_LIMIT, GAUGE, "groups_limit", IF,
	"Limit of groups (max-groups)")
X(METRIC_GROUP_SOURCES, GAUGE, "sources", IF,
	"Sources in the groups of a downstream, all groups together")
X(METRIC_GROUP_SOURCES_LIMIT, GAUGE, "group_sources_limit", IF,
	"Limit of sources in each group (max-sources)")
X(METRIC_GROUP_HOSTS, GAUGE, "hosts", IF,
	"Tracked members in the groups of a downstream: a host counts once in each of "
	"its groups")
X(METRIC_GROUP_HOSTS_LIMIT, GAUGE, "group_hosts_limit", IF,
	"Limit of tracked members in each group")
X(METRIC_MEMBERSHIP_REFUSED, COUNTER, "memberships_refused", IF,
	"Groups, sources and hosts refused because of a limit")

X(METRIC_QUERIER_STATE, GAUGE, "querier_state", "interface, family, state",
	"1 for the state: active (we are querier), standby (another router is), down")
X(METRIC_QUERIER_VERSION, GAUGE, "querier_version", IF_FAMILY,
	"Version of IGMP or MLD of the queries")
X(METRIC_QUERIER_ROBUSTNESS, GAUGE, "querier_robustness", IF_FAMILY,
	"Robustness variable in force")
X(METRIC_QUERIER_INTERVAL, GAUGE, "querier_interval_seconds", IF_FAMILY,
	"Query interval in force")
X(METRIC_QUERIER_QUERIES_SENT, COUNTER, "querier_queries_sent", IF_FAMILY,
	"General queries sent")
X(METRIC_QUERIER_QUERIES_HEARD, COUNTER, "querier_queries_heard", IF_FAMILY,
	"Queries of other routers heard on a downstream")
X(METRIC_FORWARDING_STANDBY, GAUGE, "forwarding_standby_streams", IF_FAMILY,
	"Streams that another forwarder sends to a downstream and that are left to it")
X(METRIC_FORWARDING_DOUBLE, GAUGE, "forwarding_double_streams", IF_FAMILY,
	"Streams that both this router and another one send to a downstream")

X(METRIC_UPSTREAM_GROUPS, GAUGE, "upstream_groups", IF_FAMILY,
	"Groups that are reported upstream")
X(METRIC_UPSTREAM_VERSION, GAUGE, "upstream_version", IF_FAMILY,
	"Version of IGMP or MLD that is spoken upstream")
X(METRIC_UPSTREAM_QUERIES, COUNTER, "upstream_queries_heard", IF_FAMILY,
	"Queries of the provider")
X(METRIC_UPSTREAM_REPORTS_SENT, COUNTER, "upstream_reports_sent", IF_FAMILY,
	"Reports sent to the provider")
X(METRIC_UPSTREAM_LAST_QUERY, GAUGE, "upstream_query_age_seconds", IF_FAMILY,
	"Time since the last query of the provider; missing before the first one")

X(METRIC_CONTROL_MESSAGES, COUNTER, "control_messages", "interface, type, version",
	"Membership messages accepted, by type and by the version of IGMP; MLDv1 "
	"counts as 2, MLDv2 as 3")
X(METRIC_CONTROL_MESSAGES_BAD, COUNTER, "control_messages_refused", "interface, reason",
	"Membership messages that were not used, by reason")
X(METRIC_CONTROL_MESSAGES_ODD, COUNTER, "control_messages_odd", "interface, oddity",
	"Membership messages that were used although something was wrong with them")
X(METRIC_CONTROL_RECEIVED, COUNTER, "control_packets_received", IF,
	"Packets that the sockets for membership messages delivered")
X(METRIC_CONTROL_SENT, COUNTER, "control_packets_sent", IF,
	"Membership messages sent")
X(METRIC_CONTROL_ERRORS, COUNTER, "control_errors", "interface, direction",
	"Membership messages that the kernel would not send or deliver")
X(METRIC_CONTROL_DROPPED, COUNTER, "control_packets_dropped", IF,
	"Membership messages that found the receive buffer full")
X(METRIC_CONTROL_LIMITED, COUNTER, "control_messages_limited", IF,
	"Membership messages beyond message-rate and host-message-rate, not used")
X(METRIC_CONTROL_RECORDS_LIMITED, COUNTER, "control_records_limited", IF,
	"Records of membership messages that message-rate and host-message-rate "
	"refused, or left out of others")
X(METRIC_CONTROL_SAMPLED, COUNTER, "control_hosts_sampled", IF,
	"Times that the kernel began to let through only a part of what a host sends")
X(METRIC_CONTROL_FRAGMENTS, COUNTER, "control_fragments", "interface, result",
	"Fragments of membership messages, by what they did (wait and whole: they "
	"were used), and messages that ended without all of them (timeout, room)")
X(METRIC_CONTROL_QUEUE, GAUGE, "control_queue_bytes", IF_FAMILY,
	"Kernel memory of membership messages that wait to be read")
X(METRIC_CONTROL_QUEUE_LIMIT, GAUGE, "control_queue_limit_bytes", IF_FAMILY,
	"Receive buffer for membership messages")
X(METRIC_NOTES, COUNTER, "notes", "note",
	"Events that the log shows at level info and above")
X(METRIC_EFFECTS_LOST, COUNTER, "effects_lost", "",
	"Decisions lost for lack of memory and made again later")
X(METRIC_NETLINK_OVERRUNS, COUNTER, "netlink_overruns", "",
	"Times that interface events were lost and all interfaces read again")

X(METRIC_CTL_CLIENTS, GAUGE, "ctl_clients", "",
	"Clients of the control socket")
X(METRIC_CTL_PENDING, GAUGE, "ctl_pending_bytes", "",
	"Answers that clients of the control socket have not read yet")
X(METRIC_HTTP_CONNECTIONS, GAUGE, "http_connections", "",
	"Connections of metrics-listen and web-listen")
X(METRIC_HTTP_REQUESTS, COUNTER, "http_requests", "code",
	"Requests answered by metrics-listen and web-listen, by status code")
X(METRIC_HTTP_EVICTED, COUNTER, "http_connections_evicted", "",
	"Connections that were closed because they took too long or for the sake of "
	"newer ones")
X(METRIC_SCRAPES, COUNTER, "scrapes", "",
	"Times that these metrics were made")
X(METRIC_SCRAPE_DURATION, GAUGE, "scrape_duration_seconds", "",
	"Processor time of the control thread for these metrics, all slices together")
X(METRIC_SCRAPE_LONGEST_SLICE, GAUGE, "scrape_longest_slice_seconds", "",
	"Longest processor time at a stretch, for which a join may have waited")
/* clang-format on */

#undef IF
#undef IF_FAMILY
#undef ENTRY
#undef STREAM
