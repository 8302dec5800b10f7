/* SPDX-License-Identifier: GPL-2.0 */
/* An interface of the host's is set up. */
#ifndef RF_LINK_H
#define RF_LINK_H

/* Up, and a port of the bridge with that index unless it is 0.  0 or -errno. */
int rf_link_up(unsigned int ifindex, unsigned int bridge);

#endif /* RF_LINK_H */
