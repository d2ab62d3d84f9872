#include "equipoise/cli/starter.h"

// The embedded files, and the byte after each.
extern "C" char const equipoise_template_parallel_group[];
extern "C" char const equipoise_template_parallel_group_end[];
extern "C" char const equipoise_template_dose_ranging[];
extern "C" char const equipoise_template_dose_ranging_end[];
extern "C" char const equipoise_template_time_to_event[];
extern "C" char const equipoise_template_time_to_event_end[];

namespace equipoise::cli {

std::span<const Template> templates() {
  static const Template all[] = {
      {"parallel-group",
       "two arms, a score at visits, change from baseline",
       {equipoise_template_parallel_group, equipoise_template_parallel_group_end}},
      {"dose-ranging",
       "placebo and three doses, a marker at visits",
       {equipoise_template_dose_ranging, equipoise_template_dose_ranging_end}},
      {"time-to-event",
       "two arms, time to progression or death, one look before the end",
       {equipoise_template_time_to_event, equipoise_template_time_to_event_end}},
  };
  return all;
}

}  // namespace equipoise::cli
