// SPDX-License-Identifier: GPL-2.0-or-later
// Lists the mounts. Needs libnl-3 and libnl-genl-3.
#include <linux/shale.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdio.h>

static int show(struct nl_msg *message, void *nothing)
{
	struct nlattr *id = nlmsg_find_attr(nlmsg_hdr(message), GENL_HDRLEN, SHALE_A_MOUNT_ID);
	struct nlattr *source = nlmsg_find_attr(nlmsg_hdr(message), GENL_HDRLEN, SHALE_A_MOUNT_SOURCE);

	(void)nothing;
	if (id && source)	/* further messages of the same mount have more of its layers */
		printf("%llu %s\n", (unsigned long long)nla_get_u64(id), nla_get_string(source));
	return NL_OK;
}

int main(void)
{
	struct nl_sock *sock = nl_socket_alloc();
	int family, err = genl_connect(sock);

	if (err < 0 || (err = family = genl_ctrl_resolve(sock, SHALE_FAMILY_NAME)) < 0)
		return nl_perror(err, "no module"), 1;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, show, NULL);
	err = genl_send_simple(sock, family, SHALE_CMD_GET, SHALE_FAMILY_VERSION, NLM_F_DUMP);
	if (err < 0 || (err = nl_recvmsgs_default(sock)) < 0)
		return nl_perror(err, "refused"), 1;
	nl_socket_free(sock);
	return 0;
}
