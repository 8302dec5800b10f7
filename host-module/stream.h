/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stream.h - records of a VM's state, to and from the launcher's memory
 *
 * Each room writes and reads its own records; each record is copied once, and
 * what is checked is the copy.
 */
#ifndef RF_STREAM_H
#define RF_STREAM_H

#include <linux/types.h>

#include "../uapi/ringfence_state.h"

/**
 * struct rf_stream - records under way
 * @base: Where they are, the launcher's address
 * @len: Bytes there
 * @pos: Bytes written or read so far
 * @vcpu_id: Of the records that come now
 * @error: Of a write, kept until rf_stream_written()
 */
struct rf_stream {
	void __user *base;
	u64 len;
	u64 pos;
	u32 vcpu_id;
	int error;
};

/**
 * rf_stream_write() - Append a record
 * @stream: The stream
 * @type: RF_SAVED_*
 * @record: The record; its struct rf_saved_head is filled in
 * @size: Its size; rounded up to 8, so that many bytes must be there
 *
 * Beyond the end it is only counted.
 */
void rf_stream_write(struct rf_stream *stream, enum rf_saved_type type, void *record,
		     size_t size);

/**
 * rf_stream_read() - Take the next record, which must be of @type
 * @stream: The stream
 * @type: RF_SAVED_*
 * @record: Room for it; what the stream does not have is 0
 * @min_size: What there must be of it
 * @known_size: sizeof the record today
 *
 * Return: 0, -EINVAL, -E2BIG or -EFAULT.
 */
int rf_stream_read(struct rf_stream *stream, enum rf_saved_type type, void *record,
		   size_t min_size, size_t known_size);

/**
 * rf_stream_read_array() - The same for a record that ends in an array
 * @stream: The stream
 * @type: RF_SAVED_*
 * @min_size: Size without the array
 * @max_size: The most it may be
 *
 * Return: the record, for kvfree(), with its size in its head; or ERR_PTR().
 */
void *rf_stream_read_array(struct rf_stream *stream, enum rf_saved_type type,
			   size_t min_size, size_t max_size);

#endif /* RF_STREAM_H */
