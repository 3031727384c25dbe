/* Frames as JSON: one form for the log, the report and ps. */
#ifndef REVIEW_FRAME_JSON_H
#define REVIEW_FRAME_JSON_H

#include "json.h"
#include "symbols.h"

/* An array of objects under `key`. */
void json_frames(struct json *json, const char *key, const GArray *frames);

#endif
