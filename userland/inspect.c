// SPDX-License-Identifier: GPL-2.0
/*
 * inspect.c - ringfence inspect: what a kernel file asks of a hypervisor
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "file.h"
#include "image.h"
#include "inspect.h"
#include "json.h"

static void add_address(cJSON *object, const char *name, uint64_t value)
{
	char text[24] = "none";

	if (value != RF_NOTE_UNSET)
		snprintf(text, sizeof(text), "%#llx",
			 (unsigned long long)value);
	cJSON_AddStringToObject(object, name, text);
}

static cJSON *describe(const struct rf_payload *payload,
		       const struct rf_kernel *kernel)
{
	cJSON *object = cJSON_CreateObject();
	uint64_t size = 0;

	for (unsigned int i = 0; i < kernel->nr_segments; i++)
		size += kernel->segments[i].mem_size;
	cJSON_AddStringToObject(object, "compression", payload->format);
	cJSON_AddNumberToObject(object, "packed_bytes", payload->len);
	cJSON_AddNumberToObject(object, "unpacked_bytes", payload->elf_len);
	cJSON_AddNumberToObject(object, "loaded_bytes", size);
	cJSON_AddNumberToObject(object, "segments", kernel->nr_segments);
	cJSON_AddStringToObject(object, "guest_os", kernel->guest_os);
	cJSON_AddStringToObject(object, "guest_version",
				kernel->guest_version);
	add_address(object, "entry", kernel->entry);
	add_address(object, "virt_base", kernel->virt_base);
	add_address(object, "paddr_offset", kernel->paddr_offset);
	add_address(object, "hypercall_page", kernel->hypercall_page);
	add_address(object, "init_p2m", kernel->init_p2m);
	cJSON_AddBoolToObject(object, "mod_start_pfn", kernel->mod_start_pfn);
	return object;
}

static int extract(const char *path, const uint8_t *elf, size_t len,
		   struct rf_error *err)
{
	FILE *file = fopen(path, "we");
	bool failed;

	if (!file)
		return rf_error_set(err, "cannot write %s: %s", path,
				    strerror(errno));
	failed = fwrite(elf, 1, len, file) != len;
	failed |= fclose(file) != 0;
	if (failed) {
		rf_error_set(err, "cannot write %s: %s", path, strerror(errno));
		unlink(path);
		return -1;
	}
	return 0;
}

static int inspect(const struct rf_config *config, const struct rf_file *file,
		   struct rf_error *err)
{
	struct rf_payload payload;
	struct rf_kernel kernel;
	uint8_t *elf;
	int ret = -1;

	if (rf_image_find(file->data, file->len, &payload, err))
		return -1;
	elf = malloc(payload.elf_len);
	if (!elf)
		return rf_error_set(err, "no memory to unpack it in (%zu MiB)",
				    payload.elf_len >> 20);
	if (!rf_image_unpack(&payload, elf, err) &&
	    !rf_image_parse(elf, payload.elf_len, &kernel, err)) {
		rf_json_print(describe(&payload, &kernel), config->json);
		ret = 0;
		if (config->extract)
			ret = extract(config->extract, elf, payload.elf_len,
				      err);
	}
	free(elf);
	return ret;
}

enum rf_exit rf_inspect_main(const struct rf_config *config)
{
	struct rf_file file;
	struct rf_error err;
	int ret;

	if (rf_file_map(&file, "kernel", config->kernel, &err)) {
		rf_error_say("%s", err.text);
		return RF_EXIT_ERROR;
	}
	ret = inspect(config, &file, &err);
	if (ret)
		rf_error_say("cannot use the kernel %s: %s", config->kernel,
			     err.text);
	rf_file_unmap(&file);
	return ret ? RF_EXIT_ERROR : 0;
}
