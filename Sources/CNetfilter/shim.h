// The headers of libmnl, libnftnl and the kernel that the room Netlink uses, in an order that they allow.
#ifndef PORTCULLIS_NETFILTER_H
#define PORTCULLIS_NETFILTER_H

#include <netinet/in.h>
#include <stdio.h>
#include <sys/uio.h>

#include <libmnl/libmnl.h>

#include <linux/inet_diag.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

// setns(2), which <sched.h> hides from all but GNU programs.
extern int setns(int descriptor, int kind);

#endif
