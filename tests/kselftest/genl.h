/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least of a generic netlink client that tests of the family need: no library, no mercy. */
#ifndef SHALE_GENL_H
#define SHALE_GENL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/shale.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ktap.h"

#define BUFFER_SIZE 65536

struct genl {
	int fd;
	uint16_t family;
};

/* A request under construction; attributes remember where they start. */
struct request {
	union {
		struct nlmsghdr header;
		char bytes[BUFFER_SIZE];
	};
};

/* How a request was refused. Numbers are -1 where the kernel said nothing. */
struct refusal {
	int error;		/* positive errno; 0: it was not refused */
	int offset;		/* of the attribute at fault in the request */
	int missing;		/* type of the attribute that is missing */
	char text[512];
};

static inline void request_begin(struct request *request, uint16_t family, uint8_t command,
				 uint16_t flags)
{
	struct genlmsghdr *genl = NLMSG_DATA(&request->header);

	memset(request, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	request->header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	request->header.nlmsg_type = family;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	request->header.nlmsg_seq = 1;
	genl->cmd = command;
	genl->version = 1;
}

/* Return: where in the message the attribute starts. */
static inline int request_add(struct request *request, uint16_t type, const void *value, int size)
{
	int offset = NLMSG_ALIGN(request->header.nlmsg_len);
	struct nlattr *attr = (struct nlattr *)(request->bytes + offset);

	CHECK(offset + NLA_HDRLEN + NLA_ALIGN(size) <= BUFFER_SIZE);
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	memset(attr + 1, 0, NLA_ALIGN(size));
	memcpy(attr + 1, value, size);
	request->header.nlmsg_len = offset + NLA_ALIGN(attr->nla_len);
	return offset;
}

static inline int request_add_fd(struct request *request, uint16_t type, int32_t fd)
{
	return request_add(request, type, &fd, sizeof(fd));
}

/* For each attribute of a message after its generic netlink header. */
#define for_each_attr(attr, message)							\
	for (const struct nlattr *attr = (const void *)((const char *)(message) +	\
							NLMSG_HDRLEN + GENL_HDRLEN);	\
	     (const char *)attr + NLA_HDRLEN <= (const char *)(message) + (message)->nlmsg_len; \
	     attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len)))

static inline const void *attr_data(const struct nlattr *attr)
{
	return attr + 1;
}

static inline uint32_t attr_u32(const struct nlattr *attr)
{
	uint32_t value;

	CHECK_EQ(attr->nla_len, NLA_HDRLEN + sizeof(value));
	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

static inline uint64_t attr_u64(const struct nlattr *attr)
{
	uint64_t value;

	CHECK_EQ(attr->nla_len, NLA_HDRLEN + sizeof(value));
	memcpy(&value, attr_data(attr), sizeof(value));
	return value;
}

/* A text, which must fit into an array. */
#define attr_text(attr, array)								\
	do {										\
		CHECK((attr)->nla_len - NLA_HDRLEN <= (int)sizeof(array));		\
		memcpy(array, attr_data(attr), (attr)->nla_len - NLA_HDRLEN);		\
		(array)[sizeof(array) - 1] = '\0';					\
	} while (0)

/* Reads an NLMSG_ERROR, or an NLMSG_DONE, and the extended ack behind it. */
static inline struct refusal refusal_read(const struct nlmsghdr *message)
{
	struct refusal refusal = { .offset = -1, .missing = -1 };
	const char *at = NLMSG_DATA(message), *end = (const char *)message + message->nlmsg_len;
	int error;

	memcpy(&error, at, sizeof(error));
	refusal.error = -error;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return refusal;

	/* NETLINK_CAP_ACK is set, so that of the request only the header comes back. */
	at += message->nlmsg_type == NLMSG_DONE ? sizeof(error) : sizeof(struct nlmsgerr);
	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const struct nlattr *)at;

		if (attr->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(refusal.text, sizeof(refusal.text), "%s",
				 (const char *)attr_data(attr));
		else if (attr->nla_type == NLMSGERR_ATTR_OFFS)
			refusal.offset = attr_u32(attr);
		else if (attr->nla_type == NLMSGERR_ATTR_MISS_TYPE)
			refusal.missing = attr_u32(attr);
		at += NLA_ALIGN(attr->nla_len);
	}
	return refusal;
}

