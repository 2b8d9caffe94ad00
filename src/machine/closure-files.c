/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kselftests and the scripts of their like call. */
#include "machine/closure.h"

#include <stddef.h>

const char *const CLOSURE_PROGRAMS[] = {
	/* shells */
	"sh", "bash", "dash",
	/* coreutils */
	"[", "basename", "cat", "chgrp", "chmod", "chown", "cksum", "comm", "cp", "cut", "date",
	"dd", "df", "dirname", "du", "echo", "env", "expr", "false", "fold", "head", "hostname",
	"id", "install", "join", "link", "ln", "ls", "md5sum", "mkdir", "mkfifo", "mknod",
	"mktemp", "mv", "nice", "nl", "nproc", "od", "paste", "printf", "pwd", "readlink",
	"realpath", "rm", "rmdir", "seq", "sha1sum", "sha256sum", "shuf", "sleep", "sort",
	"split", "stat", "stdbuf", "stty", "sum", "sync", "tac", "tail", "tee", "test",
	"timeout", "touch", "tr", "true", "truncate", "tty", "uname", "uniq", "wc", "which",
	"whoami", "yes",
	/* texts and archives */
	"awk", "cmp", "diff", "egrep", "fgrep", "find", "gawk", "grep", "gzip", "jq", "mawk",
	"patch", "sed", "strings", "tar", "xargs", "xxd",
	/* processes and the system */
	"chroot", "chrt", "dmesg", "findmnt", "flock", "free", "getopt", "kill", "kmod",
	"insmod", "losetup", "lsmod", "lsns", "modinfo", "modprobe", "mount", "mountpoint",
	"nsenter", "pgrep", "pidof", "pkill", "prlimit", "ps", "rmmod", "script", "setpriv",
	"setsid", "strace", "su", "sysctl", "taskset", "top", "umount", "unshare", "uptime",
	/* networks */
	"bridge", "conntrack", "devlink", "ebtables", "ethtool", "ip", "ip6tables",
	"ip6tables-restore", "ip6tables-save", "ipset", "iptables", "iptables-restore",
	"iptables-save", "nc", "nft", "nstat", "packetdrill", "ping", "ping6", "rtacct",
	"socat", "ss", "tc", "tcpdump", "tipc", "traceroute",
	NULL,
};

const char *const CLOSURE_PATHS[] = {
	"/etc/group", "/etc/host.conf", "/etc/hosts", "/etc/iproute2", "/etc/ld.so.cache",
	"/etc/nsswitch.conf", "/etc/passwd", "/etc/protocols", "/etc/resolv.conf",
	"/etc/services", "/etc/terminfo", "/lib/terminfo",
	/* opened by name, by stdbuf, iptables, tc and the C library */
	"/usr/libexec/coreutils", "/usr/lib/x86_64-linux-gnu/xtables", "/usr/lib64/xtables",
	"/usr/lib/tc", "/usr/lib64/tc", "/usr/lib/locale/C.utf8", "/usr/share/iproute2",
	NULL,
};
