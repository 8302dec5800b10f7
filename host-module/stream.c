// SPDX-License-Identifier: GPL-2.0
/*
 * stream.c - records of a VM's state, to and from the launcher's memory
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "stream.h"

#define RECORD_ALIGN	8

static_assert(sizeof(struct rf_saved_head) == RECORD_ALIGN);

void rf_stream_write(struct rf_stream *stream, enum rf_saved_type type, void *record,
		     size_t size)
{
	struct rf_saved_head *head = record;

	size = ALIGN(size, RECORD_ALIGN);
	*head = (struct rf_saved_head) {
		.size = size,
		.type = type,
		.vcpu_id = stream->vcpu_id,
	};
	if (stream->pos + size <= stream->len &&
	    copy_to_user(stream->base + stream->pos, record, size))
		stream->error = -EFAULT;
	stream->pos += size;
}

/* The head of the next record, of which all bytes are there. */
static int read_head(struct rf_stream *stream, enum rf_saved_type type,
		     struct rf_saved_head *head)
{
	u64 left = stream->len - stream->pos;

	if (left < sizeof(*head))
		return -EINVAL;
	if (copy_from_user(head, stream->base + stream->pos, sizeof(*head)))
		return -EFAULT;
	if (head->type != type || head->vcpu_id != stream->vcpu_id ||
	    head->size < sizeof(*head) || head->size > left ||
	    !IS_ALIGNED(head->size, RECORD_ALIGN))
		return -EINVAL;
	return 0;
}

/* The record after @head, once its size has been found right. */
static int read_body(struct rf_stream *stream, const struct rf_saved_head *head,
		     void *record, size_t size)
{
	void __user *user = stream->base + stream->pos;

	memcpy(record, head, sizeof(*head));
	if (copy_from_user(record + sizeof(*head), user + sizeof(*head),
			   size - sizeof(*head)))
		return -EFAULT;
	stream->pos += head->size;
	return 0;
}

int rf_stream_read(struct rf_stream *stream, enum rf_saved_type type, void *record,
		   size_t min_size, size_t known_size)
{
	struct rf_saved_head head;
	int ret;

	ret = read_head(stream, type, &head);
	if (ret)
		return ret;
	if (head.size < min_size)
		return -EINVAL;
	if (head.size > known_size) {
		ret = check_zeroed_user(stream->base + stream->pos + known_size,
					head.size - known_size);
		if (ret <= 0)
			return ret ?: -E2BIG;
	}
	memset(record, 0, known_size);
	return read_body(stream, &head, record, min_t(size_t, head.size, known_size));
}

void *rf_stream_read_array(struct rf_stream *stream, enum rf_saved_type type,
			   size_t min_size, size_t max_size)
{
	struct rf_saved_head head;
	void *record;
	int err;

	err = read_head(stream, type, &head);
	if (err)
		return ERR_PTR(err);
	if (head.size < min_size || head.size > max_size)
		return ERR_PTR(-EINVAL);
	record = kvmalloc(head.size, GFP_KERNEL_ACCOUNT);
	if (!record)
		return ERR_PTR(-ENOMEM);
	err = read_body(stream, &head, record, head.size);
	if (err) {
		kvfree(record);
		return ERR_PTR(err);
	}
	return record;
}
