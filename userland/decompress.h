/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel payloads in the six formats kernels are packed in. */
#ifndef RF_DECOMPRESS_H
#define RF_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/**
 * rf_decompress_name() - which format a payload is in
 * @in: Start of the payload
 * @len: Its length
 *
 * Return: "xz", "zstd", ..., or NULL if no known magic is there.
 */
const char *rf_decompress_name(const uint8_t *in, size_t len);

/**
 * rf_decompress() - unpack a payload whose size is known beforehand
 * @in: Compressed bytes
 * @in_len: How many
 * @out: Room for the result
 * @out_len: Exactly how many bytes are to come out
 * @err: Filled in on failure
 *
 * Bytes after the end of the compressed stream are ignored: kernels append
 * the unpacked size there.
 *
 * Return: 0, or -1 if @in is damaged or does not give @out_len bytes.
 */
int rf_decompress(const uint8_t *in, size_t in_len, uint8_t *out,
		  size_t out_len, struct rf_error *err);

#endif /* RF_DECOMPRESS_H */
