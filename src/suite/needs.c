/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suite/needs.h"

#define NOT_SHAPED "nothing is delayed, lost or shaped"
#define NO_RULES   "no packet is filtered or marked"
#define NO_LINK    "its namespaces have no network"
#define NO_SOCKETS "ss shows no socket of this kind"

const struct need_option NEED_OPTIONS[] = {
	/* tc's error goes to a terminal, its exit code nowhere. */
	{ "NET_SCH_NETEM", "netem", PREFLIGHT_PASSES, NOT_SHAPED },
	{ "NET_SCH_TBF", "tbf", PREFLIGHT_PASSES, NOT_SHAPED },
	{ "NET_SCH_HTB", "htb", PREFLIGHT_PASSES, NOT_SHAPED },
	{ "NET_SCH_FQ", "fq", PREFLIGHT_PASSES, NOT_SHAPED },

	{ "NET_NS", "netns unshare", PREFLIGHT_FAILS, "there is one network for all" },
	{ "VETH", "veth", PREFLIGHT_FAILS, NO_LINK },
	{ "DUMMY", "dummy", PREFLIGHT_FAILS, NO_LINK },
	{ "BRIDGE", "bridge", PREFLIGHT_FAILS, NO_LINK },
	{ "TUN", "tun tap tuntap", PREFLIGHT_FAILS, NO_LINK },
	{ "VLAN_8021Q", "vlan", PREFLIGHT_FAILS, NO_LINK },
	{ "BONDING", "bond", PREFLIGHT_FAILS, NO_LINK },
	{ "INET_DIAG", "ss", PREFLIGHT_FAILS, NO_SOCKETS },
	{ "INET_MPTCP_DIAG", "ss", PREFLIGHT_FAILS, NO_SOCKETS },
	{ "MPTCP", "mptcp", PREFLIGHT_SKIPS, "there is no MPTCP" },
	{ "KALLSYMS", "kallsyms", PREFLIGHT_SKIPS, "features can't be looked for" },
	{ "SYN_COOKIES", "tcp_syncookies", PREFLIGHT_SKIPS, NULL },

	{ "NETFILTER_XTABLES", "iptables ip6tables", PREFLIGHT_SKIPS, NO_RULES },
	{ "NFT_COMPAT", "iptables ip6tables", PREFLIGHT_SKIPS, NO_RULES },
	{ "IP_NF_FILTER", "iptables", PREFLIGHT_SKIPS, NO_RULES },
	{ "IP_NF_MANGLE", "iptables", PREFLIGHT_SKIPS, NO_RULES },
	{ "IP_NF_TARGET_REJECT", "REJECT", PREFLIGHT_SKIPS, NO_RULES },
	{ "IP6_NF_FILTER", "ip6tables", PREFLIGHT_SKIPS, NO_RULES },
	{ "NETFILTER_XT_MATCH_BPF", "bpf", PREFLIGHT_SKIPS, NO_RULES },
	{ "NETFILTER_XT_MATCH_LENGTH", "length", PREFLIGHT_SKIPS, NO_RULES },
	{ "NETFILTER_XT_MATCH_STATISTIC", "statistic", PREFLIGHT_SKIPS, NO_RULES },
	{ "NETFILTER_XT_TARGET_MARK", "MARK", PREFLIGHT_SKIPS, NO_RULES },
	{ "NF_TABLES", "nft", PREFLIGHT_SKIPS, NO_RULES },
	{ "NF_TABLES_INET", "nft", PREFLIGHT_SKIPS, NO_RULES },
	{ "NFT_TPROXY", "tproxy", PREFLIGHT_SKIPS, NO_RULES },
	{ "NFT_SOCKET", "nft", PREFLIGHT_SKIPS, NO_RULES },
	{ "NET_ACT_PEDIT", "pedit", PREFLIGHT_SKIPS, "no packet is changed" },
	{ "NET_ACT_CSUM", "csum", PREFLIGHT_SKIPS, "no packet is changed" },
	{ "NET_CLS_ACT", "action", PREFLIGHT_SKIPS, "no packet is changed" },
	{ "NET_CLS_FW", "fw", PREFLIGHT_SKIPS, "no packet is changed" },
	{ "NET_SCH_INGRESS", "ingress clsact", PREFLIGHT_SKIPS, "no packet is changed" },
	{},
};

const struct need_program NEED_PROGRAMS[] = {
	{ "ip", "iproute2", "-V" },
	{ "ss", "iproute2", "-V" },
	{ "tc", "iproute2", "-V" },
	{ "nstat", "iproute2", "-V" },
	{ "nft", "nftables", "--version" },
	{ "iptables", "iptables", "--version" },
	{ "ip6tables", "iptables", "--version" },
	{ "ebtables", "ebtables", "--version" },
	{ "conntrack", "conntrack", "--version" },
	{ "ethtool", "ethtool", "--version" },
	{ "tcpdump", "tcpdump", "--version" },
	{ "ping", "iputils-ping", "-V" },
	{ "arping", "iputils-arping", "-V" },
	{ "jq", "jq", "--version" },
	{ "socat", "socat", NULL },
	{ "nc", "netcat-openbsd", NULL },
	{ "iperf3", "iperf3", "--version" },
	{ "bpftool", "bpftool", "version" },
	{ "python3", "python3", "--version" },
	{ "perl", "perl", NULL },
	{ "bc", "bc", "--version" },
	{ "xxd", "xxd", NULL },
	{},
};
