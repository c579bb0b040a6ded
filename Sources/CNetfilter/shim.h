// The headers of libmnl, libnftnl and the kernel that the room Netlink uses, in an order that they allow.
#ifndef PORTCULLIS_NETFILTER_H
#define PORTCULLIS_NETFILTER_H

#include <netinet/in.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include <linux/inet_diag.h>
#include <linux/membarrier.h>
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

// Returns 0 once every processor has gone through a moment in which it judged no packet (membarrier(2), which is
// synchronize_rcu() in the kernel), or -1 if the kernel offers no such thing.
static inline int portcullis_wait_for_packets(void) {
  return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

#endif
