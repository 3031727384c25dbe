#include "frame_json.h"

static void json_frame(struct json *json, const struct frame *frame)
{
	json_object(json, NULL);
	json_string(json, "function", frame->function);
	json_string(json, "file", frame->file);
	if (frame->line)
		json_number(json, "line", frame->line);
	json_string(json, "language", frame->language);
	json_string(json, "module", frame->module);
	if (!frame->language)
		json_number(json, "offset", frame->offset);
	json_end_object(json);
}

void json_frames(struct json *json, const char *key, const GArray *frames)
{
	json_array(json, key);
	for (unsigned i = 0; i < frames->len; i++)
		json_frame(json, &g_array_index(frames, struct frame, i));
	json_end_array(json);
}
