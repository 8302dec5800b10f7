// SPDX-License-Identifier: GPL-2.0
/*
 * decompress.c - kernel payloads: gzip, bzip2, lzma, xz, lzo, lz4, zstd  (pure)
 *
 * The libraries do the work; what is here is the framing that kernels use,
 * which for lz4 and lzo is not what the libraries' own front ends read.
 */
#include <stdbool.h>
#include <string.h>

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include "decompress.h"

/* What a kernel's own xz and lzma streams need, and some. */
#define LZMA_MEMORY_LIMIT	(256ULL << 20)

/* lz4 -l makes blocks of 8 MiB. */
#define LZ4_BLOCK_SIZE		(8U << 20)

struct cursor {
	const uint8_t *at;
	size_t left;
};

static bool take(struct cursor *c, void *to, size_t len)
{
	if (c->left < len)
		return false;
	if (to)
		memcpy(to, c->at, len);
	c->at += len;
	c->left -= len;
	return true;
}

static bool take_le32(struct cursor *c, uint32_t *value)
{
	uint8_t b[4];

	if (!take(c, b, sizeof(b)))
		return false;
	*value = b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
	return true;
}

static bool take_be32(struct cursor *c, uint32_t *value)
{
	uint8_t b[4];

	if (!take(c, b, sizeof(b)))
		return false;
	*value = (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
	return true;
}

static int damaged(struct rf_error *err, const char *why)
{
	return rf_error_set(err, "%s", why);
}

static int wrong_size(struct rf_error *err, size_t got, size_t want)
{
	return rf_error_set(err, "%zu bytes came out instead of %zu", got,
			    want);
}

static int decompress_gzip(const uint8_t *in, size_t in_len, uint8_t *out,
			   size_t out_len, struct rf_error *err)
{
	z_stream z = {
		.next_in = (Bytef *)in,
		.avail_in = in_len,
		.next_out = out,
		.avail_out = out_len,
	};
	int ret;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return damaged(err, "not enough memory for zlib");
	ret = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (ret != Z_STREAM_END)
		return damaged(err, z.msg ? z.msg : "stream cut short");
	if (z.avail_out)
		return wrong_size(err, out_len - z.avail_out, out_len);
	return 0;
}

static int decompress_bzip2(const uint8_t *in, size_t in_len, uint8_t *out,
			    size_t out_len, struct rf_error *err)
{
	bz_stream b = {
		.next_in = (char *)in,
		.avail_in = in_len,
		.next_out = (char *)out,
		.avail_out = out_len,
	};
	unsigned int before;
	int ret;

	if (BZ2_bzDecompressInit(&b, 0, 0) != BZ_OK)
		return damaged(err, "not enough memory for libbz2");
	do {
		before = b.avail_in + b.avail_out;
		ret = BZ2_bzDecompress(&b);
	} while (ret == BZ_OK && b.avail_in + b.avail_out != before);
	BZ2_bzDecompressEnd(&b);
	if (ret != BZ_STREAM_END)
		return damaged(err, ret == BZ_OK ? "stream cut short" :
						   "bad data");
	if (b.avail_out)
		return wrong_size(err, out_len - b.avail_out, out_len);
	return 0;
}

static int lzma_run(lzma_stream *s, const uint8_t *in, size_t in_len,
		    uint8_t *out, size_t out_len, struct rf_error *err)
{
	lzma_ret ret;

	s->next_in = in;
	s->avail_in = in_len;
	s->next_out = out;
	s->avail_out = out_len;
	do
		ret = lzma_code(s, LZMA_RUN);
	while (ret == LZMA_OK && s->avail_in && s->avail_out);
	/* The index and footer may still be unread once all bytes are out. */
	if (ret == LZMA_OK)
		ret = lzma_code(s, LZMA_FINISH);

	switch (ret) {
	case LZMA_STREAM_END:
		break;
	case LZMA_MEM_ERROR:
		return damaged(err, "not enough memory for liblzma");
	case LZMA_MEMLIMIT_ERROR:
		return damaged(err, "dictionary larger than 256 MiB");
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return damaged(err, "stream cut short");
	default:
		return damaged(err, "bad data");
	}
	if (s->avail_out)
		return wrong_size(err, out_len - s->avail_out, out_len);
	return 0;
}

static int decompress_xz(const uint8_t *in, size_t in_len, uint8_t *out,
			 size_t out_len, struct rf_error *err)
{
	lzma_stream s = LZMA_STREAM_INIT;
	int ret;

	if (lzma_stream_decoder(&s, LZMA_MEMORY_LIMIT, 0) != LZMA_OK)
		return damaged(err, "not enough memory for liblzma");
	ret = lzma_run(&s, in, in_len, out, out_len, err);
	lzma_end(&s);
	return ret;
}

static int decompress_lzma(const uint8_t *in, size_t in_len, uint8_t *out,
			   size_t out_len, struct rf_error *err)
{
	lzma_stream s = LZMA_STREAM_INIT;
	int ret;

	if (lzma_alone_decoder(&s, LZMA_MEMORY_LIMIT) != LZMA_OK)
		return damaged(err, "not enough memory for liblzma");
	ret = lzma_run(&s, in, in_len, out, out_len, err);
	lzma_end(&s);
	return ret;
}

static int decompress_zstd(const uint8_t *in, size_t in_len, uint8_t *out,
			   size_t out_len, struct rf_error *err)
{
	ZSTD_inBuffer from = { in, in_len, 0 };
	ZSTD_outBuffer to = { out, out_len, 0 };
	ZSTD_DStream *stream = ZSTD_createDStream();
	size_t ret, before;

	if (!stream)
		return damaged(err, "not enough memory for libzstd");
	do {
		before = from.pos + to.pos;
		ret = ZSTD_decompressStream(stream, &to, &from);
	} while (ret && !ZSTD_isError(ret) && from.pos + to.pos != before);
	ZSTD_freeDStream(stream);

	if (ZSTD_isError(ret))
		return damaged(err, ZSTD_getErrorName(ret));
	if (ret)
		return damaged(err, "stream cut short");
	if (to.pos != out_len)
		return wrong_size(err, to.pos, out_len);
	return 0;
}

/*
 * The legacy lz4 frame: magic, then blocks with their length before them.
 * It has no end mark, so the end is where the announced size has come out.
 */
static int decompress_lz4(const uint8_t *in, size_t in_len, uint8_t *out,
			  size_t out_len, struct rf_error *err)
{
	struct cursor c = { in, in_len };
	size_t done = 0;
	uint32_t magic, len;

	take_le32(&c, &magic);
	while (done < out_len) {
		size_t room = out_len - done;
		int got;

		if (!take_le32(&c, &len))
			return damaged(err, "stream cut short");
		/* Frames may follow each other. */
		if (len == magic)
			continue;
		if (!len || len > c.left ||
		    len > (uint32_t)LZ4_compressBound(LZ4_BLOCK_SIZE))
			return damaged(err, "bad block length");
		if (room > LZ4_BLOCK_SIZE)
			room = LZ4_BLOCK_SIZE;
		got = LZ4_decompress_safe((const char *)c.at,
					  (char *)out + done, len, room);
		if (got <= 0)
			return damaged(err, "bad data");
		take(&c, NULL, len);
		done += got;
	}
	return 0;
}

/* Header flags of lzop. */
#define LZOP_ADLER32_D	0x00000001
#define LZOP_ADLER32_C	0x00000002
#define LZOP_EXTRA	0x00000040
#define LZOP_CRC32_D	0x00000100
#define LZOP_CRC32_C	0x00000200
#define LZOP_FILTER	0x00000800

static bool lzop_header(struct cursor *c, uint32_t *flags)
{
	uint8_t version[2], name_len;
	bool modern;

	if (!take(c, NULL, 9) || !take(c, version, 2))
		return false;
	modern = (version[0] << 8 | version[1]) >= 0x0940;
	/* Library version, version needed, method, level. */
	if (!take(c, NULL, modern ? 2 + 2 + 1 + 1 : 2 + 2 + 1) ||
	    !take_be32(c, flags))
		return false;
	if ((*flags & LZOP_FILTER) && !take(c, NULL, 4))
		return false;
	/* Mode, time of change, name, checksum. */
	return take(c, NULL, modern ? 4 + 8 : 4 + 4) &&
	       take(c, &name_len, 1) && take(c, NULL, name_len) &&
	       take(c, NULL, 4);
}

static bool lzop_checksums(struct cursor *c, uint32_t flags, bool stored,
			   uint32_t *adler)
{
	if ((flags & LZOP_ADLER32_D) && !take_be32(c, adler))
		return false;
	if ((flags & LZOP_CRC32_D) && !take(c, NULL, 4))
		return false;
	if (stored)
		return true;
	return (!(flags & LZOP_ADLER32_C) || take(c, NULL, 4)) &&
	       (!(flags & LZOP_CRC32_C) || take(c, NULL, 4));
}

static int decompress_lzo(const uint8_t *in, size_t in_len, uint8_t *out,
			  size_t out_len, struct rf_error *err)
{
	struct cursor c = { in, in_len };
	uint32_t flags, dst_len, src_len, adler = 0;
	size_t done = 0;

	if (lzo_init() != LZO_E_OK)
		return damaged(err, "liblzo2 does not work here");
	if (!lzop_header(&c, &flags) || (flags & LZOP_EXTRA))
		return damaged(err, "bad header");
	while (done < out_len) {
		lzo_uint got;

		if (!take_be32(&c, &dst_len) || !dst_len)
			return damaged(err, "stream cut short");
		if (!take_be32(&c, &src_len) || !src_len ||
		    src_len > dst_len || dst_len > out_len - done)
			return damaged(err, "bad block length");
		if (!lzop_checksums(&c, flags, src_len == dst_len, &adler) ||
		    src_len > c.left)
			return damaged(err, "stream cut short");
		got = dst_len;
		if (src_len == dst_len)
			memcpy(out + done, c.at, dst_len);
		else if (lzo1x_decompress_safe(c.at, src_len, out + done, &got,
					       NULL) != LZO_E_OK ||
			 got != dst_len)
			return damaged(err, "bad data");
		if ((flags & LZOP_ADLER32_D) &&
		    adler32(1, out + done, dst_len) != adler)
			return damaged(err, "bad checksum");
		take(&c, NULL, src_len);
		done += dst_len;
	}
	return 0;
}

struct format {
	const char *name;
	const char *magic;
	size_t magic_len;
	int (*run)(const uint8_t *in, size_t in_len, uint8_t *out,
		   size_t out_len, struct rf_error *err);
};

#define FORMAT(_name, _magic)						\
	{ #_name, _magic, sizeof(_magic) - 1, decompress_##_name }

static const struct format formats[] = {
	FORMAT(gzip,	"\x1f\x8b"),
	FORMAT(bzip2,	"BZh"),
	FORMAT(lzma,	"\x5d\x00\x00"),
	FORMAT(xz,	"\3757zXZ\0"),
	FORMAT(lzo,	"\x89LZO\0\r\n\x1a\n"),
	FORMAT(lz4,	"\x02\x21\x4c\x18"),
	FORMAT(zstd,	"\x28\xb5\x2f\xfd"),
};

static const struct format *format_find(const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (len >= formats[i].magic_len &&
		    !memcmp(in, formats[i].magic, formats[i].magic_len))
			return &formats[i];
	return NULL;
}

const char *rf_decompress_name(const uint8_t *in, size_t len)
{
	const struct format *format = format_find(in, len);

	return format ? format->name : NULL;
}

int rf_decompress(const uint8_t *in, size_t in_len, uint8_t *out,
		  size_t out_len, struct rf_error *err)
{
	const struct format *format = format_find(in, in_len);
	struct rf_error why;

	if (!format)
		return rf_error_set(err, "compressed in a format unknown here");
	if (format->run(in, in_len, out, out_len, &why))
		return rf_error_set(err, "damaged %s data: %.300s",
				    format->name, why.text);
	return 0;
}
