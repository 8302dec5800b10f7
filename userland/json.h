/* SPDX-License-Identifier: GPL-2.0 */
/* Answers as people and as programs want them. */
#ifndef RF_JSON_H
#define RF_JSON_H

#include <stdbool.h>

#include <cjson/cJSON.h>

/*
 * Print @object and delete it: as one line of JSON, or as a line "name  value"
 * for each member, with members of members indented.
 */
void rf_json_print(struct cJSON *object, bool as_json);

#endif /* RF_JSON_H */
