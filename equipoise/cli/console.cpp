#include "equipoise/cli/console.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace equipoise::cli {
namespace {

void put(std::FILE* stream, std::string_view text, int& status) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
  if (whole || status != 0) return;
  status = card(Code::io).exit_status;  // a full disk behind a redirected output
  if (stream == stdout && errno != EPIPE)
    std::fprintf(stderr, "cannot write to standard output: %s\n", std::strerror(errno));  // EPIPE: the reader has had enough
}

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

nlohmann::ordered_json as_json(Problems const& problems) {
  nlohmann::ordered_json list = nlohmann::json::array();
  for (Error const& problem : problems) {
    nlohmann::ordered_json row{{"code", card(problem.code).name}, {"message", problem.message}};
    if (!problem.place.file.empty()) row["file"] = problem.place.file;
    if (problem.place.line > 0) row["line"] = problem.place.line;
    if (problem.place.column > 0) row["column"] = problem.place.column;
    if (!problem.place.field.empty()) row["field"] = problem.place.field;
    if (!problem.hint.empty()) row["hint"] = problem.hint;
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

std::string json_list(Problems const& problems) {
  return as_json(problems).dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

void Console::caution(Problems const& warnings) {
  std::string text;
  for (Error warning : warnings) {
    warning.message = "warning: " + warning.message;
    text += to_string(warning) + "\n";
  }
  int unused = 0;
  if (!json) put(stderr, text, unused);
}

void Console::warn(Problems const& problems) {
  status_ = std::max(exit_status(problems), 1);
  std::string text;
  for (Error const& problem : problems) text += to_string(problem) + "\n";
  int unused = 0;
  put(stderr, text, unused);
}

void Console::say(std::string_view text) {
  if (!quiet && !json) put(stdout, text, status_);
}

void Console::answer(std::string_view json_text) {
  if (!json) return;
  put(stdout, json_text, status_);
  if (!json_text.ends_with('\n')) put(stdout, "\n", status_);
}

void Console::fail(Problems const& problems) {
  status_ = std::max(exit_status(problems), 1);
  if (!json) {
    std::string text;
    for (Error const& problem : problems) text += to_string(problem) + "\n";
    int unused = 0;
    put(stderr, text, unused);
    return;
  }
  const nlohmann::ordered_json whole{{"problems", as_json(problems)}};
  put(stdout, whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", status_);
}

}  // namespace equipoise::cli