static inline int genl_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), one = 1;

	CHECK(fd >= 0);
	CHECK(!setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)));
	CHECK(!setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)));
	return fd;
}

/*
 * Sends a request and hands each message of the answer to @take. Return: how it was refused.
 */
static inline struct refusal genl_ask(const struct genl *genl, const struct request *request,
				      void (*take)(const struct nlmsghdr *message, void *context),
				      void *context)
{
	static char buffer[BUFFER_SIZE] __attribute__((aligned(8)));

	CHECK(send(genl->fd, request, request->header.nlmsg_len, 0) ==
	      (ssize_t)request->header.nlmsg_len);
	for (;;) {
		ssize_t size = recv(genl->fd, buffer, sizeof(buffer), MSG_TRUNC);
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;

		CHECK(size > 0 && size <= (ssize_t)sizeof(buffer));
		for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
			if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
				return refusal_read(message);
			CHECK_EQ(message->nlmsg_seq, request->header.nlmsg_seq);
			take(message, context);
			if (!(message->nlmsg_flags & (NLM_F_MULTI | NLM_F_ACK)) &&
			    !(request->header.nlmsg_flags & NLM_F_ACK))
				return (struct refusal){ .offset = -1, .missing = -1 };
		}
	}
}

static inline void genl_take_family(const struct nlmsghdr *message, void *context)
{
	for_each_attr(attr, message) {
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(context, attr_data(attr), sizeof(uint16_t));
	}
}

/* A new socket, bound to the family. */
static inline struct genl genl_open(void)
{
	static struct request request;
	struct genl genl = { .fd = genl_socket() };
	struct refusal refusal;

	request_begin(&request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	request_add(&request, CTRL_ATTR_FAMILY_NAME, module_name(), strlen(module_name()) + 1);
	refusal = genl_ask(&genl, &request, genl_take_family, &genl.family);
	if (refusal.error == ENOENT)
		SKIP("the module is not loaded");
	CHECK_EQ(refusal.error, 0);
	return genl;
}

/* Multicast */

struct genl_group {
	const char *name;
	uint32_t id;
};

/* For each attribute nested in another. */
#define for_each_nested(attr, nest)							\
	for (const struct nlattr *attr = attr_data(nest);				\
	     (const char *)attr + NLA_HDRLEN <= (const char *)(nest) + (nest)->nla_len;	\
	     attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len)))

static inline uint16_t attr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

static inline void genl_take_group(const struct nlmsghdr *message, void *context)
{
	struct genl_group *wanted = context;

	for_each_attr(attr, message) {
		if (attr_type(attr) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		for_each_nested(group, attr) {
			const char *name = "";
			uint32_t id = 0;

			for_each_nested(part, group) {
				if (attr_type(part) == CTRL_ATTR_MCAST_GRP_NAME)
					name = attr_data(part);
				else if (attr_type(part) == CTRL_ATTR_MCAST_GRP_ID)
					id = attr_u32(part);
			}
			if (!strcmp(name, wanted->name))
				wanted->id = id;
		}
	}
}

/* Lets the socket listen to one of the family's groups. Return: 0, or an errno. */
static inline int genl_join(const struct genl *genl, const char *name)
{
	static struct request request;
	struct genl_group group = { .name = name };

	request_begin(&request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	request_add(&request, CTRL_ATTR_FAMILY_NAME, module_name(), strlen(module_name()) + 1);
	CHECK_EQ(genl_ask(genl, &request, genl_take_group, &group).error, 0);
	CHECK(group.id);
	return setsockopt(genl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group.id,
			  sizeof(group.id)) ? errno : 0;
}

static inline void shale_take_stack(const struct nlmsghdr *message, void *context)
{
	for_each_attr(attr, message) {
		if (attr->nla_type == SHALE_A_STACK_STACK)
			*(int *)context = attr_u32(attr);
	}
}

/* Sends a request that describes a stack. Return: the descriptor, or -1 and why not. */
static inline int shale_send_new(const struct genl *genl, struct request *request,
				 struct refusal *refusal)
{
	int fd = -1;

	*refusal = genl_ask(genl, request, shale_take_stack, &fd);
	return fd;
}

#endif
